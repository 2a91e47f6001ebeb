package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire/exchange"
)

// aggregate is one server of fakes with the prefixes a_, b_ …
func aggregate(t *testing.T, members ...*fake) exchange.Upstream {
	t.Helper()
	var list []gateway.Member
	for i, f := range members {
		name := string(rune('a' + i))
		list = append(list, gateway.Member{Name: name, Prefix: name + "_", Upstream: f})
	}
	up, err := gateway.Aggregate(list, gateway.AggregateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close(context.Background()) })
	return up
}

// ask makes one modern call and returns the answer.
func ask(t *testing.T, up exchange.Upstream, method, params string) string {
	t.Helper()
	out := &inbox{}
	if err := up.Call(t.Context(), modern(t, method, params), out); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return out.final(t)
}

func TestPrefixesThatOverlapAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		ok   bool
	}{
		{"crm_", "ads_", true},
		{"crm_", "crm_eu_", false},
		{"crm", "crm_", false},
		{"crm_", "crm_", false},
		{"crm_", "", false},
		{"crm_", "a b", false},
		{"crm.", "crm-", true},
	} {
		_, err := gateway.Aggregate([]gateway.Member{{Name: "x", Prefix: tt.a, Upstream: &fake{}}, {Name: "y", Prefix: tt.b, Upstream: &fake{}}}, gateway.AggregateOptions{})
		if (err == nil) != tt.ok {
			t.Errorf("%q and %q: %v", tt.a, tt.b, err)
		}
	}
}

func TestListsAreMergedInTheOrderOfTheMembers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 127)
	up := aggregate(t,
		&fake{answer: says(`{"resultType":"complete","ttlMs":5000,"cacheScope":"public","tools":[{"name":"add", "inputSchema":{"type":"object","x":9007199254740993}},{"name":"add"},{"name":"` + long + `"}],"vendor":1}`)},
		&fake{answer: says(`{"resultType":"complete","ttlMs":700,"cacheScope":"private","tools":[{"inputSchema":{},"name":"sub\u0031"}],"_meta":{"v":true}}`)},
		&fake{answer: fails("-32601")}, // has no tools: nothing is missing
	)
	want := `{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","ttlMs":700,"cacheScope":"private","vendor":1,` +
		`"tools":[{"name":"a_add", "inputSchema":{"type":"object","x":9007199254740993}},{"inputSchema":{},"name":"b_sub1"}],` +
		`"_meta":{"v":true,"io.modelcontextprotocol/serverInfo":{"name":"sluice","version":"0"},"sluice/dropped":["a_add","a_` + long + `"]}}}`
	if diff := cmp.Diff(want, ask(t, up, "tools/list", "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADeadMemberHidesNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := aggregate(t, &fake{answer: down}, &fake{answer: says(`{"tools":[{"name":"x"}],"ttlMs":9,"cacheScope":"public"}`)}, &fake{answer: hangs})
		got := decode(t, ask(t, up, "tools/list", ""))
		if string(got.Result["tools"]) != `[{"name":"b_x"}]` || !strings.Contains(string(got.Result["_meta"]), `"sluice/unavailable":["a","c"]`) {
			t.Errorf("%s", got.Result)
		}
		if string(got.Result["ttlMs"]) != "0" || string(got.Result["cacheScope"]) != `"private"` {
			t.Errorf("a list that is not whole may be kept: %s", got.Result)
		}
	})
}

func TestWhenAllAreDeadTheReasonIsSaid(t *testing.T) {
	t.Parallel()
	up := aggregate(t, &fake{answer: down}, &fake{answer: fails("-32601")})
	if err := up.Call(t.Context(), modern(t, "tools/list", ""), &inbox{}); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
	up = aggregate(t, &fake{answer: fails("-32601")}, &fake{answer: fails("-32601")})
	if got := decode(t, ask(t, up, "prompts/list", "")); got.Error == nil || got.Error.Code != -32601 {
		t.Errorf("%+v", got)
	}
}

// paged gives two elements a page; its cursors are numbers, the first of them empty.
func paged(key string, pages int) *fake {
	return &fake{answer: func(_ context.Context, c *exchange.Call, _ exchange.Sink) (string, error) {
		page := 0
		if text, ok := c.Message.Text(c.Message.Cursor); ok {
			page = len(text) + 1
		}
		next := ""
		if page+1 < pages {
			next = `,"nextCursor":"` + strings.Repeat("x", page) + `"`
		}
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":$ID,"result":{"%s":[{"name":"n%d"}]%s}}`, key, page, next), nil
	}}
}

