package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/govern"
	"sluice/policy"
)

// recorded is a store that has only calls, newest first.
type recorded struct {
	enforce.Store
	calls []enforce.RecordedCall
	asked []enforce.CallFilter
}

func (s *recorded) Calls(_ context.Context, f enforce.CallFilter) ([]enforce.RecordedCall, error) {
	s.asked = append(s.asked, f)
	from := 0
	for i := range s.calls {
		if s.calls[i].Call.Request == f.Before {
			from = i + 1
		}
	}
	return s.calls[from:min(from+f.Limit, len(s.calls))], nil
}

func TestAReplayReadsAllPagesOldestFirst(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := &recorded{}
	const n = 2*replayPage + 7
	for i := range n {
		s.calls = append(s.calls, enforce.RecordedCall{
			At:   noon.Add(-time.Duration(i) * time.Second),
			Call: audit.Call{Request: fmt.Sprint("req_", i), Grant: "grt_1", Tool: "send", Decision: "allow", Policy: "pol_1"},
		})
	}
	// The server's own policy denied this one: another document changes nothing.
	s.calls[3].Call.Decision, s.calls[3].Call.Policy = "deny", "pol_server"
	// This one is somebody else's.
	s.calls[4].Call.Grant = "grt_2"
	doc, faults := policy.Parse([]byte(`{"version":"1","default":"deny","tools":{"send":{"limits":[{"counter":"c","window":"minute","max":60,"scope":"grant"}]}}}`))
	if doc == nil {
		t.Fatal(faults)
	}
	r := &replayer{
		store: func(context.Context) (enforce.Store, error) { return s, nil },
		now:   func() time.Time { return noon },
	}
	got, err := r.Replay(t.Context(), govern.Replay{Workspace: "w", Server: "srv_1", Policy: "pol_1", Grants: []string{"grt_1"}, Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	if got.Calls != n-2 || got.Changed != 0 || !got.Since.Equal(s.calls[n-1].At) {
		t.Errorf("%+v", got)
	}
	if f := s.asked[0]; len(s.asked) != 3 || f.Workspace != "w" || f.Server != "srv_1" || !f.Arguments || !f.Since.Equal(noon.Add(-replayed)) {
		t.Errorf("%d pages, the first for %+v", len(s.asked), f)
	}

	stricter, _ := policy.Parse([]byte(`{"version":"1","default":"deny","tools":{"send":{"limits":[{"counter":"c","window":"minute","max":59,"scope":"grant"}]}}}`))
	got, err = r.Replay(t.Context(), govern.Replay{Grants: []string{"grt_1"}, Policy: "pol_1", Document: stricter})
	// 33 whole minutes, of which the last is short of two calls.
	if err != nil || got.Changed != 32 || got.Grants != 1 || len(got.Changes) != 1 || got.Changes[0] != (govern.ReplayedChange{Tool: "send", From: "allow", To: "deny", Calls: 32}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAReplayWithoutAStoreSaysSo(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	r := &replayer{store: func(context.Context) (enforce.Store, error) { return nil, down }}
	if _, err := r.Replay(t.Context(), govern.Replay{}); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}
