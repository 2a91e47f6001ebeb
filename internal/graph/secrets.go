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
	mu   sync.RWMutex
	list []string
}

// shortest keeps a setting that is no secret, such as "x", from blanking out texts.
const shortest = 8

func (s *secrets) add(text string) {
	if len(text) < shortest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range []string{text, url.QueryEscape(text), url.PathEscape(text)} {
		if !slices.Contains(s.list, form) {
			s.list = append(s.list, form)
		}
	}
}

// in reports whether a text holds a secret.
func (s *secrets) in(text string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(s.list, func(secret string) bool { return strings.Contains(text, secret) })
}

const removed = "[removed]"

// strip takes the secrets out of a text.
func (s *secrets) strip(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.list {
		text = strings.ReplaceAll(text, secret, removed)
	}
	return text
}

// stripBytes is strip for an answer, which it returns as it is when there is nothing.
func (s *secrets) stripBytes(b []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.list {
		if bytes.Contains(b, []byte(secret)) {
			b = bytes.ReplaceAll(b, []byte(secret), []byte(removed))
		}
	}
	return b
}
