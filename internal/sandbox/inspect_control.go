package sandbox

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/internal/sandbox/world"
)

func (s *Server) listRequests(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{"total": s.ring.made, "requests": s.ring.list()}, nil
}

func (s *Server) resetAll(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.reset()
	s.reset()
	return map[string]any{"success": true}, nil
}

func (s *Server) readClock(*http.Request) (any, error) {
	return map[string]any{"now": s.clock.now().UTC().Format(time.RFC3339Nano), "frozen": s.clock.isFrozen()}, nil
}

// moveClock answers POST /_emulator/clock. now is RFC 3339 text or Unix seconds;
// it is set before advance_s is added.
func (s *Server) moveClock(hr *http.Request) (any, error) {
	var in struct {
		Advance *int64         `json:"advance_s"`
		Now     jsontext.Value `json:"now"`
		Frozen  *bool          `json:"frozen"`
	}
	if err := readInto(hr, &in); err != nil {
		return nil, err
	}
	if in.Advance == nil && in.Now == nil && in.Frozen == nil {
		return nil, refuse(http.StatusBadRequest, "one of advance_s, now and frozen is needed")
	}
	s.mu.Lock() // so that two moves at once both count
	defer s.mu.Unlock()
	target := s.clock.now()
	if in.Now != nil {
		t, err := parseInstant(in.Now)
		if err != nil {
			return nil, err
		}
		target = t
	}
	if in.Advance != nil {
		if *in.Advance > clockEnd || *in.Advance < -clockEnd {
			return nil, errClockRange
		}
		target = target.Add(time.Duration(*in.Advance) * time.Second)
	}
	if target.Unix() < 0 || target.Unix() >= clockEnd {
		return nil, errClockRange
	}
	if in.Now != nil || in.Advance != nil {
		s.clock.set(target)
	}
	if in.Frozen != nil {
		s.clock.freeze(*in.Frozen)
	}
	return s.readClock(hr)
}

// clockEnd is the year 2100 in Unix seconds: times must fit where deduplication
// keeps them.
const clockEnd = 4102444800

var errClockRange = refuse(http.StatusBadRequest, "the clock stays between 1970 and 2100")

func parseInstant(v jsontext.Value) (time.Time, error) {
	var text string
	if json.Unmarshal(v, &text) == nil {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t, nil
		}
	} else if n, ok := parseInt(v); ok && n >= 0 {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, refuse(http.StatusBadRequest, "a time must be RFC 3339 text or Unix seconds")
}

func (s *Server) listFaults(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []fault{}
	for _, f := range s.faults.active {
		out = append(out, f.shown())
	}
	return map[string]any{"faults": out}, nil
}

func (s *Server) planFault(hr *http.Request) (any, error) {
	var f fault
	if err := readInto(hr, &f); err != nil {
		return nil, err
	}
	if err := f.complete(); err != nil {
		return nil, refuse(http.StatusBadRequest, "%s", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.add(&f)
	return f.shown(), nil
}

func (s *Server) dropFaults(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.active = nil
	return map[string]any{"success": true}, nil
}

// addToken answers POST /_emulator/tokens: a token with fewer scopes or objects,
// to see what a caller does with permission errors. Without scopes it has none,
// without objects it reaches all.
func (s *Server) addToken(hr *http.Request) (any, error) {
	var in struct {
		Token     string         `json:"token"`
		Scopes    []string       `json:"scopes"`
		Kind      string         `json:"kind"`
		Page      string         `json:"page"`
		Objects   []string       `json:"objects"`
		Expires   jsontext.Value `json:"expires_at"`
		ExpiresIn int64          `json:"expires_in"`
	}
	if err := readInto(hr, &in); err != nil {
		return nil, err
	}
	if in.Token == "" {
		return nil, refuse(http.StatusBadRequest, "token is needed")
	}
	switch in.Kind {
	case "", world.KindSystemUser, world.KindUser, world.KindPage, world.KindApp, world.KindThreads:
	default:
		return nil, refuse(http.StatusBadRequest, "kind is none of SYSTEM_USER, USER, PAGE, APP, THREADS")
	}
	if in.Kind == world.KindPage && in.Page == "" {
		return nil, refuse(http.StatusBadRequest, "a Page token needs page")
	}
	g := Grant{Token: in.Token, Scopes: in.Scopes, Kind: in.Kind, Page: in.Page, Objects: in.Objects}
	switch {
	case in.Expires != nil:
		t, err := parseInstant(in.Expires)
		if err != nil {
			return nil, err
		}
		g.Expires = t
	case in.ExpiresIn != 0:
		g.Expires = s.clock.now().Add(time.Duration(in.ExpiresIn) * time.Second)
	}
	s.AddToken(g)
	return map[string]any{"success": true}, nil
}
