package gateway

import (
	"bytes"
	"strings"

	"sluice/internal/mcpwire"
)

// relatedTask is the key of `_meta` that ties a message to a task (2025-11-25).
const relatedTask = "io.modelcontextprotocol/related-task"

// taskEdits put a member's prefix before the task ids in a message: of the result
// that makes a task, of everything that tasks/… answers, of notifications about one.
func taskEdits(m *mcpwire.Message, method, prefix string) (edits []mcpwire.Edit) {
	if !bytes.Contains(m.Raw, []byte(`"taskId"`)) {
		return nil
	}
	mark := func(at mcpwire.Span) {
		if id, ok := m.Text(at); ok {
			edits = append(edits, mcpwire.Edit{Span: at, With: mcpwire.Quote(prefix + id)})
		}
	}
	find := func(in mcpwire.Span, path ...string) mcpwire.Span { return mcpwire.Lookup(m.Raw, in, path...) }
	switch m.Kind {
	case mcpwire.Result:
		kind, _ := m.Text(find(m.Result, "resultType"))
		if kind == "task" || strings.HasPrefix(method, "tasks/") {
			mark(find(m.Result, "taskId"))
		}
		mark(find(m.Result, "task", "taskId"))
		mark(find(m.Result, "_meta", relatedTask, "taskId"))
	case mcpwire.Notification, mcpwire.Request:
		if strings.HasPrefix(m.Method, "notifications/tasks") || strings.HasPrefix(m.Method, "tasks/") {
			mark(find(m.Params, "taskId"))
		}
		mark(find(m.Params, "_meta", relatedTask, "taskId"))
		for id := range mcpwire.Elements(m.Raw, find(m.Params, "notifications", "taskIds")) {
			mark(id)
		}
	}
	return edits
}
