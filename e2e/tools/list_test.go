package tools

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/graphtool"
	"sluice/internal/mcpserver"
	"sluice/internal/testkit/mcptest"
)

// TestListAndSearch: the program over stdio and over HTTP, with clients of both eras. The
// list is short, any tool can be called, and what a search finds joins the list, which
// the client hears.
func TestListAndSearch(t *testing.T) {
	t.Parallel()
	box := meta(t)
	for _, over := range []string{"stdio", "http"} {
		for _, version := range eras {
			t.Run(over+" "+version, func(t *testing.T) {
				t.Parallel()
				b := newBell()
				var s *mcp.ClientSession
				if over == "stdio" {
					s = server{box: box}.client(t, version, b.options())
				} else {
					url := server{box: box}.listen(t)
					s = connect(t, &mcp.StreamableClientTransport{Endpoint: url}, version, b.options())
				}
				before := names(t, s)
				if len(before) > 40 || len(before) < 20 || !slices.Contains(before, mcpserver.SearchTool) || !slices.Contains(before, "send_meta_conversions") {
					t.Errorf("%d tools are listed: %v", len(before), before)
				}
				if a := call(t, s, "meta_get_campaign", map[string]any{"campaign_id": "3100000000000001"}); a.code != "" || a.data["id"] != "3100000000000001" {
					t.Errorf("a call: %q %s", a.code, a.text)
				}
				const found = "threads_hide_reply"
				if slices.Contains(before, found) {
					t.Fatalf("%s is listed before it was searched for", found)
				}
				if a := call(t, s, found, map[string]any{"reply_id": "1/2"}); a.code != "argument_invalid" {
					t.Errorf("a tool that is not listed: %q %s", a.code, a.text)
				}
				if a := call(t, s, mcpserver.SearchTool, map[string]any{"query": "hide threads reply"}); a.code != "" || !strings.Contains(a.text, found) {
					t.Errorf("the search: %q %s", a.code, a.text)
				}
				b.heard(t)
				// A client may keep the list until it hears of the change.
				within(t, "what was found is listed", func() bool {
					after := names(t, s)
					return slices.Contains(after, found) && len(after) > len(before)
				})
				_, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "meta_make_coffee"})
				if err == nil || !strings.Contains(err.Error(), "meta_make_coffee") {
					t.Errorf("a tool that there is not: %v", err)
				}
			})
		}
	}
}

// TestSets: --sets names the tools that there are; others can't be called.
func TestSets(t *testing.T) {
	t.Parallel()
	box := meta(t)
	t.Run("two", func(t *testing.T) {
		t.Parallel()
		s := server{box: box, args: []string{"--sets", "pages,ads.read"}}.client(t, mcptest.Modern, nil)
		listed := names(t, s)
		for _, r := range graphtool.All() {
			want := r.Set == "pages.read" || r.Set == "pages.write" || r.Set == "ads.read"
			if slices.Contains(listed, r.Name) != want {
				t.Errorf("%s of %s: listed %v", r.Name, r.Set, !want)
			}
		}
		if !slices.Contains(listed, "send_meta_conversions") || slices.Contains(listed, mcpserver.SearchTool) {
			t.Errorf("listed are %v", listed)
		}
		if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "meta_create_campaign", Arguments: map[string]any{}}); err == nil {
			t.Error("a tool of another set can be called")
		}
	})
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		s := server{box: box, args: []string{"--sets", "all"}}.client(t, mcptest.Legacy, nil)
		listed := names(t, s)
		for _, r := range records() {
			if !slices.Contains(listed, r.Name) {
				t.Errorf("%s is not listed", r.Name)
			}
		}
		if len(listed) != len(records()) {
			t.Errorf("%d are listed, there are %d", len(listed), len(records()))
		}
	})
	t.Run("of the configuration", func(t *testing.T) {
		t.Parallel()
		s := server{box: box, config: "meta: {sets: [charts]}\n"}.client(t, mcptest.Modern, nil)
		if listed := names(t, s); !slices.Contains(listed, "meta_generate_chart") || slices.Contains(listed, "meta_get_campaign") {
			t.Errorf("listed are %v", listed)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		for set, says := range map[string]string{"page": "pages", "ads.raed": "ads.read", "zzzzzz": "business.read"} {
			out, err := server{box: box, args: []string{"--sets", set}}.command(t).CombinedOutput()
			if err == nil || !strings.Contains(string(out), set) || !strings.Contains(string(out), says) {
				t.Errorf("--sets %s: %v, %s", set, err, out)
			}
		}
	})
}

// TestListFollowsTheToken: what the token may not use is not in the short list, and what
// it may fills the list up.
func TestListFollowsTheToken(t *testing.T) {
	t.Parallel()
	box := meta(t)
	resp, err := http.Post(box+"/_emulator/tokens", "application/json", strings.NewReader(`{"token":"reader-of-ads","scopes":["ads_read"]}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	s := server{box: box, env: []string{"META_ACCESS_TOKEN=reader-of-ads"}}.client(t, mcptest.Legacy, nil)
	var listed []string
	within(t, "the token is known", func() bool {
		listed = names(t, s)
		return !slices.Contains(listed, "meta_create_campaign")
	})
	reads := 0
	for _, name := range listed {
		r := graphtool.Named(name)
		if r != nil && r.Gone != nil {
			t.Errorf("%s is listed, which can't do anything", name)
		}
		if r != nil && r.Set == "ads.read" {
			reads++
		}
	}
	if len(listed) > 40 || reads < 3 {
		t.Errorf("listed are %d: %v", len(listed), listed)
	}
	if a := call(t, s, "meta_create_campaign", map[string]any{"ad_account_id": "act_3000000000000001", "name": "x", "objective": "OUTCOME_SALES"}); a.code != "scope_missing" || !strings.Contains(a.text, "ads_management") {
		t.Errorf("what it may not: %q %s", a.code, a.text)
	}
}
