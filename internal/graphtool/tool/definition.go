package tool

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// annotations are the hints of MCP.
type annotations struct {
	Title       string `json:"title"`
	ReadOnly    bool   `json:"readOnlyHint"`
	Destructive bool   `json:"destructiveHint"`
	Idempotent  bool   `json:"idempotentHint"`
	OpenWorld   bool   `json:"openWorldHint"`
}

// risk is what the definition says of a tool's danger, for gateways and inventories.
type risk struct {
	Category     Category `json:"category"`
	Severity     Severity `json:"severity"`
	Irreversible bool     `json:"irreversible"`
}

type definitionMeta struct {
	Set    string   `json:"sluice/set"`
	Scopes []string `json:"sluice/scopes,omitempty"`
	Risk   risk     `json:"sluice/risk"`
}

// Definition is the JSON of the tool's entry in tools/list.
func (t *Tool) Definition() (json.RawMessage, error) {
	w := writer{b: make([]byte, 0, 4096)}
	w.raw([]byte{'{'})
	w.name("name").string(t.Name)
	w.name("title").string(t.Title)
	w.name("description").string(t.Description())
	w.name("inputSchema").schema(t.inputSchema())
	w.name("outputSchema").schema(t.outputSchema())
	w.name("annotations").value(t.annotations())
	w.name("_meta").value(definitionMeta{t.Set, t.AllScopes(), risk{t.Category, t.Severity, t.Irreversible}})
	w.raw([]byte{'}'})
	return bytes.Clone(w.b), w.err // without the room that is left
}

// annotations are honest hints: what only reads says so; what spends, sends or deletes
// is destructive, since it can't be taken back.
func (t *Tool) annotations() annotations {
	read := t.Category == Read
	return annotations{
		Title: t.Title, ReadOnly: read,
		Destructive: !read && (t.Category == Destructive || t.Category == Financial || t.Irreversible),
		Idempotent:  read || t.Repeat,
		OpenWorld:   len(t.Operations()) > 0 || t.Irreversible, // write-back sends by a client of its own
	}
}

// Description is what agents read: purpose, use, notes, and what follows from the record.
func (t *Tool) Description() string {
	parts := []string{t.Does}
	if g := t.Gone; g != nil {
		parts = append(parts, "Always answers unsupported: "+g.Why+".")
		parts = append(parts, "Instead: "+strings.TrimSuffix(g.Instead, ".")+".")
	}
	for _, p := range []string{t.Use, t.Note} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	for _, group := range t.OneOf {
		parts = append(parts, "Give exactly one of "+listed(group)+".")
	}
	for _, group := range t.AnyOf {
		if len(strings.Fields(group)) < len(t.Args)-1 { // of nearly all it goes without saying
			parts = append(parts, "Give at least one of "+listed(group)+".")
		}
	}
	if t.Irreversible {
		parts = append(parts, "Can't be taken back.")
	}
	if scopes := t.AllScopes(); len(scopes) > 0 && t.Gone == nil {
		parts = append(parts, "Needs "+strings.ReplaceAll(strings.Join(scopes, ", "), "|", " or ")+".")
	}
	return strings.Join(parts, " ")
}

// Operation is one call of a tool, resolved.
type Operation struct {
	Verb, On, Edge string
	Note           string
}

// Operations are the calls of a tool: those of its steps, its flow or its hook.
func (t *Tool) Operations() []Operation {
	var list []Operation
	for i := range t.Steps {
		s := &t.Steps[i]
		for _, on := range s.nodes() {
			list = append(list, Operation{s.Verb, on, s.Edge, ""})
		}
	}
	calls := t.Calls
	if t.Flow != nil {
		calls = append(slices.Clone(calls), t.Flow.Calls()...)
	}
	for _, c := range calls {
		list = append(list, Operation(c))
	}
	return list
}

// AllScopes are the permissions of all its operations, each once. One of several that
// are enough stays joined by |.
func (t *Tool) AllScopes() []string {
	var list []string
	add := func(scope string) {
		if !slices.Contains(list, scope) {
			list = append(list, scope)
		}
	}
	for _, o := range t.Operations() {
		s := Step{Verb: o.Verb, On: o.On, Edge: o.Edge}
		if op := s.op(0); op != nil {
			for _, scope := range strings.Fields(op.Scopes) {
				add(scope)
			}
		}
	}
	for _, s := range t.Scopes {
		add(s)
	}
	return list
}
