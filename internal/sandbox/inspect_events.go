package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// shownEvent is a stored event as the inspection surface shows it.
type shownEvent struct {
	ID           string          `json:"id"`
	Dataset      string          `json:"dataset"`
	ReceivedAt   string          `json:"received_at"`
	Batch        string          `json:"batch"`
	EventName    string          `json:"event_name"`
	EventID      string          `json:"event_id,omitempty"`
	EventTime    int64           `json:"event_time"`
	ActionSource string          `json:"action_source"`
	Test         bool            `json:"test"`
	TestCode     string          `json:"test_event_code,omitempty"`
	Kept         bool            `json:"kept"`
	DuplicateOf  string          `json:"duplicate_of,omitempty"`
	Rule         string          `json:"rule,omitempty"`
	Grade        string          `json:"match_grade"`
	Warnings     []string        `json:"warnings,omitempty"`
	Event        json.RawMessage `json:"event"`
}

func (e *stored) shown() shownEvent {
	out := shownEvent{
		ID: eventRef(e.seq), Dataset: e.dataset, ReceivedAt: e.received.UTC().Format(time.RFC3339Nano), Batch: e.batch,
		EventName: e.name, EventID: e.id, EventTime: e.time, ActionSource: e.source.String(),
		Test: e.testCode != "", TestCode: e.testCode, Kept: e.verdict.rule == ruleKept, Rule: e.verdict.rule.String(),
		Grade: e.grade.String(), Warnings: e.warnings, Event: e.raw,
	}
	switch {
	case e.verdict.of != 0:
		out.DuplicateOf = eventRef(uint64(e.verdict.of))
	case !out.Kept:
		out.DuplicateOf = "browser"
	}
	return out
}

// listEvents answers GET /_emulator/events. Totals are those of the dataset, or
// of all, whatever else filters the list; without limit the list is complete, and empty
// with KeepKeys.
func (s *Server) listEvents(hr *http.Request) (any, error) {
	q := hr.URL.Query()
	limit := -1
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, refuse(http.StatusBadRequest, "limit must be a number above 0")
		}
		limit = n
	}
	var after uint64
	if text := q.Get("after"); text != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "e"), 10, 64)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "after must be the id of an event, such as e12")
		}
		after = n
	}
	want := q.Get("verdict")
	if want != "" && want != "kept" && want != "duplicate" {
		return nil, refuse(http.StatusBadRequest, "verdict must be kept or duplicate")
	}
	dataset := q.Get("dataset")

	s.mu.Lock()
	total := s.store.totals(dataset)
	all := s.store.events // appended to only, entries never change
	s.mu.Unlock()

	shown := []shownEvent{}
	more := false
	for _, e := range all {
		kept := e.verdict.rule == ruleKept
		if e.seq <= after || !matches(dataset, e.dataset) || !matches(q.Get("event_name"), e.name) || want != "" && kept != (want == "kept") {
			continue
		}
		if len(shown) == limit {
			more = true
			break
		}
		shown = append(shown, e.shown())
	}
	out := map[string]any{
		"received": total.Received, "kept": total.Kept, "duplicates": total.Duplicates, "test_events": total.Test,
		"events": shown, // none with KeepKeys
	}
	if more {
		out["next_after"] = shown[len(shown)-1].ID
	}
	return out, nil
}

// lookupEvents answers POST /_emulator/events/lookup, in the order of the ids.
func (s *Server) lookupEvents(hr *http.Request) (any, error) {
	var in struct {
		Dataset   string   `json:"dataset"`
		EventName string   `json:"event_name"`
		EventIDs  []string `json:"event_ids"`
	}
	if err := readInto(hr, &in); err != nil {
		return nil, err
	}
	if in.Dataset == "" || in.EventName == "" {
		return nil, refuse(http.StatusBadRequest, "dataset and event_name are needed")
	}
	type answer struct {
		EventID  string `json:"event_id"`
		Received uint32 `json:"received"`
		Kept     uint32 `json:"kept"`
	}
	out := make([]answer, 0, len(in.EventIDs))
	var missing, once, many int
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range in.EventIDs {
		received, kept := s.store.dedup.lookup(in.Dataset, in.EventName, id)
		out = append(out, answer{id, received, kept})
		switch kept {
		case 0:
			missing++
		case 1:
			once++
		default:
			many++
		}
	}
	return map[string]any{"ids": out, "missing": missing, "kept_once": once, "kept_more": many}, nil
}

// injectBrowser answers POST /_emulator/events/browser: an event as the pixel
// would have sent it. It only matters to deduplication and is not listed.
func (s *Server) injectBrowser(hr *http.Request) (any, error) {
	var in struct {
		Dataset    string `json:"dataset"`
		EventName  string `json:"event_name"`
		EventID    string `json:"event_id"`
		FBP        string `json:"fbp"`
		ExternalID string `json:"external_id"`
	}
	if err := readInto(hr, &in); err != nil {
		return nil, err
	}
	if in.Dataset == "" || in.EventName == "" || in.EventID+in.FBP+in.ExternalID == "" {
		return nil, refuse(http.StatusBadRequest, "dataset, event_name and one of event_id, fbp and external_id are needed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.dedup.browserInjected(in.Dataset, []byte(in.EventName), []byte(in.EventID), []byte(in.FBP), []byte(in.ExternalID), s.clock.now().Unix())
	return map[string]any{"success": true}, nil
}
