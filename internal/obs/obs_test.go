package obs

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTextIsOneOutputForOneState(t *testing.T) {
	t.Parallel()
	send := Family{Name: "wb_send_seconds", Help: "time of requests", Kind: Summary}
	send.AddTo("_sum", 1.5, "profile", "default")
	send.AddTo("_count", 3, "profile", "default")
	state := Family{Name: "wb_events_state", Help: "events \\ by\nstate", Kind: Gauge}
	state.Add(2, "profile", "a\"b\\c\nd", "state", "queued")
	state.Add(1e6, "profile", "\xff", "state", "delivered")
	state.Add(math.Inf(1))
	want := "# HELP wb_events_state events \\\\ by\\nstate\n# TYPE wb_events_state gauge\n" +
		"wb_events_state +Inf\n" +
		"wb_events_state{profile=\"a\\\"b\\\\c\\nd\",state=\"queued\"} 2\n" +
		"wb_events_state{profile=\"\uFFFD\",state=\"delivered\"} 1e+06\n" +
		"# HELP wb_send_seconds time of requests\n# TYPE wb_send_seconds summary\n" +
		"wb_send_seconds_count{profile=\"default\"} 3\nwb_send_seconds_sum{profile=\"default\"} 1.5\n"
	if diff := cmp.Diff(want, string(Text([]Family{send, state}))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
