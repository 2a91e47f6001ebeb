package world

import "testing"

func TestParameterTypes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind, value string
		ok          bool
	}{
		{"int", "12", true}, {"int", "-3", true}, {"int", "1.5", false}, {"int", "", false}, {"minor", "100", true}, {"minor", "1,000", false},
		{"float", "1.5", true}, {"float", "one", false}, {"decimal", "9.99", true}, {"decimal", "£9", false},
		{"bool", "true", true}, {"bool", "0", true}, {"bool", "yes", false},
		{"time", "1795262400", true}, {"time", "2026-11-21T12:00:00+0000", true}, {"time", "2026-11-21T12:00:00Z", true}, {"time", "soon", false},
		{"date", "2026-11-21", true}, {"date", "21.11.2026", false},
		{"url", "https://example.com/a.jpg", true}, {"url", "a.jpg", false},
		{"map", `{"a":1}`, true}, {"map", `[1]`, false}, {"json", `[1]`, true}, {"json", `{`, false},
		{"list<int>", "[1,2]", true}, {"list<int>", "1,2", true}, {"list<int>", `["1"]`, true}, {"list<int>", `["a"]`, false}, {"list<int>", `{"a":1}`, false},
		{"list<string>", `["a","b"]`, true}, {"list<string>", `[`, false},
		{"CommentOrder", "chronological", true}, {"CommentOrder", "best", false}, {"list<CommentOrder>", `["best"]`, false},
		{"string", "", true}, {"id", "", false}, {"id", "12", true},
	} {
		if what := wrong(tc.kind, tc.value); (what == "") != tc.ok {
			t.Errorf("%s %q: %q", tc.kind, tc.value, what)
		}
	}
}

func TestSelections(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{"id,name", "id,name"},
		{" id , owner{ id , name{x} } ", "id,owner{id,name{x}}"},
		{"comments.limit(5){message}", "comments.limit(5){message}"},
		{"insights.metric(a,b){values}", "insights.metric(a,b){values}"},
		{"posts.as(first){id}", "posts.as(first){id}"},
		{"business_discovery.username(x){media{id}}", "business_discovery.username(x){media{id}}"},
		{"a.filter((x)(y))", "a.filter((x)(y))"},
	} {
		got, err := ParseSelection(tc.text)
		if err != nil || Text(got) != tc.want {
			t.Errorf("%q is read as %q", tc.text, Text(got))
		}
	}
	for _, bad := range []string{"a{b", "a}", "a,,b", ",a", "a.limit(5", "a.(5)", "a{}", "a b", "{a}"} {
		if _, err := ParseSelection(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// FuzzSelections looks for panics, and for a selection that isn't read the same again.
func FuzzSelections(f *testing.F) {
	for _, seed := range []string{"id,name{a,b}", "c.limit(5).as(x){y}", "a.(", "a{{", "a.b(())"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ParseSelection(in)
		if err != nil || len(got) == 0 {
			return
		}
		again, err := ParseSelection(Text(got))
		if err != nil || len(again) != len(got) {
			t.Errorf("%q is written as %q, which is read otherwise", in, Text(got))
		}
	})
}
