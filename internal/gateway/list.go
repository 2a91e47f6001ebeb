package gateway

import (
	"context"
	"strconv"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// listing is what is particular about one kind of list.
type listing struct {
	key    string // of the array in the result
	named  bool   // its elements have names that are called by
	uri    string // the member of an element that holds a URI; empty: none
	taskID bool
}

var lists = map[string]listing{
	mcpwire.MethodToolsList:     {key: "tools", named: true},
	mcpwire.MethodPromptsList:   {key: "prompts", named: true},
	mcpwire.MethodResourcesList: {key: "resources", uri: "uri"},
	mcpwire.MethodTemplatesList: {key: "resourceTemplates", uri: "uriTemplate"},
	"skills/list":               {key: "skills", uri: "uri"},
	"tasks/list":                {key: "tasks", taskID: true},
}

// list merges one page of every member's list. The cursor of the answer holds those
// of the members that have more; they alone are asked for the next page.
func (a *aggregate) list(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach, l listing) error {
	of, question, ok := a.pages(c)
	if !ok {
		return refuse(out, c, mcpwire.CodeInvalidParams, "the cursor is not one that this server gave for this list")
	}
	got := a.ask(ctx, of, question, to)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	from := got.results()
	if len(from) == 0 {
		return got.nobody(out, c)
	}
	missing := a.missing(got)
	var result object
	for _, i := range from {
		m := &got[i].message
		result.merge(m.Raw, m.Result, func(name string) bool { return name == l.key || name == "nextCursor" || name == "_meta" })
	}
	items, dropped := a.merged(got, from, l)
	result.set(l.key, items)
	next := cursor{method: c.Message.Method}
	for _, i := range from {
		m := &got[i].message
		if text, ok := m.Text(mcpwire.Member(m.Raw, m.Result, "nextCursor")); ok {
			next.add(a.members[i].Name, text)
		}
	}
	if len(next.of) > 0 {
		result.set("nextCursor", next.quoted())
	}
	hints(&result, got, from, c.Era, len(missing) > 0)
	if meta := a.meta(got, c.Era, missing, dropped); meta != nil {
		result.set("_meta", meta)
	}
	return answer(out, c, result.bytes())
}

// pages says whom to ask for a page, and how.
func (a *aggregate) pages(c *exchange.Call) (of []int, question func(int) (*exchange.Call, error), ok bool) {
	m := c.Message
	text, isText := m.Text(m.Cursor)
	if !isText || text == "" { // the first page; we give no empty cursor
		if m.Cursor.Present() {
			first, err := edited(c, mcpwire.RemoveMembers(m.Raw, m.Params, func(name string) bool { return name == "cursor" })...)
			if err != nil {
				return nil, nil, false
			}
			c = first
		}
		return a.all(), asIs(c), true
	}
	at, ok := readCursor(text, m.Method)
	if !ok {
		return nil, nil, false
	}
	cursors := map[int]string{}
	for i := range a.members {
		if text, ok := at.find(a.members[i].Name); ok {
			of, cursors[i] = append(of, i), text
		}
	}
	return of, func(i int) (*exchange.Call, error) {
		return edited(c, mcpwire.Edit{Span: m.Cursor, With: mcpwire.Quote(cursors[i])})
	}, len(of) > 0
}

// mostDropped bounds how many names an answer lists as left out.
const mostDropped = 100

// merged is the array of all elements, each as its member wrote it but for its name.
func (a *aggregate) merged(got answered, from []int, l listing) (items []byte, dropped []string) {
	size := 2
	for _, i := range from {
		size += len(got[i].message.Raw)
	}
	items = append(make([]byte, 0, size), '[')
	seen := map[string]bool{}
	for _, i := range from {
		raw := got[i].message.Raw
		for at := range mcpwire.Elements(raw, mcpwire.Member(raw, got[i].message.Result, l.key)) {
			id, edit, ok := a.element(i, raw, at, l)
			if !ok || id != "" && seen[id] {
				if len(dropped) < mostDropped {
					dropped = append(dropped, id)
				}
				a.warn(i, "left out of a merged list: the name or URI is taken, missing or too long", id)
				continue
			}
			seen[id] = true
			if len(items) > 1 {
				items = append(items, ',')
			}
			if edit.Span.Present() {
				items = append(append(append(items, raw[at.Start:edit.Start]...), edit.With...), raw[edit.End:at.End]...)
			} else {
				items = append(items, raw[at.Start:at.End]...)
			}
		}
	}
	return append(items, ']'), dropped
}

// element is what identifies an element of a member's list, and the edit that gives
// it the member's prefix.
func (a *aggregate) element(i int, raw []byte, at mcpwire.Span, l listing) (id string, edit mcpwire.Edit, ok bool) {
	text := func(path ...string) (string, mcpwire.Span) {
		span := mcpwire.Lookup(raw, at, path...)
		s, _ := mcpwire.Unquote(raw[span.Start:span.End])
		return s, span
	}
	switch {
	case l.named:
		name, span := text("name")
		if ui, _ := text("_meta", "ui", "resourceUri"); ui != "" {
			a.places.learn(i, ui, false)
		}
		id = a.members[i].Prefix + name
		return id, mcpwire.Edit{Span: span, With: mcpwire.Quote(id)}, name != "" && len(id) <= longestName
	case l.taskID:
		name, span := text("taskId")
		id = a.members[i].Prefix + name
		return id, mcpwire.Edit{Span: span, With: mcpwire.Quote(id)}, name != ""
	default:
		uri, _ := text(l.uri)
		if uri == "" {
			return "", mcpwire.Edit{}, true // not ours to judge
		}
		a.places.learn(i, uri, l.uri == "uriTemplate")
		return uri, mcpwire.Edit{}, true
	}
}

// hints gives a merged answer the strictest of its parts' cache hints. One that is
// not whole must not be kept.
func hints(result *object, got answered, from []int, era mcpwire.Era, partial bool) {
	ttl, public, said := int64(-1), true, 0
	for _, i := range from {
		m := &got[i].message
		scope, _ := m.Text(mcpwire.Member(m.Raw, m.Result, "cacheScope"))
		public = public && scope == "public"
		at := mcpwire.Member(m.Raw, m.Result, "ttlMs")
		n, err := strconv.ParseInt(string(m.Bytes(at)), 10, 64)
		if err != nil || n < 0 {
			n = 0
		}
		if at.Present() {
			said++
		}
		if ttl < 0 || n < ttl {
			ttl = n
		}
	}
	if era != mcpwire.Modern && said == 0 {
		return
	}
	if partial {
		ttl = 0
	}
	result.set("ttlMs", strconv.AppendInt(nil, max(ttl, 0), 10))
	result.set("cacheScope", mcpwire.Quote(map[bool]string{true: "public", false: "private"}[public && !partial]))
}
