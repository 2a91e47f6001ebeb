package policy_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/policy"
)

// book is the smallest counter store there is: no windows, no scopes.
type book struct {
	used  map[string]int64
	marks map[string]bool
}

func (b *book) name(l *policy.Limit, key [16]byte) string {
	return l.Section + "\n" + l.Counter + "\n" + string(key[:])
}

// call decides, counts, and leaves marks as if the call succeeded.
func (b *book) call(t *testing.T, p *policy.Policy, tool, arguments string) bool {
	t.Helper()
	c := policy.Call{Tool: tool, Arguments: []byte(arguments)}
	d := p.Decide(c)
	got, _, ok := p.Charges(nil, &d, c)
	if !ok {
		return false
	}
	for _, ch := range got {
		n := b.name(ch.Limit, ch.Key)
		if ch.Limit.After != "" && !b.marks[n] || ch.Limit.After == "" && b.used[n]+ch.Amount > ch.Limit.Max {
			return false
		}
	}
	for _, ch := range got {
		b.used[b.name(ch.Limit, ch.Key)] += ch.Amount
	}
	for _, m := range p.Marks(nil, c) {
		b.marks[b.name(m.Limit, m.Key)] = true
	}
	return true
}

// The five examples of conditions on what a grant did before. Each line is a call in
// order: allowed unless it begins with "no".
func TestHistoryExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, tools string
		calls       []string
	}{
		{
			"at most 3 messages to the same recipient a day",
			`"send":{"limits":[{"counter":"to_one_person","window":"day","max":3,"key":"args.recipient_id"}]}`,
			[]string{
				`send {"recipient_id":"17"}`, `send {"recipient_id":"17"}`, `send {"recipient_id":"18"}`, `send {"recipient_id":"\u00317"}`,
				`no send {"recipient_id":"17"}`, `no send {"recipient_id":17}`, `no send {"recipient_id":17.0}`, `no send {"recipient_id":1.7e1}`,
				`no send {}`, `no send {"recipient_id":null}`, `no send {"recipient_id":["18"]}`, `no send {"recipient_id":{"id":"18"}}`,
				`no send {"Recipient_id":"19"}`, `no send {"recipient_id":"19","RECIPIENT_ID":"17"}`, `send {"recipient_id":"18"}`, `send {"recipient_id":true}`,
			},
		},
		{
			"the sum of the daily budgets set today, per campaign",
			`"update":{"limits":[{"counter":"budget_set","window":"day","max":100,"increment_from":"args.daily_budget","key":"args.campaign_id"}]}`,
			[]string{
				`update {"campaign_id":"a","daily_budget":60}`, `no update {"campaign_id":"a","daily_budget":40.000001}`, `update {"campaign_id":"a","daily_budget":40}`,
				`no update {"campaign_id":"a","daily_budget":0.000001}`, `update {"campaign_id":"b","daily_budget":100}`, `no update {"campaign_id":"c"}`,
				`no update {"campaign_id":"c","daily_budget":"5"}`, `no update {"campaign_id":"c","daily_budget":-5}`,
			},
		},
		{
			"an update needs a read of the same campaign within 30 minutes",
			`"read":{},"update":{"limits":[{"counter":"read_first","window_seconds":1800,"after":"read","key":"args.campaign_id"}]}`,
			[]string{
				`no update {"campaign_id":"a"}`, `read {"campaign_id":"a"}`, `update {"campaign_id":"a"}`, `update {"campaign_id":"a"}`, `no update {"campaign_id":"b"}`,
				`read {}`, `no update {}`, `read {"campaign_id":5}`, `no update {"campaign_id":"5"}`, `update {"campaign_id":5.0}`,
			},
		},
		{
			"a deletion needs an export of what is called otherwise there",
			`"export":{},"delete":{"limits":[{"counter":"exported","key":"args.dataset_id","after":{"tool":"export","key":"args.source.id","within_seconds":86400}}]}`,
			[]string{
				`export {"source":{"id":"d1"}}`, `delete {"dataset_id":"d1"}`, `no delete {"dataset_id":"d2"}`, `export {"dataset_id":"d2"}`, `no delete {"dataset_id":"d2"}`,
			},
		},
		{
			"events per dataset a day, and one preview before any upload",
			`"preview":{},"upload":{"limits":[{"counter":"events","window":"day","max":5,"increment_from":"args.events.$length","key":"args.dataset_id"},
				{"counter":"previewed","window":"hour","after":"preview"}]}`,
			[]string{
				`no upload {"dataset_id":"d","events":[1]}`, `preview {}`, `upload {"dataset_id":"d","events":[1,2,3]}`, `no upload {"dataset_id":"d","events":[1,2,3]}`,
				`upload {"dataset_id":"d","events":[1,2]}`, `upload {"dataset_id":"e","events":[1,2,3,4,5]}`, `no upload {"dataset_id":"f"}`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, `{"version":"1","default":"deny","tools":{`+c.tools+`}}`)
			if d.Portable() {
				t.Error("a condition on history passes for version 1")
			}
			p := d.Compile()
			b := &book{map[string]int64{}, map[string]bool{}}
			for i, line := range c.calls {
				call, refused := strings.CutPrefix(line, "no ")
				tool, arguments, _ := strings.Cut(call, " ")
				if b.call(t, p, tool, arguments) == refused {
					t.Errorf("call %d, %s: allowed is %v", i, call, refused)
				}
			}
		})
	}
}

