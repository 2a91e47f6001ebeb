package policytool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Tool is a definition as far as a first rule needs it.
type Tool struct {
	Name            string
	Description     string
	Parameters      []string // top-level properties of the input schema, sorted
	ReadOnlyHint    *bool
	DestructiveHint *bool
	// Declared is the kind that the server gives it itself, in _meta["sluice/risk"].
	Declared Kind
}

// ReadTools reads definitions: the result of tools/list, the whole answer, or a bare
// list of tools.
func ReadTools(raw []byte) ([]Tool, error) {
	raw = bytes.TrimSpace(raw)
	var list []json.RawMessage
	if len(raw) > 0 && raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, errors.New("it is not valid JSON")
		}
	} else {
		var doc struct {
			Tools  *[]json.RawMessage
			Result *struct{ Tools *[]json.RawMessage }
		}
		if err := json.Unmarshal(raw, &doc); err != nil && json.Valid(raw) {
			return nil, errors.New(`its "tools" are not a list`)
		} else if err != nil {
			return nil, errors.New("it is not valid JSON")
		}
		switch {
		case doc.Tools != nil:
			list = *doc.Tools
		case doc.Result != nil && doc.Result.Tools != nil:
			list = *doc.Result.Tools
		default:
			return nil, errors.New(`it has no "tools"`)
		}
	}
	tools := make([]Tool, 0, len(list))
	for i, one := range list {
		t, err := ReadTool(one)
		if err != nil {
			return nil, fmt.Errorf("tool %d: %w", i+1, err)
		}
		tools = append(tools, t)
	}
	return tools, nil
}

// ReadTool reads one definition.
func ReadTool(raw []byte) (Tool, error) {
	var d struct {
		Name        string
		Description string
		InputSchema struct {
			Properties map[string]json.RawMessage
		}
		Annotations struct {
			ReadOnlyHint, DestructiveHint *bool
		}
		Meta struct {
			Risk json.RawMessage `json:"sluice/risk"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return Tool{}, errors.New("it is not a definition of a tool")
	}
	if d.Name == "" {
		return Tool{}, errors.New("it has no name")
	}
	t := Tool{Name: d.Name, Description: d.Description, ReadOnlyHint: d.Annotations.ReadOnlyHint, DestructiveHint: d.Annotations.DestructiveHint}
	var risk struct{ Category Kind }
	if json.Unmarshal(d.Meta.Risk, &risk) == nil { // of another form it says nothing
		t.Declared = risk.Category
	}
	for p := range d.InputSchema.Properties {
		t.Parameters = append(t.Parameters, p)
	}
	slices.Sort(t.Parameters)
	return t, nil
}
