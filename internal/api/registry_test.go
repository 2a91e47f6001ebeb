package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/api"
	"sluice/internal/auth"
	"sluice/internal/govern"
	"sluice/internal/secret"
	"sluice/internal/store/sqlite"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// office is an API over a registry, with tokens of several people.
type office struct {
	t      *testing.T
	server *api.Server
	tokens map[string]string
}

func openOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := secret.OpenKeyring(filepath.Join(dir, "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	people := auth.New(store, keys, tenant.Local("cli"), "test")
	o := &office{t: t, tokens: map[string]string{}}
	o.server = api.New(api.Options{
		Writeback: writeback.New(writeback.Options{Store: store, Keys: keys, StateDir: dir, Caller: tenant.Local("cli")}),
		Auth:      people, Store: store, Keys: keys,
		Govern: govern.New(govern.Options{Store: store, Keys: keys, Caller: tenant.Local("cli"), Version: "test"}),
	})
	t.Cleanup(func() { o.server.Stop(); o.server.Wait() })
	yes := true
	for user, m := range map[string]struct {
		role  tenant.Role
		flag  *bool
		agent bool
	}{
		"ada": {role: tenant.Admin}, "vera": {role: tenant.Viewer, flag: &yes}, "vito": {role: tenant.Viewer}, "bot": {role: tenant.Admin, flag: &yes, agent: true},
	} {
		if _, err := people.PutMember(t.Context(), user, auth.MemberChange{Role: &m.role, Policy: m.flag}); err != nil {
			t.Fatal(err)
		}
		text, _, err := people.IssueToken(t.Context(), auth.Issue{User: user, Agent: m.agent, Scopes: []tenant.Scope{tenant.Read, tenant.Write}})
		if err != nil {
			t.Fatal(err)
		}
		o.tokens[user] = text
	}
	return o
}

// call calls as a user and expects a status; it returns the document.
func (o *office) call(user, method, path, body string, status int) map[string]any {
	o.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1"+api.Root+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+o.tokens[user])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	o.server.ServeHTTP(w, r)
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != status {
		o.t.Errorf("%s: %s %s: %d, want %d\n%s", user, method, path, w.Code, status, w.Body)
	}
	return doc
}

func code(doc map[string]any) any {
	e, _ := doc["error"].(map[string]any)
	return e["code"]
}

func TestRegistryOverTheAPI(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.call("ada", http.MethodPost, "/servers/crm", `{"spec":{"url":"https://crm.example.com/mcp"}}`, http.StatusOK)
	for name, spec := range map[string]string{
		"a program":            `{"command":["sh"]}`,
		"a variable":           `{"url":"https://evil.example.com/","headers":{"X":{"env":"META_ACCESS_TOKEN"}}}`,
		"a private address":    `{"url":"https://10.0.0.1/","allow_private":true}`,
		"a program for people": `{"url":"https://x.example.com/","approvals":{"notify":[{"command":["sh"]}]}}`,
	} {
		if doc := o.call("ada", http.MethodPost, "/servers/evil", `{"spec":`+spec+`}`, http.StatusForbidden); code(doc) != "role_required" {
			t.Errorf("%s from outside: %v", name, doc)
		}
	}
	o.call("vera", http.MethodPut, "/servers/crm", `{"spec":{"url":"https://crm.example.com/mcp"}}`, http.StatusForbidden)

	const path = "/servers/crm/policies/agents"
	shown := o.call("vito", http.MethodPost, path+"/preview", `{"document":{"version":"1","default":"deny"}}`, http.StatusOK)
	confirm, _ := shown["confirm"].(string)
	set := `{"document":{"version":"1","default":"deny"},"confirm":"` + confirm + `","reason":"first"}`
	o.call("vito", http.MethodPut, path, set, http.StatusForbidden)
	o.call("bot", http.MethodPut, path, set, http.StatusForbidden)
	if doc := o.call("vera", http.MethodPut, path, strings.Replace(set, "deny", "allow", 1), http.StatusConflict); code(doc) != "change_stale" {
		t.Errorf("another document than was previewed: %v", doc)
	}
	if doc := o.call("vera", http.MethodPut, path, set, http.StatusOK); doc["version"] != 1.0 {
		t.Errorf("set: %v", doc)
	}
	if doc := o.call("vera", http.MethodPut, path, `{"document":{"version":"2"},"confirm":"x"}`, http.StatusUnprocessableEntity); code(doc) != "policy_invalid" {
		t.Errorf("a document with errors: %v", doc)
	}
	o.call("vito", http.MethodGet, path+"/versions/1", "", http.StatusOK)
	o.call("vito", http.MethodGet, path+"/diff?to=1", "", http.StatusOK)

	made := o.call("vera", http.MethodPost, "/grants", `{"server":"crm","name":"ci","policy":"agents","expires_in":3600}`, http.StatusOK)
	token, _ := made["token"].(string)
	id, _ := made["id"].(string)
	if !strings.HasPrefix(token, "slg_") || made["created_by"] != "vera" {
		t.Errorf("a new grant: %v", made)
	}
	o.call("bot", http.MethodPost, "/grants", `{"server":"crm","name":"own","policy":"agents"}`, http.StatusForbidden)
	if doc := o.call("vito", http.MethodGet, "/grants/"+id, "", http.StatusOK); doc["token"] != nil || doc["policy_name"] != "agents" {
		t.Errorf("a grant as it is shown: %v", doc)
	}
	if doc := o.call("vera", http.MethodPatch, "/grants/"+id, `{"policy":"","expires_in":-1}`, http.StatusOK); doc["policy_name"] != nil || doc["expires_at"] != nil {
		t.Errorf("without a policy and without end: %v", doc)
	}
	if doc := o.call("vera", http.MethodPost, "/grants/"+id+"/rotate", "", http.StatusOK); doc["token"] == token {
		t.Error("rotating gave the same token")
	}
	if doc := o.call("vera", http.MethodDelete, "/grants/"+id, "", http.StatusOK); doc["state"] != "revoked" {
		t.Errorf("revoked: %v", doc)
	}
	files := `"name":"prod","files":{"a.yaml":"kind: policy\nserver: crm\nname: other\ndocument: a.json\n","a.json":"{\"version\":\"1\",\"default\":\"deny\"}"}`
	plan := o.call("vera", http.MethodPost, "/apply/preview", `{`+files+`}`, http.StatusOK)
	confirm, _ = plan["confirm"].(string)
	if doc := o.call("vera", http.MethodPost, "/apply", `{`+files+`,"confirm":"`+confirm+`"}`, http.StatusOK); doc["applied"] != true {
		t.Errorf("applied: %v", doc)
	}
	o.call("vera", http.MethodDelete, "/servers/crm/policies/other", "", http.StatusConflict)
	o.call("vera", http.MethodDelete, path, "", http.StatusOK)
	if doc := o.call("ada", http.MethodDelete, "/servers/crm", "", http.StatusConflict); code(doc) != "managed_by_files" {
		t.Errorf("a server with a policy that files own: %v", doc)
	}
	o.call("ada", http.MethodPost, "/servers/ads", `{"spec":{"url":"https://ads.example.com/mcp"}}`, http.StatusOK)
	o.call("ada", http.MethodDelete, "/servers/ads", "", http.StatusOK)
}
