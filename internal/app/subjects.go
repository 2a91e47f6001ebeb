package app

import (
	"slices"
	"sync"

	"sluice/internal/gateway/pipeline"
	"sluice/internal/govern"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/tenant"
)

// subjects is the directory as the pipeline of one server sees it: the grants that call
// it, themselves or through an aggregate that it is a member of.
type subjects struct {
	directory *govern.Directory
	server    string // id

	mu    sync.RWMutex
	known map[subjectKey]*pipeline.Subject // of one revision
	at    int64
}

type subjectKey struct {
	entry    *govern.Entry
	readOnly bool
}

// Subject serves pipeline.Directory.
func (s *subjects) Subject(c exchange.Caller, _ string) *pipeline.Subject {
	e := s.directory.Lookup(c.ID, s.server)
	if e == nil {
		return nil
	}
	key := subjectKey{e, c.ReadOnly || len(e.Grant.Scopes) > 0 && !slices.Contains(e.Grant.Scopes, string(tenant.Write))}
	s.mu.RLock()
	known := s.known[key]
	s.mu.RUnlock()
	if known != nil {
		return known
	}
	made := subjectOf(e, key.readOnly)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || s.at != e.Revision {
		s.known, s.at = map[subjectKey]*pipeline.Subject{}, e.Revision
	}
	s.known[key] = made
	return made
}

// Available tells the pipeline whether a caller that is not known is none, or nobody can
// tell.
func (s *subjects) Available() error { return s.directory.Available() }

// Changed serves pipeline.Directory.
func (s *subjects) Changed() <-chan struct{} { return s.directory.Changed() }

func subjectOf(e *govern.Entry, readOnly bool) *pipeline.Subject {
	s := &pipeline.Subject{
		Workspace: e.Workspace, Server: e.Server.ID, Grant: e.Grant.ID, GrantName: e.Grant.Name, MintedBy: e.Grant.CreatedBy, ReadOnly: readOnly,
		Settings: e.Server.Settings, Revision: e.Revision, Expires: e.Grant.ExpiresAt,
		Through: e.Through != nil,
	}
	for _, b := range e.Policies {
		s.Policies = append(s.Policies, pipeline.Bound{ID: b.ID, Name: b.Name, Version: b.Version, Hash: b.Hash, Mode: b.Mode, Policy: b.Policy})
	}
	return s
}
