package era

import (
	"slices"

	"sluice/internal/mcpwire"
)

// interactive methods are those whose call may ask the client for something in
// between, in the modern era.
func interactive(method string) bool {
	switch method {
	case mcpwire.MethodToolsCall, mcpwire.MethodPromptsGet, mcpwire.MethodResourcesRead:
		return true
	}
	return false
}

// undeclared says which capability a request of the server needs that the client did
// not declare; empty when it may be asked. capabilities is the client's object.
func undeclared(capabilities []byte, method string, raw []byte, params mcpwire.Span) string {
	switch method {
	case mcpwire.MethodElicit:
		if text(raw, params, "mode") == "url" {
			if !has(capabilities, "elicitation", "url") {
				return "elicitation.url"
			}
			return ""
		}
		// An empty object declares forms.
		if has(capabilities, "elicitation") && (has(capabilities, "elicitation", "form") || !has(capabilities, "elicitation", "url")) {
			return ""
		}
		return "elicitation"
	case mcpwire.MethodSample:
		if !has(capabilities, "sampling") {
			return "sampling"
		}
		if mcpwire.Member(raw, params, "tools").Present() && !has(capabilities, "sampling", "tools") {
			return "sampling.tools"
		}
		return ""
	case mcpwire.MethodRoots:
		if has(capabilities, "roots") {
			return ""
		}
		return "roots"
	}
	return method
}

// levels are the log levels, the most talkative first.
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// levelOf is the rank of a log level; false when it is none.
func levelOf(name string) (int, bool) {
	i := slices.Index(levels, name)
	return i, i >= 0
}

// Capabilities that mean one thing in one era and another, or nothing, in the other.
const (
	legacyTasks    = "tasks"                         // the experiment of 2025-11-25
	extensionTasks = "io.modelcontextprotocol/tasks" // its successor, which answers in a way legacy can't read
)

// withoutLegacyTasks is what a modern client is told of a legacy server.
func withoutLegacyTasks(capabilities []byte) []byte { return without(capabilities, one(legacyTasks)) }

// withoutTasks leaves out both kinds of tasks: results of the extension can't be
// carried to a legacy client, whichever side names it.
func withoutTasks(capabilities []byte) []byte {
	return without(withoutLegacyTasks(capabilities), one(extensionTasks), "extensions")
}
