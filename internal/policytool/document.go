package policytool

import (
	"bytes"
	"encoding/json"
	"fmt"

	"sluice/policy"
)

// document is policy.json as it is written here; what it means is policy's to say.
type document struct {
	Version  string              `json:"version"`
	Default  string              `json:"default"`
	Hide     []string            `json:"hide,omitempty"`
	AllTools *allTools           `json:"all_tools,omitempty"`
	Tools    map[string]toolRule `json:"tools"`
}

type allTools struct {
	Limits []limitRule `json:"limits"`
}

type toolRule struct {
	Require []argumentRule `json:"require,omitempty"`
	DenyIf  []argumentRule `json:"deny_if,omitempty"`
	Limits  []limitRule    `json:"limits,omitempty"`
}

type argumentRule struct {
	Conditions []condition `json:"conditions"`
	OnDeny     string      `json:"on_deny,omitempty"`
}

type condition struct {
	Path  string          `json:"path"`
	Op    string          `json:"op"`
	Value json.RawMessage `json:"value"`
}

type limitRule struct {
	Counter       string      `json:"counter"`
	Window        string      `json:"window"`
	Max           json.Number `json:"max"`
	Scope         string      `json:"scope"`
	IncrementFrom string      `json:"increment_from,omitempty"`
	OnDeny        string      `json:"on_deny,omitempty"`
}

// canonical is the document as policy writes it. What was made here and is not valid
// is a defect, or a tool whose name no document can hold.
func (d *document) canonical() (json.RawMessage, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	checked, faults := policy.Parse(out.Bytes())
	if checked == nil {
		return nil, &InvalidError{Findings: Place(out.Bytes(), faults)}
	}
	return checked.Canonical(), nil
}

// InvalidError is a document with errors.
type InvalidError struct{ Findings []Finding }

func (e *InvalidError) Error() string {
	for _, f := range e.Findings {
		if f.Serious() {
			return fmt.Sprintf("%s: %s (%s)", f.Pointer, f.Message, f.Code)
		}
	}
	return "the document is not valid"
}
