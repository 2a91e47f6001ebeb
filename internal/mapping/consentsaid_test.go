package mapping_test

import (
	"testing"

	"sluice/capi"
	"sluice/internal/mapping"
)

func TestForcedLimitedDataUseOfSaidConsent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		said, region, state string
		home, homeState     string // of the event's address
		force               bool
		skip                string
		limited             int64 // state; -1: no limited data use
	}{
		{said: "granted", region: "us", state: "ca", force: true, limited: 1000},
		{said: "granted", region: "us", state: "ny", force: true, limited: 0},
		{said: "granted", region: "us", state: "ca", limited: -1},
		{said: "granted", region: "de", force: true, limited: -1},
		{said: "granted", home: "US", homeState: "Texas", force: true, limited: 1005},
		{said: "granted", home: "GB", force: true, limited: -1},
		{said: "measure_only", home: "us", force: true, limited: 0},
		{said: "unknown", home: "us", force: true, skip: mapping.SkipConsentUnknown, limited: -1},
		{said: "denied", region: "gb", home: "us", force: true, skip: mapping.SkipConsentDenied, limited: -1},
	}
	for _, tt := range tests {
		var ev capi.Event
		if tt.home != "" {
			ev.UserData.Country = []string{tt.home}
		}
		if tt.homeState != "" {
			ev.UserData.State = []string{tt.homeState}
		}
		skip := mapping.ConsentSaid(&ev, tt.said, tt.region, tt.state, tt.force)
		limited := int64(-1)
		if ev.DataProcessing != nil {
			limited = ev.DataProcessing.State.Value
		}
		if skip != tt.skip || limited != tt.limited || ev.OptOut.Value != (tt.said == "measure_only") {
			t.Errorf("%+v: skip %q, limited data use %d, opt-out %v", tt, skip, limited, ev.OptOut.Value)
		}
	}
}
