package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// Kinds of faults.
const (
	faultError        = "error"           // refuse with code and subcode
	faultThrottle     = "throttle"        // refuse with a rate-limit code and usage headers
	faultRefuseEvent  = "refuse_event"    // refuse requests that hold one of event_ids
	faultLatency      = "latency"         // wait, then go on
	faultDropBefore   = "drop_before"     // close the connection, nothing stored
	faultHTML         = "html_502"        // answer as a broken proxy does, nothing stored
	faultDropAfter    = "drop_after"      // store, then close the connection
	faultTruncate     = "truncate"        // store, then cut the reply in half
	faultShort        = "short_received"  // store, but report fewer events
	faultUsageHeaders = "usage_headers"   // answer normally, with usage headers
	faultHidden       = "200_with_error"  // refuse under status 200, as Graph does at times
	faultVersion      = "version_warning" // answer normally, with a warning of the version
	faultNull         = "null"            // an entry of a batch that never ran
)

// faultKinds says of every kind when it cuts in: before anything is stored or after.
var faultKinds = map[string]struct{ after bool }{
	faultError: {}, faultThrottle: {}, faultRefuseEvent: {}, faultLatency: {}, faultDropBefore: {}, faultHTML: {},
	faultHidden: {}, faultNull: {}, faultVersion: {true},
	faultDropAfter: {true}, faultTruncate: {true}, faultShort: {true}, faultUsageHeaders: {true},
}

// maxLatency bounds how long a fault may make a request wait.
const maxLatency = 10 * time.Minute

// fault is one entry of the plan, in the form the inspection surface takes and
// shows it.
type fault struct {
	ID   int    `json:"id"`
	Kind string `json:"kind"`
	// Next is how many matching requests it still meets; -1 means all. The default
	// is 1, and all when EventIDs are given.
	Next *int `json:"next,omitempty"`
	// EventIDs restricts it to events requests that hold one of them and pass
	// every check.
	EventIDs []string `json:"event_ids,omitempty"`
	// Edge restricts it to requests for one edge; default events, * for all. A request
	// without edge is met by the node type (Campaign), by the id, or by the name of what
	// belongs to no object (search, batch).
	Edge string `json:"edge,omitempty"`
	// Method restricts it to GET, POST or DELETE; Pool to one business use case.
	Method string `json:"method,omitempty"`
	Pool   string `json:"pool,omitempty"`
	// Name is that of a row of the catalogue, in the place of code and subcode.
	Name      string `json:"name,omitempty"`
	Code      int    `json:"code,omitempty"`
	Subcode   int    `json:"subcode,omitempty"`
	LatencyMS int64  `json:"latency_ms,omitempty"`
	// Missing is how many events short_received leaves out of the count, default 1;
	// with Lose they are not stored either.
	Missing int  `json:"missing,omitempty"`
	Lose    bool `json:"lose,omitempty"`
	// Percent and EstimatedMinutes go into usage headers.
	Percent          int `json:"percent,omitempty"`
	EstimatedMinutes int `json:"estimated_minutes,omitempty"`
	// Hits counts the requests it met.
	Hits int `json:"hits"`

	ids map[string]bool // EventIDs
}

// complete fills in defaults and refuses what makes no sense.
func (f *fault) complete() error {
	f.defaults()
	when, known := faultKinds[f.Kind]
	if f.Name != "" {
		row := rowNamed(f.Name)
		if row == nil {
			return fmt.Errorf("no row of the catalogue is called %q", clip(f.Name))
		}
		f.Code, f.Subcode = row.Code, row.Subcode
	}
	switch {
	case !known:
		return fmt.Errorf("unknown kind %q", clip(f.Kind))
	case f.ID != 0 || f.Hits != 0:
		return fmt.Errorf("id and hits are not for the caller to set")
	case f.Kind == faultRefuseEvent && len(f.EventIDs) == 0:
		return fmt.Errorf("refuse_event needs event_ids")
	case f.Kind == faultLatency && f.LatencyMS == 0:
		return fmt.Errorf("latency needs latency_ms")
	case f.LatencyMS < 0 || f.LatencyMS > maxLatency.Milliseconds():
		return fmt.Errorf("latency_ms must be 0 to %d", maxLatency.Milliseconds())
	case *f.Next == 0 || *f.Next < -1:
		return fmt.Errorf("next must be positive, or -1 for all")
	case len(f.EventIDs) > 0 && f.Edge != edgeEvents:
		return fmt.Errorf("event_ids go with the events edge only")
	case f.Missing < 0 || f.Percent < 0 || f.EstimatedMinutes < 0:
		return fmt.Errorf("missing, percent and estimated_minutes can't be negative")
	case f.Code != 0 && when.after:
		return fmt.Errorf("%s takes no code", f.Kind)
	}
	return nil
}

