package graph

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// secrets are the texts that must not leave in an address, an answer, an error or a
// log: tokens, and the app's secret.
type secrets struct {
	mu sync.RWMutex
	// byStart holds them by their first characters. The tokens of one app begin alike, so
	// that a text without that beginning need not be searched for hundreds of them.
	byStart map[string][]string
}

const (
	// shortest keeps a setting that is no secret, such as "x", from blanking out texts.
	shortest    = 8
	startLength = 6
)

func (s *secrets) add(text string) {
	if len(text) < shortest || s.has(text) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byStart == nil {
		s.byStart = map[string][]string{}
	}
	for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text)} {
		start := form[:startLength]
		if !slices.Contains(s.byStart[start], form) {
			s.byStart[start] = append(s.byStart[start], form)
		}
	}
}

func (s *secrets) has(text string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Contains(s.byStart[text[:startLength]], text)
}

// in reports whether a text holds a secret.
func (s *secrets) in(text string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for start, list := range s.byStart {
		if strings.Contains(text, start) && slices.ContainsFunc(list, func(secret string) bool { return strings.Contains(text, secret) }) {
			return true
		}
	}
	return false
}

const removed = "[removed]"

// strip takes the secrets out of a text.
func (s *secrets) strip(text string) string { return string(s.stripBytes([]byte(text))) }

// stripBytes is strip for an answer, which it returns as it is when there is nothing.
func (s *secrets) stripBytes(b []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for start, list := range s.byStart {
		if !bytes.Contains(b, []byte(start)) {
			continue
		}
		for _, secret := range list {
			if bytes.Contains(b, []byte(secret)) {
				b = bytes.ReplaceAll(b, []byte(secret), []byte(removed))
			}
		}
	}
	return b
}
