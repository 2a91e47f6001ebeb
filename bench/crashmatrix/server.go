package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/sandbox"
)

// server is the destination: the sandbox's handler, and around it the points at
// which a sender is killed. It counts by event_id what was really stored.
type server struct {
	url string
	box http.Handler

	mu      sync.Mutex
	stored  map[string]int
	arrived int        // requests since the last arm
	active  int        // requests being dealt with
	recent  [][]string // events of the requests since the last arm
	before  [][]string // those before the kill
	act     func(n int, x *exchange) bool
}

// exchange is one request at the events edge.
type exchange struct {
	s    *server
	w    http.ResponseWriter
	r    *http.Request
	body []byte
}

// newServer starts one that lives as long as the program.
func newServer(dedup bool) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{
		box: sandbox.New(sandbox.Options{NoDedup: !dedup, Keep: sandbox.KeepKeys}).Handler(),
		url: "http://" + l.Addr().String(), stored: map[string]int{},
	}
	go func() { _ = http.Serve(l, s) }()
	return s, nil
}

// arm sets what happens to the next requests; nil lets all pass. act returns true
// when it has dealt with the request.
func (s *server) arm(act func(n int, x *exchange) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived, s.act = 0, act
	s.recent, s.before = nil, nil
}

// pass lets all further requests pass.
func (s *server) pass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.act = nil
}

// freeze remembers the requests that came before this moment. Bytes that a dead
// process left in a socket still arrive: so it waits until the destination, but for
// its open requests, has been quiet for a while. A sender that is stopped may have
// left half a body, of which nothing more comes: three seconds are enough.
func (s *server) freeze(open int) {
	end := time.Now().Add(3 * time.Second)
	for quiet, seen := 0, -1; quiet < 5 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		if quiet++; s.active > open || s.arrived != seen {
			quiet, seen = 0, s.arrived
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before == nil { // what another worker repeats after a pause does not count
		s.before = s.recent
	}
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/events") {
		s.box.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	s.arrived++
	s.active++
	n, act := s.arrived, s.act
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.active--
		s.mu.Unlock()
	}()
	x := &exchange{s: s, w: w, r: r}
	if act != nil && act(n, x) {
		return
	}
	x.answer(x.store())
}

// read takes the whole body.
func (x *exchange) read() {
	if x.body == nil {
		x.body, _ = io.ReadAll(x.r.Body)
	}
}

// store hands the request to the sandbox and counts what it took.
func (x *exchange) store() *httptest.ResponseRecorder {
	x.read()
	r := x.r.Clone(x.r.Context())
	r.Body = io.NopCloser(bytes.NewReader(x.body))
	answer := httptest.NewRecorder()
	x.s.box.ServeHTTP(answer, r)
	ids := eventIDs(x.body)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.recent = append(x.s.recent, ids)
	if answer.Code == http.StatusOK {
		for _, id := range ids {
			x.s.stored[id]++
		}
	}
	return answer
}

// answer sends what the sandbox said.
func (x *exchange) answer(from *httptest.ResponseRecorder) {
	for k, v := range from.Header() {
		x.w.Header()[k] = v
	}
	x.w.WriteHeader(from.Code)
	_, _ = x.w.Write(from.Body.Bytes())
	if f, ok := x.w.(http.Flusher); ok {
		f.Flush()
	}
}

// drop closes the connection without an answer.
func (x *exchange) drop() { panic(http.ErrAbortHandler) }

func eventIDs(body []byte) []string {
	var in struct {
		Data []struct {
			EventID string `json:"event_id"`
		} `json:"data"`
	}
	_ = json.Unmarshal(body, &in) // the sandbox judges it
	ids := make([]string, len(in.Data))
	for i, e := range in.Data {
		ids[i] = e.EventID
	}
	return ids
}

// missing counts the ids that were never stored.
func (s *server) missing(ids map[string]bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range ids {
		if s.stored[id] == 0 {
			n++
		}
	}
	return n
}

// copies counts what is stored more than once, and how much of that no rule allows.
// Nobody but the dead sender knows which of its answers it had booked, but it had at
// most so many requests under way: more requests than that, or an event that had not
// been sent when it died, may not be there twice.
func (s *server) copies(underWay int) (doubled, outside int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.stored {
		if n > 1 {
			doubled++
		}
	}
	var requests []int // copies per request that came before the kill
	for _, ids := range s.before {
		n := 0
		for _, id := range ids {
			if s.stored[id] > 1 {
				n++
			}
		}
		requests = append(requests, n)
	}
	slices.Sort(requests)
	allowed := 0
	for _, n := range requests[max(0, len(requests)-underWay):] {
		allowed += n
	}
	return doubled, max(0, doubled-allowed)
}

// forget starts a new count.
func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored = map[string]int{}
}

// distinct is how many ids are stored, and how many of them more than once.
func (s *server) distinct() (all, doubled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.stored {
		if n > 1 {
			doubled++
		}
	}
	return len(s.stored), doubled
}
