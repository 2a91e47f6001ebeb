package tool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/internal/graph"
)

type answers map[string]string // by method

func (a answers) Do(_ context.Context, r graph.Request) (*graph.Response, error) {
	body, ok := a[r.Method]
	if !ok {
		return nil, errors.New(r.Method + " was not expected")
	}
	return &graph.Response{Status: 200, Body: []byte(body)}, nil
}

// TestSwitchingOnARule: below a ceiling, a rule that is switched on is checked as if it
// were made now, and its action is not sent again.
func TestSwitchingOnARule(t *testing.T) {
	t.Parallel()
	refusal := errors.New("refused")
	rule := &Tool{
		Name: "rule", Args: []Arg{ID("rule_id", "AdRule", "Rule."), Enum("status", "ENABLED DISABLED", "On or off."), Object("execution_spec", "What it does.")},
		Steps: []Step{{Verb: "POST", On: "AdRule", ID: "rule_id"}},
		Check: func(e *Env) error {
			if spec := e.Args.Map("execution_spec"); spec["execution_type"] == "CHANGE_BUDGET" {
				return refusal
			}
			return nil
		},
	}
	const budgets, pauses = `{"id":"1","execution_spec":{"execution_type":"CHANGE_BUDGET"}}`, `{"id":"1","execution_spec":{"execution_type":"PAUSE"}}`
	ceilings := map[string]Ceiling{"*": {Daily: 1}}
	for name, c := range map[string]struct {
		status   string
		ceilings map[string]Ceiling
		graph    answers
		refused  bool
	}{
		"one that raises budgets":            {"ENABLED", ceilings, answers{"GET": budgets}, true},
		"one that pauses":                    {"ENABLED", ceilings, answers{"GET": pauses, "POST": `{"success":true}`}, false},
		"one that raises, without a ceiling": {"ENABLED", nil, answers{"POST": `{"success":true}`}, false},
		"one that raises, switched off":      {"DISABLED", ceilings, answers{"POST": `{"success":true}`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &Env{Tool: rule, Args: Args{"rule_id": "1", "status": c.status}, Graph: c.graph, Settings: Settings{Ceilings: c.ceilings}}
			_, err := e.run(t.Context())
			if errors.Is(err, refusal) != c.refused || !c.refused && err != nil {
				t.Errorf("%v", err)
			}
			if e.Args.Has("execution_spec") {
				t.Error("the action would be sent again")
			}
		})
	}
}

// TestNumbers: an exponent that would take long to write out is refused, not computed.
func TestNumbers(t *testing.T) {
	t.Parallel()
	budget := &Tool{Args: []Arg{Budget("budget", "daily", "Budget.")}}
	for text, want := range map[string]string{"5000": "5000", "5e3": "5000", "5.0e3": "5000", "1e999999": "", "1e-999999": "", "0.5": "", "1e19": "", "-1": ""} {
		args, _, err := budget.bind([]byte(`{"budget":`+text+`}`), time.Time{})
		if got := args.Str("budget"); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// TestMarksReachInside: what is inside an untrusted object is untrusted too.
func TestMarksReachInside(t *testing.T) {
	t.Parallel()
	list := true
	record := &Tool{Title: "Rows", Out: Out{List: &list, Members: "id:id object:map", Untrusted: []string{"object"}}}
	data := []any{map[string]any{"id": "1", "object": map[string]any{"message": "do it", "from": map[string]any{"name": "Ann"}, "tags": []any{"now"}}}}
	res, err := record.show(&Answer{Data: data}, Args{})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"⟦do it⟧", "⟦Ann⟧", "⟦now⟧"} {
		if !strings.Contains(res.Text, words) {
			t.Errorf("%s is without marks:\n%s", words, res.Text)
		}
	}
}
