package sandbox_test

import (
	"strings"
	"testing"

	"sluice/internal/sandbox"
)

func TestGraphFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, fault, path string
		want              failure
		header, holds     string
	}{
		{"a row by code and subcode", `{"kind":"error","edge":"adlabels","code":100,"subcode":1487534}`, labels, failure{400, 100, 1487534}, "X-Sluice-Evidence", "K"},
		{"a row by name", `{"kind":"error","edge":"adlabels","name":"policy"}`, labels, failure{400, 368, 0}, "", ""},
		{"a node type", `{"kind":"error","edge":"Business","code":2}`, sandbox.Business, failure{503, 2, 0}, "", ""},
		{"an edge of a node type", `{"kind":"error","edge":"AdAccount.adlabels"}`, labels, failure{503, 2, 0}, "", ""},
		{"other requests go on", `{"kind":"error","edge":"campaigns"}`, labels, failure{Status: 200}, "", ""},
		{"another method", `{"kind":"error","edge":"adlabels","method":"POST"}`, labels, failure{Status: 200}, "", ""},
		{"refused under 200", `{"kind":"200_with_error","edge":"adlabels","code":190,"subcode":460}`, labels, failure{200, 190, 460}, "", ""},
		{"a pool that is used up", `{"kind":"throttle","pool":"ads_management","estimated_minutes":7}`, labels, failure{400, 80004, 0},
			"X-Business-Use-Case-Usage", `"type":"ads_management","call_count":100,"total_cputime":100,"total_time":100,"estimated_time_to_regain_access":7`},
		{"another pool", `{"kind":"throttle","pool":"instagram"}`, labels, failure{Status: 200}, "X-App-Usage", `"call_count":1`},
		{"nearly used up", `{"kind":"usage_headers","pool":"ads_management","percent":96}`, labels, failure{Status: 200}, "X-Business-Use-Case-Usage", `"call_count":96`},
		{"a version near its end", `{"kind":"version_warning","edge":"adlabels"}`, labels, failure{Status: 200}, "X-Ad-Api-Version-Warning", "v26.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.fault(tc.fault)
			a := b.get("/v26.0/" + tc.path)
			if a.failure() != tc.want || !strings.Contains(a.header.Get(tc.header), tc.holds) {
				t.Errorf("got %+v, %s %q: %s", a.failure(), tc.header, a.header.Get(tc.header), a.text)
			}
		})
	}
}

func TestUsageMovesWithUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.get("/v26.0/" + labels).header
	for range 45 {
		b.get("/v26.0/" + labels)
	}
	last := b.get("/v26.0/" + labels).header
	for _, name := range []string{"X-App-Usage", "X-Business-Use-Case-Usage", "X-Ad-Account-Usage"} {
		if first.Get(name) == "" || first.Get(name) == last.Get(name) {
			t.Errorf("%s went from %q to %q", name, first.Get(name), last.Get(name))
		}
	}
}
