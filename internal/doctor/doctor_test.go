package doctor_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/doctor"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/sandbox"
)

// patient works with a sandbox.
func patient(t *testing.T, token string, box *sandbox.Server, change func(*doctor.Patient)) *doctor.Patient {
	t.Helper()
	server := httptest.NewServer(box.Handler())
	t.Cleanup(server.Close)
	bases := map[graph.Host]string{graph.GraphHost: server.URL, graph.ThreadsHost: server.URL}
	api, err := graph.NewAPI(graph.APIOptions{
		Bases: bases, Tokens: graph.Tokens{User: graph.StaticToken(token), Threads: graph.StaticToken(sandbox.ThreadsToken)},
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := graph.New(graph.Options{Base: server.URL, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	p := &doctor.Patient{Graph: api, Client: client, Dataset: sandbox.Dataset, Now: time.Now, Tools: []doctor.Tool{
		{Set: "pages.read", Scopes: []string{"pages_show_list"}}, {Set: "ads.write", Scopes: []string{"ads_management|business_management"}},
		{Set: "threads.read", Scopes: []string{"threads_basic"}},
	}}
	if change != nil {
		change(p)
	}
	return p
}

func named(list []doctor.Check, name string) doctor.Check {
	i := slices.IndexFunc(list, func(c doctor.Check) bool { return c.Name == name })
	if i < 0 {
		return doctor.Check{}
	}
	return list[i]
}

func TestExamine(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	box.AddToken(sandbox.Grant{Token: "narrow", Scopes: []string{"pages_show_list", "ads_read"}})
	box.AddToken(sandbox.Grant{Token: "ending", Scopes: []string{"pages_show_list"}, Expires: time.Now().Add(48 * time.Hour)})
	tests := []struct {
		name   string
		token  string
		change func(*doctor.Patient)
		want   map[string]doctor.Status
	}{
		{"all is well", sandbox.Token, nil, map[string]doctor.Status{
			"Graph version": doctor.OK, "token": doctor.OK, "scopes of pages.read": doctor.OK, "scopes of ads.write": doctor.OK,
			"Pages": doctor.OK, "ad accounts": doctor.OK, "dataset": doctor.OK, "clock": doctor.OK, "Threads token": doctor.OK,
		}},
		{"a permission is missing", "narrow", nil, map[string]doctor.Status{"scopes of pages.read": doctor.OK, "scopes of ads.write": doctor.Warning}},
		{"the token ends soon", "ending", nil, map[string]doctor.Status{"token": doctor.Warning}},
		{"the token has ended", sandbox.TokenExpired, nil, map[string]doctor.Status{"token": doctor.Failure, "dataset": ""}},
		{"nobody knows the token", "made up", nil, map[string]doctor.Status{"token": doctor.Failure}},
		{"no token", "", func(p *doctor.Patient) {
			p.Client, p.NoToken = nil, fault.New(fault.AuthRequired, "no Meta access token is set")
		}, map[string]doctor.Status{"token": doctor.Failure, "Threads token": doctor.OK}},
		{"no dataset", sandbox.Token, func(p *doctor.Patient) { p.Dataset = "" }, map[string]doctor.Status{"dataset": doctor.Skipped}},
		{"another dataset", sandbox.Token, func(p *doctor.Patient) { p.Dataset = "1999999999999999" }, map[string]doctor.Status{"dataset": doctor.Failure}},
		{"a dataset without store events", sandbox.Token, func(p *doctor.Patient) { p.Dataset = sandbox.DatasetUnmerged }, map[string]doctor.Status{"dataset": doctor.Warning}},
		{"a clock that is wrong", sandbox.Token, func(p *doctor.Patient) {
			p.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		}, map[string]doctor.Status{"clock": doctor.Failure}},
		{"no Threads", sandbox.Token, func(p *doctor.Patient) { p.Threads = fault.New(fault.AuthRequired, "none") }, map[string]doctor.Status{"Threads token": doctor.Skipped}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list := patient(t, tt.token, box, tt.change).Examine(t.Context())
			for name, want := range tt.want {
				got := named(list, name)
				if got.Status != want {
					t.Errorf("%s is %q, want %q: %s", name, got.Status, want, got.Says)
				}
				if want != doctor.OK && want != "" && got.Fix == "" {
					t.Errorf("%s says no remedy", name)
				}
			}
			for _, c := range list {
				if tt.token != "" && strings.Contains(c.Says+c.Fix, tt.token) {
					t.Errorf("%s shows the token", c.Name)
				}
			}
		})
	}
}

// TestAssumptions: against the sandbox, which is made of the records, nothing differs; an
// API that knows nothing of an edge is told.
func TestAssumptions(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	counts := map[doctor.Verdict]int{}
	err := patient(t, sandbox.Token, box, nil).VerifyAssumptions(t.Context(), func(a doctor.Assumption) {
		counts[a.Verdict]++
		if a.Verdict == doctor.Differs {
			t.Errorf("%s: %s", a.What, a.Says)
		}
	})
	if err != nil || counts[doctor.Holds] == 0 {
		t.Errorf("%v, %v", counts, err)
	}
	for _, r := range box.Requests() {
		if r.Method != http.MethodGet && r.Path != "/debug_token" {
			t.Errorf("%s %s: only reads are harmless", r.Method, r.Path)
		}
	}
}

// Another token helps only against a refused one.
func TestTheRemedyFitsTheFailure(t *testing.T) {
	t.Parallel()
	box := sandbox.New(sandbox.Options{})
	ended := named(patient(t, sandbox.TokenExpired, box, nil).Examine(t.Context()), "token")
	if !strings.Contains(ended.Says, "refuses the token") || !strings.Contains(ended.Fix, "system-user token") {
		t.Errorf("an ended token: %s → %s", ended.Says, ended.Fix)
	}
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	client, err := graph.New(graph.Options{Base: nobody.URL, Token: sandbox.Token})
	if err != nil {
		t.Fatal(err)
	}
	away := named(patient(t, sandbox.Token, box, func(p *doctor.Patient) { p.Client = client }).Examine(t.Context()), "token")
	if away.Status != doctor.Failure || !strings.Contains(away.Fix, "network") {
		t.Errorf("no connection: %s → %s", away.Says, away.Fix)
	}
}
