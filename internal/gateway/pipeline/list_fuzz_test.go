package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// FuzzNothingHiddenIsListed has a reader that takes names in any case, and the last of
// several, look for the hidden tool in what a client gets.
func FuzzNothingHiddenIsListed(f *testing.F) {
	for _, result := range []string{
		abc, `{"tools":[{"name":"b"}]}`, `{"tools":[{"name":"b"},{"name":"b"},{"name":"a"}]}`, `{"tools":[{"name":"a"} , {"name":"\u0062"}],"Tools":[]}`,
		`{"tools":[[{"name":"b"}],{"name":"a","NAME":"b"}]}`, `{"tools":[],"tools":[{"name":"b"}]}`, `{"t\u006fols":[{"n\u0061me":"b"}]}`, `{"toolſ":[{"name":"b"}]}`, `null`, `[]`,
	} {
		f.Add(result)
	}
	l := newLab(f, hideB)
	l.up.quiet = true
	f.Fuzz(func(t *testing.T, result string) {
		answer := mcpwire.BuildResult([]byte("1"), []byte(result))
		l.up.list = func(*exchange.Call) string { return result }
		out := &last{}
		if err := l.front.Call(t.Context(), modern(t, "1", "tools/list", "", `{}`), out); err != nil {
			t.Fatal(err)
		}
		var m struct {
			Result struct{ Tools []struct{ Name string } }
			Error  *struct{ Code int }
		}
		if err := json.Unmarshal([]byte(out.data), &m); err != nil && !strings.Contains(err.Error(), "cannot unmarshal") {
			if json.Valid(answer) {
				t.Fatalf("%q became %q: %v", answer, out.data, err)
			}
			t.Fatalf("what can't be read was passed on: %q", out.data)
		}
		for _, tool := range m.Result.Tools {
			if tool.Name == "b" {
				t.Fatalf("%q became %q", answer, out.data)
			}
		}
	})
}

// last keeps the last message.
type last struct{ data string }

func (l *last) Send(e exchange.Event) error {
	l.data = string(e.Data)
	return nil
}