func (f *fault) defaults() {
	if f.Next == nil {
		next := 1
		if len(f.EventIDs) > 0 {
			next = -1
		}
		f.Next = &next
	}
	switch {
	case f.Edge != "":
	case f.Pool != "":
		f.Edge = "*"
	default:
		f.Edge = edgeEvents
	}
	switch f.Kind {
	case faultError, faultHidden:
		f.Code = orDefault(f.Code, 2)
	case faultRefuseEvent:
		f.Code = orDefault(f.Code, 100)
	case faultThrottle:
		f.Code = orDefault(f.Code, orDefault(poolCodes[f.Pool], 4))
		f.Percent = orDefault(f.Percent, 100)
		f.EstimatedMinutes = orDefault(f.EstimatedMinutes, 1)
	case faultUsageHeaders:
		f.Percent = orDefault(f.Percent, 75)
	case faultShort:
		f.Missing = orDefault(f.Missing, 1)
	}
}

func orDefault(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// faultPlan is the faults that wait for requests. The server's mutex guards it.
type faultPlan struct {
	made   int
	active []*fault
}

func (p *faultPlan) add(f *fault) {
	f.ids = make(map[string]bool, len(f.EventIDs))
	for _, id := range f.EventIDs {
		f.ids[id] = true
	}
	p.made++
	f.ID = p.made
	p.active = append(p.active, f)
}

// shown is a copy that later requests do not change.
func (f *fault) shown() fault {
	out := *f
	left := *f.Next
	out.Next = &left
	return out
}

// take finds the first fault of a phase that meets the request, after the one
// with id last, and uses it up by one. records is nil while the events are unknown.
func (p *faultPlan) take(r *request, after bool, records []record, last int) *fault {
	for i, f := range p.active {
		meets := f.ID > last && faultKinds[f.Kind].after == after && f.meets(r)
		if len(f.EventIDs) > 0 {
			meets = meets && holdsAny(records, f.ids)
		} else {
			meets = meets && (after || records == nil) // met early already
		}
		if !meets {
			continue
		}
		f.Hits++
		met := f.shown()
		if *f.Next > 0 {
			if *f.Next--; *f.Next == 0 {
				p.active = slices.Delete(p.active, i, i+1)
			}
		}
		return &met
	}
	return nil
}

// meets reports whether the fault is for this request, whatever it holds.
func (f *fault) meets(r *request) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, r.http.Method) || f.Pool != "" && f.Pool != r.pool.kind {
		return false
	}
	if f.Kind == faultNull && !r.entry {
		return false
	}
	switch {
	case f.Edge == "*" || f.Edge == r.edge || f.Edge == r.id && r.id != "":
		return true
	case r.edge != "":
		return r.object != nil && f.Edge == r.object.Kind+"."+r.edge
	case r.object != nil:
		return f.Edge == r.object.Kind
	}
	return r.id == "" && f.Edge == "batch"
}

// poolCodes are the errors that say that a business use case is used up.
var poolCodes = map[string]int{
	"ads_insights": 80000, "pages": 80001, "instagram": 80002, "custom_audience": 80003, "ads_management": 80004, "leadgen": 80005,
	"messenger": 80006, "catalog_management": 80009, "catalog_batch": 80014,
}

func holdsAny(records []record, ids map[string]bool) bool {
	return slices.ContainsFunc(records, func(rec record) bool { return ids[string(rec.id)] })
}

// faultBefore applies the faults that cut in before anything is stored. It is
// asked twice: early without records, and again when the events passed all checks.
func (s *Server) faultBefore(r *request, records []record) *reply {
	for last := 0; ; {
		s.mu.Lock()
		f := s.faults.take(r, false, records, last)
		s.mu.Unlock()
		if f == nil {
			return nil
		}
		last = f.ID
		r.fault = f.Kind
		f.wait(r.http.Context())
		if rep := f.before(r); rep != nil {
			return rep
		}
	}
}

