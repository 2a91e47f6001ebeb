package sandbox

import (
	"context"
	"log/slog"
	"net/url"
)

// ringSize is how many requests the inspection surface remembers.
const ringSize = 1000

// requestEntry is one Graph call as the inspection surface shows it. Tokens and
// proofs are replaced before it is made.
type requestEntry struct {
	N          uint64 `json:"n"`
	At         string `json:"at"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Query      string `json:"query,omitempty"`
	Version    string `json:"version,omitempty"` // that answered
	Content    string `json:"content_type,omitempty"`
	Encoding   string `json:"content_encoding,omitempty"`
	UserAgent  string `json:"user_agent,omitempty"`
	TokenIn    string `json:"token_in,omitempty"` // header, query or body
	Bytes      int    `json:"bytes"`
	Status     int    `json:"status"` // 0 when the connection was closed instead
	Code       int    `json:"code,omitempty"`
	Subcode    int    `json:"error_subcode,omitempty"`
	Error      string `json:"error,omitempty"` // name of the catalogue's row
	Fault      string `json:"fault,omitempty"`
	Received   uint64 `json:"received,omitempty"`
	Kept       uint64 `json:"kept,omitempty"`
	Duplicates uint64 `json:"duplicates,omitempty"`
	Trace      string `json:"fbtrace_id"`

	Params   url.Values `json:"params,omitempty"`
	Token    string     `json:"token_kind,omitempty"`
	Batch    bool       `json:"batch,omitempty"` // came inside one
	Evidence string     `json:"evidence,omitempty"`
	Warnings []string   `json:"warnings,omitempty"`

	request Request
}

// requestRing remembers the last requests. The server's mutex guards it.
type requestRing struct {
	made    uint64
	entries []requestEntry
}

func (ring *requestRing) add(e requestEntry) {
	e.N = ring.made + 1
	if len(ring.entries) < ringSize {
		ring.entries = append(ring.entries, e)
	} else {
		ring.entries[ring.made%ringSize] = e
	}
	ring.made++
}

// list returns the remembered requests, oldest first.
func (ring *requestRing) list() []requestEntry {
	out := make([]requestEntry, 0, len(ring.entries))
	if ring.made > ringSize {
		at := ring.made % ringSize
		out = append(out, ring.entries[at:]...)
		return append(out, ring.entries[:at]...)
	}
	return append(out, ring.entries...)
}

// record notes a finished Graph call.
func (s *Server) record(r *request, rep *reply) {
	if r.tokenIn == "" {
		_, r.tokenIn = tokenOf(r)
	}
	e := requestEntry{
		At: r.now.UTC().Format("2006-01-02T15:04:05.000Z07:00"), Method: r.http.Method, Path: clip(r.http.URL.Path),
		Query: clip(scrubbed(r.query)), Version: r.served, Content: clip(r.http.Header.Get("Content-Type")),
		Encoding: clip(r.http.Header.Get("Content-Encoding")), UserAgent: clip(r.http.UserAgent()), TokenIn: r.tokenIn,
		Bytes: r.size, Status: rep.status, Fault: r.fault,
		Received: r.outcome.Received, Kept: r.outcome.Kept, Duplicates: r.outcome.Duplicates, Trace: r.trace,
	}
	e.request = r.remembered(rep)
	e.Params, e.Token, e.Batch = e.request.Params, e.request.Token, e.request.Batch
	e.Evidence, e.Warnings = e.request.Evidence, e.request.Warnings
	if rep.err != nil {
		e.Code, e.Subcode, e.Error = rep.err.Code, rep.err.Subcode, rep.err.Name
	}
	if rep.cut == cutDrop {
		e.Status = 0
	}
	s.mu.Lock()
	s.ring.add(e)
	s.mu.Unlock()
	s.log.LogAttrs(context.Background(), slog.LevelDebug, "graph call",
		slog.String("method", e.Method), slog.String("path", e.Path), slog.Int("status", e.Status),
		slog.Int("code", e.Code), slog.Int("subcode", e.Subcode), slog.Uint64("received", e.Received),
		slog.Uint64("duplicates", e.Duplicates), slog.String("fbtrace_id", e.Trace))
}

// secretParams never reach the log.
var secretParams = []string{"access_token", "appsecret_proof", "input_token", "client_secret"}

// scrubbed is a query without secrets and without event data.
func scrubbed(query url.Values) string {
	out := url.Values{}
	for name, values := range query {
		out[name] = values
	}
	for _, name := range secretParams {
		if out.Has(name) {
			out.Set(name, "hidden")
		}
	}
	for name := range out {
		if isEvents(name) {
			out.Set(name, "hidden")
		}
	}
	return out.Encode()
}