func TestPagesHaveCompositeCursors(t *testing.T) {
	t.Parallel()
	a, b := paged("prompts", 3), paged("prompts", 1)
	up := aggregate(t, a, b)
	var pages []string
	params := ""
	for range 5 {
		got := decode(t, ask(t, up, "prompts/list", params))
		pages = append(pages, string(got.Result["prompts"]))
		next, more := got.Result["nextCursor"]
		if !more {
			break
		}
		params = `"cursor":` + string(next)
	}
	if diff := cmp.Diff([]string{`[{"name":"a_n0"},{"name":"b_n0"}]`, `[{"name":"a_n1"}]`, `[{"name":"a_n2"}]`}, pages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(b.log()) != 1 {
		t.Errorf("a member without more was asked %d times", len(b.log()))
	}
	for _, cursor := range []string{`"made-up"`, params[len(`"cursor":`):]} {
		method := "tools/list" // a cursor of another list
		if got := decode(t, ask(t, up, method, `"cursor":`+cursor)); got.Error == nil || got.Error.Code != -32602 {
			t.Errorf("cursor %s: %+v", cursor, got)
		}
	}
}

func TestCallsGoToTheMemberWhoseNameTheyCarry(t *testing.T) {
	t.Parallel()
	a, b := &fake{answer: says(`{"from":"a"}`)}, &fake{answer: says(`{"from":"b"}`)}
	up := aggregate(t, a, b)
	for _, tt := range []struct{ method, params, want string }{
		{"tools/call", `"name":"b_a_x","arguments":{"n":1e400,"s":"b_"},"vendor":[1,2]`, `"name":"a_x","arguments":{"n":1e400,"s":"b_"},"vendor":[1,2]`},
		{"prompts/get", `"name":"b_p"`, `"name":"p"`},
		{"tools/call", `"requestState":"b_ x\u0041","name":"b_ask","inputResponses":{"k":{"action":"accept"}}`, `"requestState":"b_ x\u0041","name":"ask","inputResponses":{"k":{"action":"accept"}}`},
		{"completion/complete", `"argument":{"name":"b_","value":""},"ref":{"type":"ref/prompt","name":"b_p"}`, `"argument":{"name":"b_","value":""},"ref":{"type":"ref/prompt","name":"p"}`},
		{"tasks/get", `"taskId":"b_7"`, `"taskId":"7"`},
	} {
		if got := ask(t, up, tt.method, tt.params); got != `{"jsonrpc":"2.0","id":7,"result":{"from":"b"}}` {
			t.Errorf("%s: answered %s", tt.method, got)
		}
		log := b.log()
		if diff := cmp.Diff(string(modern(t, tt.method, tt.want).Message.Raw), log[len(log)-1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.method, diff)
		}
	}
	for _, params := range []string{`"name":"c_x"`, `"name":"a_"`, `"name":5`, ``} {
		if got := decode(t, ask(t, up, "tools/call", params)); got.Error == nil || got.Error.Code != -32602 {
			t.Errorf("%s: %+v", params, got)
		}
	}
	if len(a.log()) != 0 {
		t.Errorf("another member heard %q", a.log())
	}
}

func TestTheSinkOfAPlainCallIsNotWrapped(t *testing.T) {
	t.Parallel()
	var got exchange.Sink
	up := aggregate(t, &fake{answer: func(_ context.Context, _ *exchange.Call, out exchange.Sink) (string, error) {
		got = out
		return "", nil
	}})
	out := &relayer{}
	if err := up.Call(t.Context(), modern(t, "tools/call", `"name":"a_x"`), out); err != nil || got != exchange.Sink(out) {
		t.Errorf("%v; the sink was wrapped", err)
	}
}

func TestTaskIdsCarryThePrefix(t *testing.T) {
	t.Parallel()
	task := `{"resultType":"task","taskId":"t1","status":"working"}`
	up := aggregate(t, &fake{}, &fake{answer: says(task)})
	call := message(t, 2, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"b_job","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
		`"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}}}`)
	out := &inbox{}
	if err := up.Call(t.Context(), call, out); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(task, "t1", "b_t1", 1)
	if got := out.final(t); got != `{"jsonrpc":"2.0","id":7,"result":`+want+`}` {
		t.Errorf("made: %s", got)
	}
	if got := ask(t, up, "tasks/get", `"taskId":"b_t1"`); !strings.Contains(got, want) {
		t.Errorf("asked for: %s", got)
	}
}

func TestResourcesAreFoundWhereTheyAreListedOrByAsking(t *testing.T) {
	t.Parallel()
	holds := func(list, uri string) *fake {
		return &fake{answer: func(_ context.Context, c *exchange.Call, _ exchange.Sink) (string, error) {
			asked, _ := c.Message.Text(c.Message.URI)
			switch {
			case c.Message.Method == "resources/list":
				return `{"jsonrpc":"2.0","id":$ID,"result":{"resources":` + list + `}}`, nil
			case asked == uri:
				return `{"jsonrpc":"2.0","id":$ID,"result":{"contents":[]}}`, nil
			}
			return `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32602,"message":"none","data":{"uri":"` + asked + `"}}}`, nil
		}}
	}
	a, b := holds(`[{"uri":"x:1","name":"one"}]`, "x:1"), holds(`[{"uri":"x:1"},{"uri":"ui://b/page"}]`, "ui://b/page")
	up := aggregate(t, a, b)

	if got := ask(t, up, "resources/read", `"uri":"ui://b/page"`); !strings.Contains(got, "contents") || len(a.log()) != 1 {
		t.Errorf("never listed: %s; the first member heard %q", got, a.log())
	}
	list := decode(t, ask(t, up, "resources/list", ""))
	if string(list.Result["resources"]) != `[{"uri":"x:1","name":"one"},{"uri":"ui://b/page"}]` {
		t.Errorf("list: %s", list.Result)
	}
	before := len(a.log())
	if got := ask(t, up, "resources/read", `"uri":"ui://b/page"`); !strings.Contains(got, "contents") || len(a.log()) != before {
		t.Errorf("listed: %s; the first member heard %q", got, a.log())
	}
	if got := ask(t, up, "resources/read", `"uri":"x:9"`); !strings.Contains(got, `"data":{"uri":"x:9"}`) {
		t.Errorf("nobody's: %s", got)
	}
}

func TestAResourceIsNotHiddenByADeadMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := aggregate(t, &fake{answer: hangs}, &fake{answer: says(`{"contents":[]}`)})
		if got := ask(t, up, "resources/read", `"uri":"x:1"`); !strings.Contains(got, "contents") {
			t.Error(got)
		}
		up = aggregate(t, &fake{answer: down}, &fake{answer: fails("-32602")})
		err := up.Call(t.Context(), modern(t, "resources/read", `"uri":"x:1"`), &inbox{})
		if !errors.Is(err, errDown) {
			t.Errorf("who might have it is down, and the client heard %v", err)
		}
	})
}

