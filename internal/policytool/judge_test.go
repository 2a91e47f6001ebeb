package policytool_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/policytool"
	"sluice/policy"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func compile(t *testing.T, text string) *policy.Document {
	t.Helper()
	doc, faults := policy.Parse([]byte(text))
	if doc == nil {
		t.Fatalf("the policy has faults: %v", faults)
	}
	return doc
}

// answers judges lines and returns "decision code" of each.
func answers(t *testing.T, document string, lines ...string) []string {
	t.Helper()
	j := policytool.NewJudge(compile(t, document).Compile())
	var out []string
	for _, l := range lines {
		c, err := policytool.ReadCase([]byte(l))
		var bad *policytool.BadLine
		if errors.As(err, &bad) {
			out = append(out, "deny "+bad.Code)
			continue
		}
		a := c.Answer(j, noon)
		out = append(out, strings.TrimSpace(a.Decision+" "+a.Code))
	}
	return out
}

const published = `{"version":"1","default":"deny","tools":{"meta_send_offline_event":{"limits":[{"counter":"meta_send_offline_event_rate","window":"minute","max":2,"scope":"grant"}]}}}`

func TestCallsAreJudgedInOrderAndWithState(t *testing.T) {
	t.Parallel()
	got := answers(t, published,
		`{"tool":"meta_send_offline_event","arguments":{}}`,
		`{"tool":"meta_send_offline_event"}`,
		`{"tool":"meta_send_offline_event"}`,
		`{"tool":"meta_send_offline_event","grant":"other"}`,
		`{"tool":"meta_send_offline_event","at":"2026-11-21T12:01:00Z"}`,
		`{"tool":"meta_send_offline_event","at":1795262460}`,
		`{"tool":"meta_send_offline_event","at":1795262519}`,
		`{"tool":"meta_send_offline_event","at":1795262520}`,
		`{"tool":"else"}`,
	)
	want := []string{"allow", "allow", "deny limit_exceeded", "allow", "allow", "allow", "deny limit_exceeded", "allow", "deny default_deny"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestADeniedLimitSaysWhichAndWhenToComeBack(t *testing.T) {
	t.Parallel()
	j := policytool.NewJudge(compile(t, published).Compile())
	var a policytool.Answer
	for range 3 {
		a = j.Decide(policytool.Who{Grant: "g"}, noon.Add(18500*time.Millisecond), policy.Call{Tool: "meta_send_offline_event"})
	}
	if a.Rule != "/tools/meta_send_offline_event/limits/meta_send_offline_event_rate-per-minute" || a.Message == "" || a.RetryAfter != 42 {
		t.Errorf("%+v", a)
	}
}

func TestWhatTheWireRefusesIsNoCall(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200)
	for line, want := range map[string]string{
		`{"tool":"a","arguments":{"x":1,"x":2}}`:            "invalid_json",
		`{"tool":"a","tool":"b"}`:                           "invalid_json",
		`{"Tool":"a"}`:                                      "invalid_json",
		`{"tool":"a","args":{}}`:                            "invalid_json",
		`{"tool":"a"} {"tool":"b"}`:                         "invalid_json",
		`[{"tool":"a"}]`:                                    "invalid_json",
		`not json`:                                          "invalid_json",
		`{"tool":""}`:                                       "invalid_call",
		`{}`:                                                "invalid_call",
		`{"tool":"a","arguments":[]}`:                       "invalid_call",
		`{"tool":"a","arguments":null}`:                     "invalid_call",
		`{"tool":"a","arguments":"{}"}`:                     "invalid_call",
		`{"tool":"a","at":"yesterday"}`:                     "invalid_call",
		`{"tool":"a","at":-1}`:                              "invalid_call",
		`{"tool":"a","arguments":{"x":` + deep + `}}`:       "invalid_call",
		`{"tool":"a","arguments":{"x":"\ud800"}}`:           "invalid_json",
		`{"tool":"a","arguments":{"x":{"y":1,"\u0079":2}}}`: "invalid_json",
	} {
		got := answers(t, `{"version":"1","default":"allow","tools":{}}`, line)
		if !slices.Contains([]string{"deny " + want, "deny invalid_call"}, got[0]) {
			t.Errorf("%.80s: %s, want deny %s", line, got[0], want)
		}
	}
}

func TestArgumentsCanNotReachOutOfTheirPlace(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{},"name":"other"`, `{}}`, `{},"_meta":{}`, `{} {}`} {
		if _, err := policytool.CheckArguments("a", []byte(text)); err == nil {
			t.Errorf("%s: taken", text)
		}
	}
	got, err := policytool.CheckArguments("a", []byte(` {"x": 1.0} `))
	if err != nil || string(got) != `{"x": 1.0}` {
		t.Errorf("%s, %v", got, err)
	}
}

// past is a recorded call.
func past(minute int, grant, tool, decision, arguments string) policytool.Past {
	p := policytool.Past{At: noon.Add(time.Duration(minute) * time.Minute), Call: audit.Call{Grant: grant, Tool: tool, Decision: decision}}
	if arguments != "" {
		p.Arguments = []byte(arguments)
	}
	return p
}

func TestAReplayCountsWhatWouldHaveChanged(t *testing.T) {
	t.Parallel()
	doc := compile(t, `{"version":"1","default":"deny","hide":["drop"],"tools":{
		"read":{},
		"send":{"limits":[{"counter":"c","window":"hour","max":2,"scope":"grant"}]},
		"pay":{"deny_if":[{"conditions":[{"path":"args.amount","op":"gt","value":100}]}],
		       "approve_if":[{"conditions":[{"path":"args.amount","op":"gt","value":50}]}]},
		"shut":{"deny_if":[{"conditions":[]}]}}}`)
	approved := past(9, "a", "pay", "allow", `{"amount":60}`)
	approved.Call.Approval = "apr_1"
	unavailable := past(10, "a", "read", "deny", "")
	unavailable.Call.Code = "store_unavailable"
	failed := past(11, "b", "send", "allow", "")
	failed.Failed = true
	calls := []policytool.Past{
		past(0, "a", "read", "allow", ""),
		past(1, "a", "drop", "allow", ""),                // → deny
		past(2, "a", "send", "allow", ""),                // 1 of 2
		past(3, "a", "send", "deny", ""),                 // → allow, 2 of 2
		past(4, "a", "send", "allow", ""),                // → deny
		past(5, "a", "pay", "allow", `{"amount":10}`),    //
		past(6, "a", "pay", "allow", `{"amount":"10"}`),  // → deny
		past(7, "a", "pay", "allow", `{"amount":60}`),    // → approval
		past(8, "a", "pay", "allow", ""),                 // can't tell
		approved,                                         // unchanged: it asked then, and asks now
		unavailable,                                      // nothing a document decides
		failed,                                           // takes no quota
		past(12, "b", "send", "allow", ""),               // 1 of 2
		past(13, "b", "send", "allow", ""),               // 2 of 2
		past(14, "b", "shut", "allow", `{"amount":"x"}`), // → deny
		past(15, "c", "shut", "deny", ""),                // unchanged: no argument could save it
	}
	r := policytool.Replay(slices.Values(calls), doc)
	if r.Calls != 15 || r.Skipped != 1 || r.CannotTell != 1 || r.AllowToDeny != 4 || r.DenyToAllow != 1 || r.ToApproval != 1 || r.Changed != 6 || r.Grants != 2 || r.Unchanged != 8 {
		t.Errorf("%+v", r)
	}
	if got, want := r.Summary(), "2 grants, 6 calls would change; 1 call can't be told"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	sum := 0
	for _, row := range r.Rows {
		if row.Calls != row.Unchanged+row.CannotTell+row.Changed() {
			t.Errorf("%+v does not add up", row)
		}
		sum += row.Calls
	}
	if sum != r.Calls {
		t.Errorf("the rows have %d calls of %d", sum, r.Calls)
	}
}

func TestAReplayNeverGuessesAboutHistory(t *testing.T) {
	t.Parallel()
	doc := compile(t, `{"version":"1","default":"deny","tools":{"get":{},
		"update":{"limits":[{"counter":"read_first","key":"args.id","after":"get","window":"hour","scope":"grant"}]}}}`)
	r := policytool.Replay(slices.Values([]policytool.Past{
		past(0, "a", "update", "allow", `{"id":"1"}`), // → deny: nothing was read
		past(1, "a", "get", "allow", `{"id":"1"}`),
		past(2, "a", "update", "allow", `{"id":"1"}`),
		past(3, "a", "get", "allow", ""),              // of what?
		past(4, "a", "update", "allow", `{"id":"2"}`), // can't tell
	}), doc)
	if r.AllowToDeny != 1 || r.CannotTell != 1 || r.Unchanged != 3 {
		t.Errorf("%+v", r)
	}
}

func TestKeptArgumentsAreOpened(t *testing.T) {
	t.Parallel()
	open := func(sealed []byte) ([]byte, error) {
		if string(sealed) == "bad" {
			return nil, errors.New("another key")
		}
		return append([]byte("{"), sealed...), nil
	}
	rec := func(sealed string) *enforce.RecordedCall { return &enforce.RecordedCall{Arguments: []byte(sealed)} }
	if got := policytool.PastOf(rec("}"), open).Arguments; string(got) != "{}" {
		t.Errorf("%s", got)
	}
	if got := policytool.PastOf(rec("bad"), open).Arguments; got != nil {
		t.Errorf("%s", got)
	}
	if got := policytool.PastOf(rec("}"), nil).Arguments; got != nil {
		t.Errorf("%s", got)
	}
}
