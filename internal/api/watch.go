package api

import (
	"net/http"

	"sluice/internal/fault"
)

// watch serves what machines look at: no token, no identifiers.
func (s *Server) watch(mux *http.ServeMux) {
	text := func(w http.ResponseWriter, status int, body string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if s.work.Err() != nil {
			text(w, http.StatusServiceUnavailable, "draining\n")
			return
		}
		if err := s.o.Ready(r.Context()); err != nil {
			s.o.Log.Warn("not ready", "error", err)
			text(w, http.StatusServiceUnavailable, "the store does not answer\n")
			return
		}
		text(w, http.StatusOK, "ready\n")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if s.o.Metrics == nil {
			s.notFound(w, r)
			return
		}
		body, err := s.o.Metrics(r.Context())
		if err != nil {
			s.fail(w, requestID(r.Context()), err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(body)
	})
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, requestID(r.Context()), fault.New(fault.NotFound, "there is no such route, or not with this method").
		WithFix("GET %s/openapi.json lists the routes", Root))
}