func TestMethodsOfExtensionsGoToWhoKnowsThem(t *testing.T) {
	t.Parallel()
	up := aggregate(t, &fake{answer: fails("-32601")}, &fake{answer: says(`{"here":1}`)})
	if got := ask(t, up, "vendor/thing", ""); !strings.Contains(got, `"here":1`) {
		t.Error(got)
	}
	up = aggregate(t, &fake{answer: fails("-32601")}, &fake{answer: fails("-32601")})
	if got := decode(t, ask(t, up, "vendor/thing", "")); got.Error == nil || got.Error.Code != -32601 {
		t.Errorf("%+v", got)
	}
}

func TestDiscoverIsTheUnionOfTheMembers(t *testing.T) {
	t.Parallel()
	up := aggregate(t,
		&fake{answer: says(`{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25"],"capabilities":{"tools":{"listChanged":false},"extensions":{"io.x/a":{}}},"instructions":"Do a.","ttlMs":10,"cacheScope":"public"}`)},
		&fake{answer: says(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"prompts":{},"experimental":{"e":{"k":1}},"extensions":{"io.x/b":{"deep":[1]}}},"ttlMs":10,"cacheScope":"public"}`)},
	)
	got := decode(t, ask(t, up, "server/discover", ""))
	for key, want := range map[string]string{
		"supportedVersions": `["2026-07-28"]`,
		"capabilities":      `{"tools":{"listChanged":true},"extensions":{"io.x/a":{},"io.x/b":{"deep":[1]}},"prompts":{},"experimental":{"e":{"k":1}}}`,
		"instructions":      `"# a (names begin with a_)\u000a\u000aDo a."`,
		"cacheScope":        `"public"`,
		"_meta":             `{"io.modelcontextprotocol/serverInfo":{"name":"sluice","version":"0"}}`,
	} {
		if diff := cmp.Diff(want, string(got.Result[key])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}
