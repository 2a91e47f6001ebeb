package journal

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// defaultCalls is how many calls are returned where no limit is asked for.
const defaultCalls = 100

// search goes back through the records, newest first. An outcome is met before its
// decision, and waits for it.
type search struct {
	f        *enforce.CallFilter
	limit    int
	skipping bool // until the call Before was met
	ends     map[string]*audit.Call
	reviews  map[string]*audit.Call
	found    []enforce.RecordedCall
	// What a record must hold somewhere to be worth taking apart: both records of a call,
	// and that of its decision.
	either, decision [][]byte
}

func newSearch(f *enforce.CallFilter) *search {
	q := &search{f: f, limit: f.Limit, skipping: f.Before != "", ends: map[string]*audit.Call{}, reviews: map[string]*audit.Call{}}
	if q.limit <= 0 {
		q.limit = defaultCalls
	}
	for _, text := range []string{f.Request, f.Grant, f.Tool, f.Server, f.Workspace} {
		if text != "" {
			q.either = append(q.either, []byte(text))
		}
	}
	for _, text := range []string{f.Rule, f.Code, f.Decision} {
		if text != "" {
			q.decision = append(q.decision, []byte(text))
		}
	}
	return q
}

func holds(body []byte, texts [][]byte) bool {
	return !slices.ContainsFunc(texts, func(text []byte) bool { return !bytes.Contains(body, text) })
}

// Calls implements enforce.Store. The journal's files are what is searched, as far back
// as they are kept.
func (s *Store) Calls(ctx context.Context, f enforce.CallFilter) ([]enforce.RecordedCall, error) {
	// The first turn writes what was settled, the second counts it.
	if err := s.do(ctx, func(*group) error { return nil }); err != nil {
		return nil, err
	}
	to, _, err := s.reached(ctx)
	if err != nil {
		return nil, err
	}
	gens, err := generations(s.o.Dir, journalStart)
	if err != nil {
		return nil, err
	}
	q := newSearch(&f)
	for i := len(gens) - 1; i >= 0 && len(q.found) < q.limit; i-- {
		if gens[i] > to.gen {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := int64(-1)
		if gens[i] == to.gen {
			end = to.offset
		}
		before := len(q.found)
		older, err := q.file(s.o.Dir, gens[i], end)
		if err != nil && !gone(err) {
			return nil, err
		}
		if f.Arguments {
			if err := attachKept(s.o.Dir, gens[i], q.found[before:]); err != nil {
				return nil, err
			}
		}
		if !older {
			break
		}
	}
	return q.found, nil
}

// file searches one file; older says that files before it may hold more.
func (q *search) file(dir string, gen, end int64) (older bool, err error) {
	file, err := os.Open(journalPath(dir, gen))
	if err != nil {
		return true, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return true, err
	}
	if end < 0 {
		end = info.Size()
	}
	b := make([]byte, end)
	if _, err := io.ReadFull(io.NewSectionReader(file, 0, end), b); err != nil {
		return true, err
	}
	var frames []int // where records of calls begin
	first, last := int64(0), int64(0)
	for at := 0; at < len(b); {
		f, n, c := cutFrame(b[at:])
		if c != whole {
			skip, found := resync(b[at:], last)
			if !found {
				break
			}
			at += skip
			continue
		}
		if at == 0 {
			first = f.at
		}
		last = max(last, f.seq)
		if f.kind.hasCall() {
			frames = append(frames, at)
		}
		at += n
	}
	for i := len(frames) - 1; i >= 0 && len(q.found) < q.limit; i-- {
		f, _, _ := cutFrame(b[frames[i]:])
		if !q.f.Since.IsZero() && unixTime(f.at).Before(q.f.Since) {
			return false, nil
		}
		if err := q.record(&f); err != nil {
			return true, err
		}
	}
	return q.f.Since.IsZero() || !unixTime(first).Before(q.f.Since), nil
}

// record looks at one record.
func (q *search) record(f *frame) error {
	if !q.skipping && !holds(f.body, q.either) {
		return nil
	}
	if f.kind == kindSettle || f.kind == kindRelease {
		c, err := callOf(f.body)
		if err != nil {
			return err
		}
		if f.kind == kindSettle {
			q.ends[c.Request] = &c
		} else {
			q.reviews[c.Request] = &c
		}
		return nil
	}
	if !q.f.Until.IsZero() && !unixTime(f.at).Before(q.f.Until) {
		return nil
	}
	if !q.skipping && !holds(f.body, q.decision) {
		r := reader{b: f.body}
		part := r.part()
		request := part.text()
		delete(q.ends, request)
		delete(q.reviews, request)
		return nil
	}
	c, err := callOf(f.body)
	if err != nil {
		return err
	}
	end, review := q.ends[c.Request], q.reviews[c.Request]
	delete(q.ends, c.Request)
	delete(q.reviews, c.Request)
	if q.skipping {
		q.skipping = c.Request != q.f.Before
		return nil
	}
	if !matches(q.f, &c) {
		return nil
	}
	r := enforce.RecordedCall{At: unixTime(f.at), Call: c}
	if end != nil {
		r.Ended = true
		r.Call.Settlement, r.Call.UpstreamStatus, r.Call.Outcome, r.Call.LatencyUS = end.Settlement, end.UpstreamStatus, end.Outcome, end.LatencyUS
	}
	if review != nil {
		r.Call.Settlement, r.Call.By, r.Call.Reason = review.Settlement, review.By, review.Reason
	}
	q.found = append(q.found, r)
	return nil
}

func matches(f *enforce.CallFilter, c *audit.Call) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(f.Workspace, c.Workspace) && is(f.Grant, c.Grant) && is(f.Server, c.Server) && is(f.Tool, c.Tool) &&
		is(f.Decision, c.Decision) && is(f.Code, c.Code) && is(f.Rule, c.Rule) && is(f.Request, c.Request)
}

func attachKept(dir string, gen int64, list []enforce.RecordedCall) error {
	wanted := map[string][]byte{}
	for i := range list {
		wanted[list[i].Call.Request] = nil
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := keptOf(dir, gen, wanted); err != nil {
		return err
	}
	for i := range list {
		list[i].Arguments = wanted[list[i].Call.Request]
	}
	return nil
}
