package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox/world"
)

// dispatch checks token and object and runs the operation: one of the sandbox's own
// (routes), or what the world makes of graphspec.
func (s *Server) dispatch(r *request) (any, *apiError) {
	if r.token, r.tokenIn = tokenOf(r); r.token == "" {
		return nil, errTokenInvalid.with()
	}
	s.mu.Lock()
	tok, err := s.world.verify(r.token, r.now)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	r.grant = tok
	if r.id == "me" {
		r.object = s.world.Get(tok.me())
	}
	reaches := s.world.reaches(tok, r.object)
	s.mu.Unlock()
	s.threadsVersion(r)
	rt := s.route(r)
	if rt != nil && !tok.allows(rt.scopes) {
		return nil, errPermission.with()
	}
	if !reaches {
		return nil, errAssignment.with()
	}
	if tok.kind != world.KindThreads { // Threads knows no proofs
		if err := checkProof(r, s.opts.RequireProof); err != nil {
			return nil, err
		}
	}
	if rt == nil {
		return s.serveWorld(r)
	}
	if r.bodyErr != nil {
		return nil, r.bodyErr
	}
	r.own = string(graphspec.Documented)
	r.op = world.Operation(r.method(), r.object, rt.edge)
	return rt.handle(s, r)
}

// locate finds the object that a request names, before its token is known: faults are
// planned by node type and pool.
func (s *Server) locate(r *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.object = s.world.Get(r.id)
	r.pool = s.poolOf(r)
}

// serveWorld hands a call to the world.
func (s *Server) serveWorld(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.call(r)
	if r.object == nil {
		c.Edge = strings.Trim(r.id+"/"+r.edge, "/")
	}
	r.op = world.Operation(c.Verb, c.On, c.Edge)
	if r.id == "" && c.Verb == http.MethodGet && r.hasParam("ids") {
		return s.readMany(r)
	}
	switch {
	case r.object == nil && r.op == nil && r.id != "":
		return nil, errNoObject.with("method", strings.ToLower(r.method()), "id", r.id)
	case r.op == nil && c.Verb == http.MethodGet && r.edge != "":
		return nil, errNoField.with("field", r.edge, "type", r.object.Kind)
	case r.op == nil:
		return nil, errNoObject.with("method", strings.ToLower(r.method()), "id", r.id)
	case r.bodyErr != nil:
		return nil, r.bodyErr
	}
	if err := s.ended(r); err != nil {
		return nil, err
	}
	v, err := s.world.Serve(c)
	if err != nil {
		return nil, fromWorld(err)
	}
	return encode(v), nil // what it holds belongs to the world, which goes on
}

// call makes a world's call of a request. The caller holds mu.
func (s *Server) call(r *request) *world.Call {
	c := &world.Call{
		World: s.world.World, Verb: r.method(), On: r.object, Edge: r.edge, Params: r.params(), Files: r.files, Header: r.uploadHeaders(),
		Token: s.world.granted(r.grant), Now: r.now, Warn: func(what string) { r.warnings = append(r.warnings, clip(what)) },
		Carry: r.query,
	}
	scheme := "http"
	if r.http.TLS != nil || r.http.URL.Scheme == "https" {
		scheme = "https"
	}
	host := url.URL{Scheme: scheme, Host: r.http.Host}
	c.Base, c.Address = host.String(), host.String()+r.http.URL.Path
	if r.asked != "" {
		c.Base += "/" + r.asked
	}
	if r.tokenIn == "query" {
		c.Secret = r.token
	}
	return c
}

// params are the parameters of body and query; the body wins.
func (r *request) params() url.Values {
	out := make(url.Values, len(r.query)+len(r.form))
	for name, v := range r.query {
		out[name] = v
	}
	for name, v := range r.form {
		if len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

// uploadHeaders are the headers that uploads speak through.
func (r *request) uploadHeaders() map[string]string {
	if r.files == nil {
		return nil
	}
	out := map[string]string{}
	for _, name := range []string{"offset", "file_offset", "file_size", "file_url", "content-type"} {
		// Written with underscores, as Graph has them, they keep their spelling here.
		for key, v := range r.http.Header {
			if strings.EqualFold(key, name) && len(v) > 0 {
				out[name] = v[0]
			}
		}
	}
	return out
}

// readMany answers GET /?ids=a,b: up to 50 objects by id. The caller holds mu.
func (s *Server) readMany(r *request) (any, *apiError) {
	const most = 50
	out := map[string]any{}
	ids := strings.Split(r.param("ids"), ",")
	if len(ids) > most {
		return nil, errParam.with("what", "Param ids can hold at most 50 ids")
	}
	for _, id := range ids {
		id = strings.TrimSpace(id)
		c := s.call(r)
		c.Params.Del("ids")
		if c.On = s.world.Get(id); c.On == nil || !s.world.reaches(r.grant, c.On) {
			return nil, errNoObject.with("method", "get", "id", id)
		}
		v, err := s.world.Serve(c)
		if err != nil {
			return nil, fromWorld(err)
		}
		out[id] = v
	}
	return encode(out), nil
}

// threadsVersion serves Threads under its own version, v1.0.
func (s *Server) threadsVersion(r *request) {
	if r.asked == graphspec.ThreadsVersion && (r.grant.kind == world.KindThreads || r.object != nil && strings.HasPrefix(r.object.Kind, "Threads")) {
		r.served = r.asked
	}
}

// ended refuses a version of the Marketing API that is past its last day; the others
// follow the longer life of Graph.
func (s *Server) ended(r *request) *apiError {
	if r.object == nil || r.asked == "" || !marketing(r.object.Kind) {
		return nil
	}
	last := graphspec.Ends(r.asked, true)
	if last.IsZero() || r.now.Before(last.Add(24*time.Hour)) {
		return nil
	}
	return rowOf(graphspec.ErrorNamed("version_ended")).with("version", graphspec.Newest)
}

// marketing reports whether a node type belongs to the Marketing API.
func marketing(kind string) bool {
	switch kind {
	case "AdAccount", "Campaign", "AdSet", "Ad", "AdCreative", "AdImage", "AdVideo", "AdRule", "AdLabel", "AdStudy", "AdReportRun",
		"CustomAudience", "SavedAudience", "CustomConversion":
		return true
	}
	return false
}
