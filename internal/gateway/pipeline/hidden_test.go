package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

const callOf = `"arguments":{"x":1},"name":`

// TestHiddenAndUnknownNamesAreToldAlike compares the answers, byte for byte but for the
// request id that each call has.
func TestHiddenAndUnknownNamesAreToldAlike(t *testing.T) {
	t.Parallel()
	const (
		denyHidesB   = `{"version":"1","default":"deny","hide":["b"],"tools":{"a":{}}}`
		denyRulesB   = `{"version":"1","default":"deny","tools":{"a":{},"b":{"deny_if":[{"conditions":[],"on_deny":"b is special"}]}}}`
		denyHidRuled = `{"version":"1","default":"deny","hide":["b"],"tools":{"a":{},"b":{"deny_if":[{"conditions":[]}]}}}`
		allowLimits  = `{"version":"1","default":"allow","hide":["b"],"tools":{"b":{"limits":[{"counter":"n","window":"day","max":0,"scope":"grant"}]}}}`
	)
	for _, tc := range []struct {
		name     string
		policies []string
		want     string
		record   string // of the hidden name
	}{
		{"default allow", []string{hideB}, `"code":-32602`, "deny hidden b"},
		{"default deny", []string{denyHidesB}, `"code":"default_deny"`, "deny hidden b"},
		{"hidden and ruled under default deny", []string{denyHidRuled}, `"code":"default_deny"`, "deny hidden b"},
		{"hidden and ruled under default allow", []string{allowLimits}, `"code":-32602`, "deny hidden b"},
		{"everything hidden", []string{`{"version":"1","default":"allow","hide":["*"],"tools":{}}`}, `"code":-32602`, "deny hidden b"},
		{"everything hidden under default deny", []string{hideAll}, `"code":"default_deny"`, "deny hidden b"},
		{"hidden by one, ruled by another that comes before", []string{denyRulesB, hideB}, `"code":"default_deny"`, "deny hidden b"},
		{"hidden by one, ruled by another that comes after", []string{hideB, denyRulesB}, `"code":"default_deny"`, "deny hidden b"},
	} {
		for _, era := range []mcpwire.Era{mcpwire.Modern, mcpwire.Legacy} {
			t.Run(tc.name+" "+era.String(), func(t *testing.T) {
				t.Parallel()
				l := newLab(t, tc.policies...)
				l.up.list = listing(abc)
				l.up.list = listing(`{"tools":[{"name":"a"},{"name":"b"}]}`)
				session := l.open(`{}`)
				call := func(name string) string {
					answer := ""
					if era == mcpwire.Modern {
						answer = l.say("5", "tools/call", callOf+`"`+name+`"`)
					} else {
						answer = l.with(session, legacy(t, "5", "tools/call", callOf+`"`+name+`"`))
					}
					return withoutRequestID(answer)
				}
				hidden, unknown := call("b"), call("x")
				if hidden != unknown {
					t.Errorf("the two can be told apart:\n%s\n%s", hidden, unknown)
				}
				if !strings.Contains(hidden, tc.want) {
					t.Errorf("answered %s", hidden)
				}
				if strings.Contains(hidden, "hidden") {
					t.Errorf("the answer says it: %s", hidden)
				}
				if n := l.up.methods()["tools/call"]; n > 0 {
					t.Errorf("%d calls were forwarded", n)
				}
				if got := l.store.decided(); !slices.Contains(got, tc.record) {
					t.Errorf("recorded %q", got)
				}
				if tc.name != "everything hidden" && tc.name != "everything hidden under default deny" {
					if a := call("a"); !strings.Contains(a, `"content":[]`) {
						t.Errorf("the visible tool: %s", a)
					}
				}
			})
		}
	}
}

func withoutRequestID(answer string) string {
	before, after, ok := strings.Cut(answer, `"request_id":"`)
	if !ok {
		return answer
	}
	_, after, _ = strings.Cut(after, `"`)
	return before + after
}

