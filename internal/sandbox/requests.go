package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

// Request is one Graph call that the sandbox remembers, for tests. It holds no token
// and no proof.
type Request struct {
	Method string // GET, POST or DELETE, also where a POST only said so
	// Path has no version: /act_3000000000000001/campaigns.
	Path    string
	Version string // as it was asked for
	// Params are those of query and body, without secrets and event data.
	Params url.Values
	// Token is the kind of the token: SYSTEM_USER, PAGE, THREADS …; empty where it was
	// refused. Page is the Page of a Page token.
	Token, Page string
	// Files are the names of the multipart files; "" is a raw body.
	Files []string
	// Batch says that it came inside a batch.
	Batch  bool
	Status int
	// Error is the name of the row of the catalogue that answered, empty without one.
	Error string
	// Evidence says how well the answer is known.
	Evidence string
	// Warnings name what Meta would pass over in silence: parameters it does not know.
	Warnings []string
}

// Requests are the remembered calls, oldest first: the last 1000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, e := range s.ring.list() {
		out = append(out, e.request)
	}
	return out
}

// ForgetRequests empties the memory of calls, so that a test sees only what follows.
func (s *Server) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = requestRing{}
}

// remembered is a call as tests see it.
func (r *request) remembered(rep *reply) Request {
	out := Request{
		Method: r.method(), Version: r.asked, Path: clip(r.path()), Params: shown(r.params()), Batch: r.entry, Status: rep.status,
		Evidence: rep.header.Get(evidenceHeader), Warnings: r.warnings,
	}
	if r.grant != nil {
		out.Token, out.Page = r.grant.kind, r.grant.page
	}
	if rep.err != nil {
		out.Error = rep.err.Name
	}
	if rep.cut == cutDrop {
		out.Status = 0
	}
	for name := range r.files {
		out.Files = append(out.Files, name)
	}
	slices.Sort(out.Files)
	return out
}

// path is the request's path without its version.
func (r *request) path() string {
	if r.edge == "" {
		return "/" + r.id
	}
	if slices.Contains(uploadRoots, r.edge) {
		return "/" + r.edge + "/" + r.id
	}
	return "/" + r.id + "/" + r.edge
}

// shown are parameters without secrets, events and batches.
func shown(params url.Values) url.Values {
	out := make(url.Values, len(params))
	for name, values := range params {
		switch {
		case name == "access_token" || name == "appsecret_proof" || name == "appsecret_time" || name == "method":
		case slices.Contains(secretParams, name), isEvents(name), name == "batch":
			out.Set(name, "hidden")
		default:
			out[name] = slices.Clone(values)
		}
	}
	return out
}

// isEvents reports whether a parameter holds events: data, data[], data[0] …
func isEvents(name string) bool { return name == "data" || strings.HasPrefix(name, "data[") }

// evidenceHeader names how well an answer is known.
const evidenceHeader = "X-Sluice-Evidence"

// evidence is the tag of an answer: of the row that refused, or of the operation.
func (r *request) evidence(rep *reply) string {
	switch {
	case rep.err != nil:
		return tag(rep.err.Evidence)
	case r.op != nil && r.op.Evidence != "":
		return string(r.op.Evidence)
	case r.op == nil && r.own != "":
		return r.own
	}
	return "R"
}

// tag turns the letters of the sandbox's own rows into those of graphspec: a live call
// and a third party's report are both reports.
func tag(letters string) string {
	if letters == "" {
		return "R"
	}
	switch letters[0] {
	case 'L', 'C':
		return "I"
	}
	return letters[:1]
}