// before makes the reply of a fault that cuts in early; nil goes on.
func (f *fault) before(r *request) *reply {
	switch f.Kind {
	case faultDropBefore:
		return &reply{header: http.Header{}, cut: cutDrop}
	case faultHTML:
		return &reply{
			status: http.StatusBadGateway, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
			body: []byte("<!DOCTYPE html><html><head><title>Error</title></head><body><h1>502 Bad Gateway</h1></body></html>"),
		}
	case faultNull:
		return &reply{header: http.Header{}, cut: cutDrop}
	case faultError, faultRefuseEvent:
		return f.refusal(r)
	case faultHidden:
		rep := f.refusal(r)
		rep.status = http.StatusOK
		return rep
	case faultThrottle:
		rep := f.refusal(r)
		f.usage(rep.header, r.pool)
		return rep
	}
	return nil
}

func (f *fault) refusal(r *request) *reply {
	row := rowFor(f.Code, f.Subcode)
	if f.Name != "" {
		row = rowNamed(f.Name)
	}
	return (&apiError{row: row}).reply(r.trace)
}

// planAfter takes the fault that will break the reply of a request whose events
// are about to be stored. lost events are not stored, missing ones not reported.
func (s *Server) planAfter(r *request, records []record) (lost, missing int) {
	s.mu.Lock()
	r.after = s.faults.take(r, true, records, 0)
	s.mu.Unlock()
	if r.after == nil || r.after.Kind != faultShort {
		return 0, 0
	}
	missing = min(r.after.Missing, len(records))
	if r.after.Lose {
		lost = missing
	}
	return lost, missing
}

// faultAfter breaks the reply of a request that did its work.
func (s *Server) faultAfter(r *request, rep *reply) {
	f := r.after
	if f == nil {
		return
	}
	r.fault = f.Kind
	f.wait(r.http.Context())
	switch f.Kind {
	case faultDropAfter:
		rep.cut = cutDrop
	case faultTruncate:
		rep.cut = cutHalf
	case faultUsageHeaders:
		f.usage(rep.header, r.pool)
	case faultVersion:
		rep.header.Set("X-Ad-Api-Version-Warning", "The call has been auto-upgraded to "+graphspec.Newest+" as "+r.served+" will be deprecated.")
	}
}

// wait delays the request, at most until the caller gives up.
func (f *fault) wait(ctx context.Context) {
	if f.LatencyMS == 0 {
		return
	}
	t := time.NewTimer(time.Duration(f.LatencyMS) * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// usage writes the header that belongs to a rate-limit code: the app's for 4, the
// ad account's for 17 and 613, the business use case's for the rest. Minutes in
// the one, seconds in the other, as Meta has it.
func (f *fault) usage(h http.Header, p pool) {
	switch f.Code {
	case 4, 0:
		h.Set("X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_time":%d,"total_cputime":%d}`, f.Percent, f.Percent, f.Percent))
	case 17, 613, 80004:
		h.Set("X-Ad-Account-Usage", fmt.Sprintf(
			`{"acc_id_util_pct":%d,"reset_time_duration":%d,"ads_api_access_tier":"standard_access"}`, f.Percent, 60*f.EstimatedMinutes))
	}
	asset, kind := Business, "ads_management"
	if p.kind != "" {
		asset, kind = p.asset, p.kind
	}
	if kind == "ads_insights" {
		h.Set("X-Fb-Ads-Insights-Throttle", fmt.Sprintf(
			`{"app_id_util_pct":%d,"acc_id_util_pct":%d,"ads_api_access_tier":"standard_access"}`, f.Percent, f.Percent))
	}
	h.Set("X-Business-Use-Case-Usage", fmt.Sprintf(
		`{"%s":[{"type":"%s","call_count":%d,"total_cputime":%d,"total_time":%d,`+
			`"estimated_time_to_regain_access":%d,"ads_api_access_tier":"standard_access"}]}`,
		asset, kind, f.Percent, f.Percent, f.Percent, f.EstimatedMinutes))
}
