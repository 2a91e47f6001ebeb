package pipeline_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
)

const (
	hideB    = `{"version":"1","default":"allow","hide":["b"],"tools":{}}`
	hideAll  = `{"version":"1","default":"deny","hide":["*"],"tools":{}}`
	allowAll = `{"version":"1","default":"allow","tools":{}}`
	onlyA    = `{"version":"1","default":"deny","tools":{"a":{},"c":{"deny_if":[{"conditions":[]}]}}}`
)

// abc is a list of the tools a, b and c, written as no encoder would.
const abc = `{"_meta":{"x":1.50}, "tools":[ {"name":"a","n":1.0}, {"x":{"name":"a"},"name":"b"},{"name":"c"} ],"nextCursor":"more","ttlMs":5,"cacheScope":"public"}`

func listing(text string) func(*exchange.Call) string {
	return func(*exchange.Call) string { return text }
}

// names of the tools in an answer.
func names(t *testing.T, answer string) []string {
	t.Helper()
	var m struct {
		Result *struct{ Tools []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(answer), &m); err != nil || m.Result == nil || m.Result.Tools == nil {
		t.Fatalf("not a list: %s (%v)", answer, err)
	}
	got := []string{}
	for _, tool := range m.Result.Tools {
		got = append(got, tool.Name)
	}
	return got
}

func TestListShowsWhatTheSubjectMaySee(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		policies []string
		list     string
		observe  bool
		want     string
	}{
		{name: "nothing hidden", policies: []string{allowAll}, want: "a b c"},
		{name: "one hidden", policies: []string{hideB}, want: "a c"},
		{name: "all hidden", policies: []string{hideAll}, want: ""},
		{name: "denied and unlisted ones are visible", policies: []string{onlyA}, want: "a b c"},
		{name: "only what can be called", policies: []string{onlyA}, list: "callable", want: "a"},
		{name: "hidden by the server's policy", policies: []string{hideB, allowAll}, want: "a c"},
		{name: "hidden by the grant's policy", policies: []string{allowAll, hideB}, want: "a c"},
		{name: "a policy that watches hides nothing", policies: []string{hideB}, observe: true, want: "a b c"},
		{name: "no policy", want: ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tc.policies...)
			l.up.list = listing(abc)
			s := subject(t, "ann", tc.policies...)
			s.Settings.List = tc.list
			if tc.observe {
				s.Policies[0].Mode = registry.Observe
			}
			l.dir.put("ann", s)
			for _, answer := range []string{
				l.say("7", "tools/list", ""),
				l.with(l.open(`{}`), legacy(t, "7", "tools/list", "")),
			} {
				if got := strings.Join(names(t, answer), " "); got != tc.want {
					t.Errorf("it shows %q, want %q", got, tc.want)
				}
				for _, kept := range []string{`"_meta":{"x":1.50}`, `"nextCursor":"more"`, `"ttlMs":5`, `"id":7`} {
					if !strings.Contains(answer, kept) {
						t.Errorf("%s is lost: %s", kept, answer)
					}
				}
			}
		})
	}
}

// TestMemberWithoutPolicyShowsWhatItsAggregateMaySee: the aggregate's pipeline filters.
func TestMemberWithoutPolicyShowsWhatItsAggregateMaySee(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.up.list = listing(abc)
	s := subject(t, "ann")
	s.Through = true
	l.dir.put("ann", s)
	if got := strings.Join(names(t, l.say("1", "tools/list", "")), " "); got != "a b c" {
		t.Errorf("it shows %q", got)
	}
}

func TestStoredPolicyThatCantBeReadShowsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t, allowAll)
	l.up.list = listing(abc)
	s := subject(t, "ann", allowAll)
	s.Policies[0].Policy = nil
	l.dir.put("ann", s)
	if got := names(t, l.say("1", "tools/list", "")); len(got) > 0 {
		t.Errorf("it shows %v", got)
	}
}

