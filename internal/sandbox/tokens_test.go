package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox"
)

func TestPageTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.server.AddToken(sandbox.Grant{Token: "reader", Scopes: []string{"pages_show_list", "pages_read_engagement"}})
	b.server.AddToken(sandbox.Grant{Token: "stranger", Scopes: []string{"ads_read", "pages_show_list"}, Objects: []string{sandbox.AdAccount}})
	b.server.AddToken(sandbox.Grant{Token: "other-page", Page: "4999", Scopes: []string{"pages_manage_posts", "pages_read_engagement"}})
	fetch := func(token string) answer {
		return b.as(token, http.MethodGet, sandbox.Page, url.Values{"fields": {"access_token"}})
	}
	if got := fetch(sandbox.Token).at("access_token"); got != pageToken {
		t.Errorf("the documented token gets %v", got)
	}
	if got := b.as(sandbox.Token, http.MethodGet, "me/accounts", url.Values{"fields": {"access_token,name"}}); !strings.Contains(got.text, pageToken) {
		t.Errorf("me/accounts: %s", got.text)
	}
	narrow, _ := fetch("reader").at("access_token").(string)
	if narrow == "" || narrow == pageToken {
		t.Errorf("a narrow token gets %q", narrow)
	}
	if got := fetch("stranger").failure(); got.Code != 200 {
		t.Errorf("who has no access: %+v", got)
	}
	post := func(token string) answer {
		return b.as(token, http.MethodPost, sandbox.Page+"/feed", url.Values{"message": {"Hello"}})
	}
	for _, tc := range []struct {
		name, token string
		code        int
	}{
		{"the Page's own", pageToken, 0},
		{"a user's", sandbox.Token, 210},
		{"of another Page", "other-page", 200},
		{"without the permission", narrow, 200},
		{"of Threads", sandbox.ThreadsToken, 190},
		{"of a Page that does not exist", sandbox.PageTokenPrefix + "4998", 190},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := post(tc.token); a.failure().Code != tc.code {
				t.Errorf("got %s", a.text)
			}
		})
	}
	if a := post(narrow); !strings.Contains(a.errorText("message"), "pages_manage_posts") {
		t.Errorf("the missing permission is named: %s", a.text)
	}
	if a := b.as(pageToken, http.MethodGet, "me", nil); a.at("id") != sandbox.Page {
		t.Errorf("me of a Page token: %s", a.text)
	}
	if a := b.as(pageToken, http.MethodGet, sandbox.AdAccount, nil); a.failure().Code != 200 {
		t.Errorf("a Page token on an ad account: %s", a.text)
	}
}

func TestWhatBelongsToAnAssetComesWithIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	label, _ := b.as(sandbox.Token, http.MethodPost, labels, url.Values{"name": {"x"}}).at("id").(string)
	scopes := []string{"ads_read", "ads_management", "pages_show_list"}
	b.server.AddToken(sandbox.Grant{Token: "account", Scopes: scopes, Objects: []string{sandbox.AdAccount}})
	b.server.AddToken(sandbox.Grant{Token: "page", Scopes: scopes, Objects: []string{sandbox.Page}})
	for _, tc := range []struct {
		name, token, path string
		code              int
	}{
		{"the account", "account", sandbox.AdAccount, 0},
		{"a label of it", "account", label, 0},
		{"among many", "account", "?ids=" + label, 0},
		{"of another asset", "page", label, 200},
		{"of another asset, among many", "page", "?ids=" + label, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if a := b.as(tc.token, http.MethodGet, tc.path, nil); a.failure().Code != tc.code {
				t.Errorf("got %s", a.text)
			}
		})
	}
	if a := b.as("account", http.MethodGet, "me/accounts", nil); a.text != `{"data":[]}` {
		t.Errorf("Pages of who has none: %s", a.text)
	}
}

func TestThreadsTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	req := request(t, http.MethodGet, "/v1.0/me?fields=username", "", "")
	req.Header.Set("Authorization", "Bearer "+sandbox.ThreadsToken)
	a := b.do(req)
	if a.at("id") != sandbox.ThreadsAccount || a.header.Get("Facebook-Api-Version") != "v1.0" {
		t.Errorf("%s %s", a.header, a.text)
	}
	if got := b.as(sandbox.ThreadsTokenExpired, http.MethodGet, "me", nil).failure(); got != (failure{401, 190, 463}) {
		t.Errorf("expired: %+v", got)
	}
	if got := b.as(sandbox.ThreadsToken, http.MethodGet, sandbox.AdAccount, nil).failure(); got.Code != 190 {
		t.Errorf("a Threads token elsewhere: %+v", got)
	}
	if got := b.as(sandbox.Token, http.MethodGet, sandbox.ThreadsAccount, nil).failure(); got.Code != 190 {
		t.Errorf("another token on Threads: %+v", got)
	}
}

func TestAddedTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.inspect(http.MethodPost, "/tokens", `{"token":"page","kind":"PAGE","page":"`+sandbox.Page+`","scopes":["pages_read_engagement"],"expires_in":60}`)
	if a := b.as("page", http.MethodGet, "me", nil); a.at("id") != sandbox.Page {
		t.Errorf("got %s", a.text)
	}
	debug := b.as(sandbox.App+"|"+sandbox.AppSecret, http.MethodGet, "debug_token", url.Values{"input_token": {"page"}})
	if debug.at("data.type") != "PAGE" || debug.at("data.profile_id") != sandbox.Page || number(debug.at("data.expires_at")) != int(epoch.Unix())+60 {
		t.Errorf("debug_token: %s", debug.text)
	}
	b.inspect(http.MethodPost, "/clock", `{"advance_s":61}`)
	if got := b.as("page", http.MethodGet, "me", nil).failure(); got != (failure{401, 190, 463}) {
		t.Errorf("a minute later: %+v", got)
	}
	for _, bad := range []string{`{"token":"x","kind":"KING"}`, `{"token":"x","kind":"PAGE"}`} {
		if a := b.do(request(t, http.MethodPost, "/_emulator/tokens", "application/json", bad)); a.status != http.StatusBadRequest {
			t.Errorf("%s: %s", bad, a.text)
		}
	}
}

// TestTheTokensHaveEveryPermission holds the documented tokens to what operations ask for.
func TestTheTokensHaveEveryPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	app := sandbox.App + "|" + sandbox.AppSecret
	granted := func(token string) string {
		a := b.as(app, http.MethodGet, "debug_token", url.Values{"input_token": {token}})
		return fmt.Sprint(a.at("data.scopes"))
	}
	meta, threads := granted(sandbox.Token), granted(sandbox.ThreadsToken)
	check := func(where string, op *graphspec.Op) {
		if op == nil {
			return
		}
		if len(op.Evidence) != 1 || !strings.Contains("DSIKR", string(op.Evidence)) {
			t.Errorf("%s has the evidence %q", where, op.Evidence)
		}
		has := meta
		if op.Token == graphspec.ThreadsToken {
			has = threads
		}
		for _, scope := range strings.FieldsFunc(op.Scopes, func(c rune) bool { return c == ' ' || c == '|' }) {
			if !strings.Contains(has+" ", scope) {
				t.Errorf("%s needs %s, which no documented token has", where, scope)
			}
		}
	}
	for _, name := range graphspec.Names() {
		node := graphspec.Lookup(name)
		check("GET "+name, node.Read)
		check("POST "+name, node.Update)
		check("DELETE "+name, node.Delete)
		for _, e := range node.Edges {
			check("GET "+name+"."+e.Name, e.Get)
			check("POST "+name+"."+e.Name, e.Post)
			check("DELETE "+name+"."+e.Name, e.Delete)
		}
	}
}