// TestListIsAskedForOnceWhereNoneWasSeen: the gateway needs it to tell unknown names.
func TestListIsAskedForOnceWhereNoneWasSeen(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	l.up.list = func(c *exchange.Call) string {
		if at, _ := c.Message.Text(c.Message.Cursor); at == "2" {
			return `{"tools":[{"name":"z"}]}`
		}
		return `{"tools":[{"name":"a"},{"name":"b"}],"nextCursor":"2"}`
	}
	var calls sync.WaitGroup
	for i := range 20 {
		calls.Go(func() {
			if got := l.say("1", "tools/call", callOf+`"`+[]string{"a", "z", "b", "x"}[i%4]+`"`); strings.Contains(got, "-32602") != (i%4 > 1) {
				t.Errorf("call %d: %s", i, got)
			}
		})
	}
	calls.Wait()
	if n := l.up.methods(); n["tools/list"] != 2 || n["tools/call"] != 10 {
		t.Errorf("the upstream heard %v", n)
	}
	for _, raw := range l.up.log() {
		if strings.Contains(raw, "tools/list") && (!strings.Contains(raw, "2026-07-28") || strings.Contains(raw, `"id":1,`)) {
			t.Errorf("asked with %s", raw)
		}
	}
}

func TestWithoutAListNothingIsCalled(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	l.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		if c.Message.Method == mcpwire.MethodToolsList {
			return true, errors.New("down")
		}
		return false, nil
	}
	for _, name := range []string{"a", "b", "x"} {
		if got := l.say("1", "tools/call", callOf+`"`+name+`"`); !strings.Contains(got, `"code":-32603`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := l.store.decided(); !slices.Equal(got, []string{"deny list_unavailable a", "deny hidden b", "deny list_unavailable x"}) {
		t.Errorf("recorded %q", got)
	}
	if n := l.up.methods(); n["tools/call"] > 0 || n["tools/list"] != 1 {
		t.Errorf("the upstream heard %v", n)
	}
}

// TestNewToolIsFound: a tool that came after the list was read, with and without a word
// of the upstream.
func TestNewToolIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, hideB)
		list := `{"tools":[{"name":"a"}]}`
		l.up.list = func(*exchange.Call) string { return list }
		tell := make(chan string)
		l.up.listen = func(ctx context.Context, _ string, out exchange.Sink) error {
			for {
				select {
				case text := <-tell:
					if err := out.Send(exchange.Event{Data: []byte(text)}); err != nil {
						return err
					}
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		session := l.open(`{}`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ear := newTape()
		go func() { _ = session.Listen(ctx, stream(), "", ear) }()
		call := func(name string) bool {
			return !strings.Contains(l.with(session, legacy(t, "1", "tools/call", callOf+`"`+name+`"`)), "-32602")
		}
		if !call("a") || call("n1") {
			t.Fatal("the list is not what decides")
		}
		list = `{"tools":[{"name":"a"},{"name":"n1"}]}`
		if call("n1") {
			t.Error("the upstream was asked again at once, for a name that anybody may make up")
		}
		time.Sleep(11 * time.Second)
		if !call("n1") {
			t.Error("a new tool is not found after a while")
		}
		list = `{"tools":[{"name":"a"},{"name":"n2"}]}`
		tell <- `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
		ear.next(t)
		if !call("n2") {
			t.Error("a new tool is not found though the upstream told of it")
		}
	})
}

// TestMemberThatIsSilentKeepsItsTools: an aggregate leaves it out of a list, and takes
// calls for it all the same.
func TestMemberThatIsSilentKeepsItsTools(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	l.up.list = listing(`{"tools":[{"name":"one_a"},{"name":"two_a"}]}`)
	l.say("1", "tools/list", "")
	l.up.list = listing(`{"tools":[{"name":"one_a"},{"name":"one_new"}],"_meta":{"sluice/unavailable":["two"]}}`)
	l.say("2", "tools/list", "")
	for name, known := range map[string]bool{"one_a": true, "one_new": true, "two_a": true, "two_x": false} {
		if got := l.say("3", "tools/call", callOf+`"`+name+`"`); strings.Contains(got, "-32602") == known {
			t.Errorf("%s: %s", name, got)
		}
	}
	l.up.list = listing(`{"tools":[{"name":"one_a"}]}`)
	l.say("4", "tools/list", "")
	if got := l.say("5", "tools/call", callOf+`"two_a"`); !strings.Contains(got, "-32602") {
		t.Errorf("a tool that is gone: %s", got)
	}
}