// TestCutLeavesTheRestAsItWas has every choice of three elements.
func TestCutLeavesTheRestAsItWas(t *testing.T) {
	t.Parallel()
	elements := []string{`{"name":"a", "x":[1,2]}`, `{"name":"b"}`, `{"y":"}]","name":"c"}`}
	for hidden := range 8 {
		var hide, want []string
		for i, name := range []string{"a", "b", "c"} {
			if hidden>>i&1 == 1 {
				hide = append(hide, `"`+name+`"`)
			} else {
				want = append(want, elements[i])
			}
		}
		l := newLab(t, `{"version":"1","default":"allow","hide":[`+strings.Join(hide, ",")+`],"tools":{}}`)
		l.up.list = listing(`{"tools": [` + strings.Join(elements, " , ") + `], "z":1}`)
		got := l.say("1", "tools/list", "")
		var m struct {
			Result struct{ Tools []json.RawMessage }
		}
		if err := json.Unmarshal([]byte(got), &m); err != nil {
			t.Fatalf("hiding %v: %v: %s", hide, err, got)
		}
		var have []string
		for _, raw := range m.Result.Tools {
			have = append(have, string(raw))
		}
		if !slices.Equal(have, want) || !strings.Contains(got, `"z":1`) {
			t.Errorf("hiding %v leaves %s", hide, got)
		}
	}
}

func TestListThatCantBeReadIsWithheld(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, list string }{
		{"no tools", `{"items":[]}`},
		{"tools twice", `{"tools":[],"tools":[{"name":"b"}]}`},
		{"tools in another case too", `{"tools":[],"Tools":[{"name":"b"}]}`},
		{"another case only", `{"TOOLS":[{"name":"b"}]}`},
		{"tools is no array", `{"tools":{"b":{"name":"b"}}}`},
		{"a name twice", `{"tools":[{"name":"a","name":"b"}]}`},
		{"a name in another case", `{"tools":[{"Name":"b","name":"a"}]}`},
		{"a name with a long s folded", `{"toolſ":[{"name":"b"}],"tools":[]}`},
		{"no name", `{"tools":[{"title":"b"}]}`},
		{"a tool that is no object", `{"tools":["b"]}`},
		{"a name that is no text", `{"tools":[{"name":["b"]}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, hideB)
			l.up.list = listing(tc.list)
			got := l.say("3", "tools/list", "")
			if !strings.Contains(got, `"code":-32603`) || strings.Contains(got, `"b"`) {
				t.Errorf("answered %s", got)
			}
			open := newLab(t, allowAll)
			open.up.list = listing(tc.list)
			if got := open.say("3", "tools/list", ""); !strings.Contains(got, tc.list) {
				t.Errorf("where nothing is hidden: %s", got)
			}
		})
	}
}

func TestHiddenNameWrittenWithEscapesIsHidden(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	l.up.list = listing(`{"tools":[{"name":"\u0062"},{"n\u0061me":"b"},{"name":"a"}]}`)
	if got := names(t, l.say("1", "tools/list", "")); !slices.Equal(got, []string{"a"}) {
		t.Errorf("it shows %v", got)
	}
}

func TestListOfOneGrantIsNotCachedForOthers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, grant, policy, want string
	}{
		{"hidden for a grant", "ann", hideB, `"cacheScope":"private"`},
		{"whole for a grant, while another may see less", "ann", allowAll, `"cacheScope":"private"`},
		{"hidden for everybody", "local", hideB, `"cacheScope":"private"`},
		{"whole for everybody", "local", allowAll, `"cacheScope":"public"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tc.policy)
			l.dir.put("ann", subject(t, tc.grant, tc.policy))
			l.up.list = listing(abc)
			if got := l.say("1", "tools/list", ""); !strings.Contains(got, tc.want) {
				t.Errorf("answered %s", got)
			}
		})
	}
}

func TestAggregatesListOfWhatItDroppedIsFiltered(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	l.up.list = listing(`{"tools":[{"name":"a"}],"_meta":{"sluice/dropped":["b","x"]}}`)
	if got := l.say("1", "tools/list", ""); !strings.Contains(got, `"sluice/dropped":["x"]`) {
		t.Errorf("answered %s", got)
	}
}

