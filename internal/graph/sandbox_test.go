package graph_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/sandbox"
)

const sandboxPage = "4000000000000001"

// world is an API in front of a sandbox, in process, and what passed between them.
func world(t *testing.T, opts sandbox.Options) (*graph.API, *sandbox.Server) {
	t.Helper()
	s := sandbox.New(opts)
	trip := s.RoundTripper()
	a, err := graph.NewAPI(graph.APIOptions{
		Tokens: graph.Tokens{User: graph.StaticToken(sandbox.Token), Threads: graph.StaticToken(sandbox.ThreadsToken)},
		AppID:  sandbox.App, AppSecret: sandbox.AppSecret, Sleep: newClock().Sleep,
		Transport: recorder(func(r *http.Request) (*http.Response, error) {
			for _, secret := range []string{sandbox.Token, sandbox.PageTokenPrefix, sandbox.AppSecret} {
				if strings.Contains(r.URL.String(), secret) {
					t.Errorf("a token is in the address %s", r.URL)
				}
			}
			res, err := trip.RoundTrip(r)
			if err == nil && strings.Contains(toJSON(t, res.Header), sandbox.PageTokenPrefix) {
				t.Error("a token is in a header")
			}
			return res, err
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, s
}

func member(t *testing.T, res *graph.Response, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(res.Body, &m); err != nil {
		t.Fatal(err)
	}
	s, _ := m[name].(string)
	return s
}

func TestSandboxPostFromCreationToEnd(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{RequireProof: true})
	ctx := t.Context()
	page := graph.TokenRef{Kind: "page", Page: sandboxPage}

	made, err := a.Do(ctx, graph.Request{Method: "POST", Path: []string{sandboxPage, "feed"}, Form: url.Values{"message": {"Hello"}}, Token: page})
	if err != nil {
		t.Fatal(err)
	}
	id := member(t, made, "id")
	read := graph.Request{Method: "GET", Path: []string{id}, Query: url.Values{"fields": {"id,message"}}, Token: page}
	got, err := a.Do(ctx, read)
	if err != nil || member(t, got, "message") != "Hello" {
		t.Fatalf("%v, %v", got, err)
	}
	if got.Version != "v26.0" || got.Warning != "" {
		t.Errorf("version %q, warning %q", got.Version, got.Warning)
	}
	if _, err := a.Do(ctx, graph.Request{Method: "DELETE", Path: []string{id}, Token: page}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Do(ctx, read)
	refuses(t, err, fault.ObjectNotFound)
}

func TestSandboxNeverShowsAPageToken(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{})
	res, err := a.Do(t.Context(), graph.Request{Method: "GET", Path: []string{"me", "accounts"}, Query: url.Values{"fields": {"id,name,access_token"}, "limit": {"1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(res.Body), "oken") || !strings.Contains(string(res.Body), sandboxPage) {
		t.Errorf("answer %s", res.Body)
	}
}

func TestSandboxDescribesEachToken(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{})
	for kind, want := range map[string]string{"user": "SYSTEM_USER", "page": "PAGE", "app": "APP"} {
		res, err := a.Do(t.Context(), graph.Request{Method: "GET", Path: []string{"debug_token"}, Token: graph.TokenRef{Kind: kind, Page: sandboxPage}})
		if err != nil {
			t.Fatal(kind, err)
		}
		var answer struct{ Data struct{ Type string } }
		if err := json.Unmarshal(res.Body, &answer); err != nil || answer.Data.Type != want {
			t.Errorf("%s: %s, %v", kind, res.Body, err)
		}
	}
}

func TestSandboxBatch(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{RequireProof: true})
	feed := graph.Request{Method: "GET", Path: []string{sandboxPage, "feed"}, Query: url.Values{"limit": {"2"}}, Token: graph.TokenRef{Kind: "page", Page: sandboxPage}}
	account := graph.Request{Method: "GET", Path: []string{"act_3000000000000001"}, Query: url.Values{"fields": {"id,currency"}}}
	got, err := a.Batch(t.Context(), []graph.Request{feed, account, get("999")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if got[i].Err != nil {
			t.Errorf("entry %d: %v", i, got[i].Err)
		}
	}
	if got[1].Err == nil && member(t, got[1].Response, "currency") != "GBP" {
		t.Errorf("account %s", got[1].Response.Body)
	}
	refuses(t, got[2].Err, fault.ObjectNotFound)
}

func TestSandboxPagesOfAnEdge(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{})
	r := graph.Request{Method: "GET", Path: []string{sandboxPage, "feed"}, Query: url.Values{"limit": {"1"}}, Token: graph.TokenRef{Kind: "page", Page: sandboxPage}}
	seen := map[string]bool{}
	for p, err := range graph.Pages(t.Context(), a, r, 3) {
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			if seen[string(item)] {
				t.Errorf("%s came twice", item)
			}
			seen[string(item)] = true
		}
	}
	if len(seen) < 2 {
		t.Errorf("%d posts", len(seen))
	}
}

func TestSandboxUpload(t *testing.T) {
	t.Parallel()
	a, _ := world(t, sandbox.Options{})
	const file = "\x89PNG and more"
	handle, err := graph.UploadResumable(t.Context(), a, sandbox.App, graph.Source{Name: "a.png", Type: "image/png", Size: int64(len(file)), Content: strings.NewReader(file)}, graph.TokenRef{})
	if err != nil || handle == "" {
		t.Fatalf("%q, %v", handle, err)
	}
}

// A call into a sandbox on this machine has to take no longer than a millisecond.
func BenchmarkDo(b *testing.B) {
	srv := httptest.NewServer(sandbox.New(sandbox.Options{}).Handler())
	defer srv.Close()
	a, err := graph.NewAPI(graph.APIOptions{
		Bases:  map[graph.Host]string{graph.GraphHost: srv.URL},
		Tokens: graph.Tokens{User: graph.StaticToken(sandbox.Token)}, AppSecret: sandbox.AppSecret,
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range []struct {
		name string
		graph.Request
	}{
		{"object", graph.Request{Method: "GET", Path: []string{"act_3000000000000001"}, Query: url.Values{"fields": {"id,name,currency"}}}},
		{"Page's edge", graph.Request{Method: "GET", Path: []string{sandboxPage, "feed"}, Query: url.Values{"limit": {"25"}}, Token: graph.TokenRef{Kind: "page", Page: sandboxPage}}},
	} {
		b.Run(r.name, func(b *testing.B) {
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if _, err := a.Do(b.Context(), r.Request); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
