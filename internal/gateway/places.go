package gateway

import (
	"slices"
	"strings"
	"sync"

	"sluice/internal/mcpwire/exchange"
)

// places remembers which member listed a URI or a template. It only says whom to ask
// first: a URI is asked of the others too, so that what is forgotten, or was listed
// for another caller, costs a question and no more.
type places struct {
	mu        sync.RWMutex
	uris      map[string]int
	templates map[string]int // by what stands before their first variable
}

// Bounds of what is remembered.
const (
	maxURIs      = 20_000
	maxTemplates = 2_000
)

func newPlaces() *places {
	return &places{uris: map[string]int{}, templates: map[string]int{}}
}

// learn notes that a member listed a URI or template. Of several the first in their
// order is kept, whichever was heard first.
func (p *places) learn(member int, uri string, template bool) {
	into, bound := p.uris, maxURIs
	if template {
		uri, _, _ = strings.Cut(uri, "{")
		into, bound = p.templates, maxTemplates
	}
	p.mu.RLock()
	old, known := into[uri]
	full := len(into) >= bound
	p.mu.RUnlock()
	if known && old <= member || full && !known {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, known := into[uri]; !known || member < old {
		into[uri] = member
	}
}

// owner is the member that a URI is most likely of.
func (p *places) owner(uri string) (int, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if i, ok := p.uris[uri]; ok {
		return i, true
	}
	best, length := 0, -1
	for prefix, i := range p.templates {
		if strings.HasPrefix(uri, prefix) && (len(prefix) > length) {
			best, length = i, len(prefix)
		}
	}
	return best, length > 0
}

// candidates orders all members by how likely a URI is theirs.
func (p *places) candidates(uri string, members int) []int {
	order := make([]int, 0, members)
	if first, ok := p.owner(uri); ok {
		order = append(order, first)
	}
	for i := range members {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	return order
}

// sure reports whether somebody listed what a call is about.
func (p *places) sure(c *exchange.Call) bool {
	uri, ok := c.Message.Text(c.Message.URI)
	if !ok {
		return false
	}
	_, ok = p.owner(uri)
	return ok
}