// TestRestOfALostListIsFiltered: a legacy client that comes back by event id gets what is
// left of its call on another stream.
func TestRestOfALostListIsFiltered(t *testing.T) {
	t.Parallel()
	l := newLab(t, hideB)
	key := "result"
	l.up.listen = func(_ context.Context, last string, out exchange.Sink) error {
		if last != "event-1" {
			t.Errorf("resumed from %q", last)
		}
		return out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","id":1,"` + key + `":` + abc + `}`), ID: "event-2", HasID: true})
	}
	out, session := newTape(), l.open(`{}`)
	if err := session.Listen(t.Context(), stream(), "event-1", out); err != nil {
		t.Fatal(err)
	}
	if got := names(t, out.last(t)); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("it shows %v", got)
	}
	key, out = `r\u0065sult`, newTape()
	if err := session.Listen(t.Context(), stream(), "event-1", out); err == nil || len(out.events) > 0 {
		t.Errorf("written with an escape: %v, %v", err, out.events)
	}
}

// stream is how a face asks for a session's stream.
func stream() *exchange.Call {
	return &exchange.Call{Message: &mcpwire.Message{}, Caller: exchange.Caller{ID: "ann"}, Server: labServer, Era: mcpwire.Legacy}
}

// TestRecordNamesTheDefinitionThatWasListed: the digest follows the definition, however
// that is written.
func TestRecordNamesTheDefinitionThatWasListed(t *testing.T) {
	t.Parallel()
	l := newLab(t, allowAll)
	hash := func(list string) string {
		l.up.list = listing(list)
		l.say("1", "tools/list", "")
		l.say("2", "tools/call", `"name":"a","arguments":{}`)
		l.store.mu.Lock()
		defer l.store.mu.Unlock()
		return l.store.records[len(l.store.records)-1].ToolHash
	}
	l.say("0", "tools/call", `"name":"a","arguments":{}`)
	if got := l.store.records[0].ToolHash; got != "" {
		t.Errorf("before any list: %q", got)
	}
	first := hash(`{"tools":[{"name":"a","inputSchema":{"type":"object"}}]}`)
	if len(first) != 64 {
		t.Errorf("digest %q", first)
	}
	if again := hash(`{"tools":[ {"inputSchema":{ "type":"object" },"name":"\u0061"} ]}`); again != first {
		t.Error("the same definition, written otherwise, has another digest")
	}
	if other := hash(`{"tools":[{"name":"a","inputSchema":{"type":"object"},"description":"now with a twist"}]}`); other == first {
		t.Error("another definition has the same digest")
	}
}

func TestPagesBelongTogether(t *testing.T) {
	t.Parallel()
	l := newLab(t, allowAll)
	l.up.list = func(c *exchange.Call) string {
		if at, _ := c.Message.Text(c.Message.Cursor); at == "2" {
			return `{"tools":[{"name":"z"}]}`
		}
		return `{"tools":[{"name":"a"}],"nextCursor":"2"}`
	}
	l.say("1", "tools/list", "")
	l.say("2", "tools/list", `"cursor":"2"`)
	for _, tool := range []string{"a", "z"} {
		l.say("3", "tools/call", `"name":"`+tool+`","arguments":{}`)
		if got := l.store.records[len(l.store.records)-1].ToolHash; got == "" {
			t.Errorf("%s has no digest", tool)
		}
	}
}

// BenchmarkList has a list of 200 tools and some 130 kB pass.
func BenchmarkList(b *testing.B) {
	var list strings.Builder
	list.WriteString(`{"tools":[`)
	for i := range 200 {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(`{"name":"tool_` + strconv.Itoa(i) + `","description":"` + strings.Repeat("word ", 80) +
			`","inputSchema":{"type":"object","properties":{"id":{"type":"string"},"limit":{"type":"integer","minimum":1}},"required":["id"]}}`)
	}
	list.WriteString(`],"nextCursor":null}`)
	for _, bc := range []struct{ name, policy string }{
		{"nothing hidden", allowAll}, {"two hidden", `{"version":"1","default":"allow","hide":["tool_3","tool_77"],"tools":{}}`},
	} {
		b.Run(bc.name, func(b *testing.B) {
			l := newLab(b, bc.policy)
			l.up.list = listing(list.String())
			c := modern(b, "1", "tools/list", "", `{}`)
			l.up.quiet = true
			b.SetBytes(int64(list.Len()))
			for b.Loop() {
				if err := l.front.Call(b.Context(), c, discard{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Send(exchange.Event) error { return nil }
