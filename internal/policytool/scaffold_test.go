package policytool_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/internal/policytool"
	"sluice/policy"
)

func TestAScaffoldHasOneRuleForEachKind(t *testing.T) {
	t.Parallel()
	long := "set_" + strings.Repeat("ü", 60)
	tools, err := policytool.ReadTools([]byte(`{"jsonrpc":"2.0","id":1,"result":{"tools":[
		{"name":"send_mail"},{"name":"get_mail"},{"name":"run_query"},{"name":"pay_invoice"},{"name":"delete_mail"},{"name":"widget","description":"Reads a widget"},
		{"name":"a/b~c"},{"name":"get_mail"},{"name":"` + long + `"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := policytool.Scaffold(tools)
	if err != nil {
		t.Fatal(err)
	}
	doc, faults := policy.Parse(s.Document)
	if doc == nil || len(faults) > 0 {
		t.Fatalf("the scaffold has faults: %v\n%s", faults, s.Document)
	}
	if !bytes.Equal(doc.Canonical(), s.Document) || !doc.Portable() {
		t.Errorf("it is not canonical, or not portable: %s", s.Document)
	}
	if len(s.Tools) != 8 {
		t.Errorf("%d choices for 8 tools", len(s.Tools))
	}
	p := doc.Compile()
	for tool, want := range map[string]policy.Code{
		"get_mail": "", "send_mail": "", "run_query": "", "pay_invoice": policy.Denied, "delete_mail": policy.Hidden, "a/b~c": "", "new_tool": policy.DefaultDeny,
	} {
		if got := p.Decide(policy.Call{Tool: tool}).Code; got != want {
			t.Errorf("%s: %q, want %q", tool, got, want)
		}
	}
	j := policytool.NewJudge(p)
	for tool, most := range map[string]int{"send_mail": 30, "run_query": 10, "widget": 30, "get_mail": 40, long: 30} {
		n := 0
		for range 40 {
			if j.Decide(policytool.Who{Grant: "g"}, noon, policy.Call{Tool: tool}).Decision == policytool.Allowed {
				n++
			}
		}
		if n != most {
			t.Errorf("%s: %d calls in a minute, want %d", tool, n, most)
		}
	}
}

func TestDefinitionsAreReadFromWhatIsSaved(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`[{"name":"a"}]`, `{"tools":[{"name":"a"}]}`, ` {"result":{"tools":[{"name":"a"}]}}`} {
		tools, err := policytool.ReadTools([]byte(text))
		if err != nil || len(tools) != 1 || tools[0].Name != "a" {
			t.Errorf("%s: %v, %v", text, tools, err)
		}
	}
	for _, text := range []string{``, `{}`, `{"tools":[{}]}`, `{"tools":[7]}`, `[`, `{"tools":7}`} {
		if _, err := policytool.ReadTools([]byte(text)); err == nil {
			t.Errorf("%s: taken", text)
		}
	}
}

func TestPrettyChangesWhiteSpaceOnly(t *testing.T) {
	t.Parallel()
	text := []byte(`{"b":[1.50,1e2,{"x":"<\u00e9 a: b, c>"}],"a":{},"long":"` + strings.Repeat("x", 120) + `","list":["` + strings.Repeat(`aaaaaaaaaa","`, 12) + `z"]}`)
	got := policytool.Pretty(text)
	squeeze := func(b []byte) string { return strings.Join(strings.Fields(string(b)), "") }
	if squeeze(got) != squeeze(text) {
		t.Errorf("got\n%s", got)
	}
	if string(policytool.Pretty(got)) != string(got) {
		t.Error("it is not a fixed point")
	}
	for line := range bytes.Lines(got) {
		if n := utf8.RuneCount(line); n > 101 && !bytes.Contains(line, []byte(strings.Repeat("x", 120))) {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if string(policytool.Pretty([]byte("{"))) != "{" {
		t.Error("what is no JSON is changed")
	}
}