// Two conditions on one tool never take each other's marks.
func TestMarksOfTwoKeysAreApart(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","tools":{"read":{},"update":{"limits":[
		{"counter":"x","window":"hour","after":"read","key":"args.campaign"},{"counter":"y","window":"hour","after":"read","key":"args.account"}]}}}`)
	marks := p.Marks(nil, policy.Call{Tool: "read", Arguments: []byte(`{"campaign":"1","account":"2"}`)})
	got, _, _ := charges(t, p, "update", `{"campaign":"2","account":"1"}`)
	if len(marks) != 2 || len(got) != 2 {
		t.Fatalf("%v, %v", marks, got)
	}
	for _, m := range marks {
		if slices.ContainsFunc(got, func(c policy.Charge) bool { return c.Key == m.Key }) {
			t.Error("a mark of one key is that of the other")
		}
	}
	for _, arguments := range []string{``, `{}`, `{"campaign":null,"account":[]}`, `{"Campaign":"1"}`} {
		if m := p.Marks(nil, policy.Call{Tool: "read", Arguments: []byte(arguments)}); len(m) != 0 {
			t.Errorf("a call without the keys leaves %v", m)
		}
	}
	if m := p.Marks(nil, policy.Call{Tool: "other"}); len(m) != 0 {
		t.Errorf("%v", m)
	}
}

// A tool that is not listed leaves marks too, where the default allows it.
func TestMarksOfUnlistedTool(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"allow","tools":{"update":{"limits":[{"counter":"x","window":"hour","after":"read"}]}}}`)
	b := &book{map[string]int64{}, map[string]bool{}}
	if b.call(t, p, "update", `{}`) || !b.call(t, p, "read", `{}`) || !b.call(t, p, "update", `{}`) {
		t.Error("the mark of an unlisted tool is lost")
	}
}

// Keys are told apart by value, whatever the spelling.
func TestKeys(t *testing.T) {
	t.Parallel()
	p := compile(t, `{"version":"1","default":"deny","tools":{"t":{"limits":[{"counter":"c","window":"day","max":3,"key":"args.k"}]}}}`)
	key := func(value string) [16]byte {
		t.Helper()
		got, d, ok := charges(t, p, "t", `{"k":`+value+`}`)
		if !ok {
			t.Fatalf("%s: %+v", value, d)
		}
		return got[0].Key
	}
	for _, same := range [][]string{
		{`1`, `1.0`, `1e0`, `10e-1`, `0.1E1`, `"1"`, `"1.0"`},
		{`0`, `-0`, `0.0`, `0e5`},
		{`"é"`, `"\u00e9"`},
		{`"😀"`, `"\ud83d\ude00"`},
		{`12345678901234567890123`, `12345678901234567890123.0`, `1.2345678901234567890123e22`, `12345678901234567890124`},
		{`123`, `123.00000000000000000001`, `122.99999999999999999999`, `"123.00000000000000000002"`, `"1229999999999999999999999e-22"`},
		{`0`, `1e-400`, `"1e-500"`},
	} {
		for _, v := range same {
			if key(v) != key(same[0]) {
				t.Errorf("%s and %s have different keys", v, same[0])
			}
		}
	}
	apart := []string{`1`, `-1`, `10`, `0.1`, `true`, `"true"`, `false`, `"a"`, `"A"`, `""`, `" 1"`, `"12345678901234567890123"`, `"12345678901234567890124"`, `"1e400"`, `"n1e1"`, `"01"`}
	seen := map[[16]byte]string{}
	for _, v := range apart {
		if other, ok := seen[key(v)]; ok {
			t.Errorf("%s and %s share a key", v, other)
		}
		seen[key(v)] = v
	}
	for _, v := range []string{`null`, `[]`, `{}`, `[1]`, `1e99999999999999999999`, `1e400`, `"\ud800"`, `"\udc00\udc00"`} {
		if _, _, ok := charges(t, p, "t", `{"k":`+v+`}`); ok {
			t.Errorf("%s has a key", v)
		}
	}
}
