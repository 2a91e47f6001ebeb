package graphtool_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/sandbox"
)

// BenchmarkDefinitions builds what tools/list answers with, for every tool.
func BenchmarkDefinitions(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range graphtool.All() {
			if _, err := t.Definition(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkCall is one call from JSON arguments to the rendered answer, with the Graph
// client and the sandbox in this process: what is left of a call without sockets.
func BenchmarkCall(b *testing.B) {
	for _, c := range []struct{ tool, args string }{
		{"meta_get_campaign", `{"campaign_id":"3100000000000001"}`},
		{"meta_list_campaigns", `{"ad_account_id":"act_3000000000000001"}`},
		{"meta_update_campaign", `{"campaign_id":"3100000000000001","name":"Summer"}`},
	} {
		b.Run(c.tool, func(b *testing.B) {
			box := sandbox.New(sandbox.Options{Seed: 1})
			h := (&tool.Runner{Graph: benchGraph(b, box.RoundTripper())}).Handler(graphtool.Named(c.tool))
			b.ReportAllocs()
			for b.Loop() {
				if r := h.Call(b.Context(), json.RawMessage(c.args), nil); r.Fault != nil {
					b.Fatal(r.Text)
				}
			}
		})
	}
}

func benchGraph(b *testing.B, transport http.RoundTripper) *graph.API {
	b.Helper()
	api, err := graph.NewAPI(graph.APIOptions{
		Bases:  map[graph.Host]string{graph.GraphHost: "http://127.0.0.1"},
		Tokens: graph.Tokens{User: graph.StaticToken(sandbox.Token)}, Transport: transport,
	})
	if err != nil {
		b.Fatal(err)
	}
	return api
}
