package pipeline_test

import (
	"strings"
	"testing"

	"sluice/internal/gateway/pipeline"
	"sluice/internal/obs"
)

// Metrics say what was decided and how it ended, by nothing that a client chooses.
func TestMetrics(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	d.call("read", `{"canary":1}`)
	d.call("canary", `{}`)
	d.call("canary", `{}`)
	text := string(obs.Text(d.metrics.Families()))
	for _, want := range []string{
		`mcp_decisions_total{server="lab",decision="allow",code=""} 1`,
		`mcp_decisions_total{server="lab",decision="deny",code="default_deny"} 2`,
		`mcp_settlements_total{server="lab",settlement="commit"} 1`,
		`mcp_settlement_failures_total 0`,
		`mcp_reserve_seconds_count{server="lab"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "canary") {
		t.Errorf("a metric tells what a client chose:\n%s", text)
	}
	if none := (*pipeline.Metrics)(nil).Families(); none != nil {
		t.Errorf("no metrics are %v", none)
	}
}
