package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// catalogue is what is known of the upstream's tools from the lists that passed by: their
// names, and what they were defined as. Lists may differ by caller and by session, and so
// does it. Its zero value is ready.
type catalogue struct {
	mu      sync.Mutex
	shelves map[view]*shelf
	latest  map[string]*tools // by grant: the last list that was seen to its end
	common  *tools            // the last one of anybody: most callers see the same, and share it
}

// Bounds of what is remembered. Beyond the first, everything is forgotten and learned
// anew; a list that is longer than the second is not known.
const (
	mostViews = 1024
	mostTools = 10_000
)

// view is who sees a list.
type view struct{ grant, session string }

func viewOf(s *Subject, c *exchange.Call) view { return view{s.Grant, c.Session} }

// tools is one list of tools, whole. It does not change.
type tools struct {
	digest [sha256.Size]byte
	hashes map[string]string // by name: SHA-256 of the definition's canonical form
}

// shelf is what one view has seen.
type shelf struct {
	list *tools
	at   time.Time // when it was seen; zero: it is not up to date any more

	// The list that is passing by: what it had so far, and the cursor of its next page.
	partial *tools
	next    string
	lacking bool // an aggregate says that members are missing in it

	asked  time.Time     // when we last asked for it ourselves
	asking chan struct{} // closed when the list being asked for is there
}

// shelf is called with the lock held.
func (k *catalogue) shelf(v view) *shelf {
	f := k.shelves[v]
	if f == nil {
		if k.shelves == nil || len(k.shelves) >= mostViews {
			k.shelves, k.latest = map[view]*shelf{}, map[string]*tools{}
		}
		f = &shelf{}
		k.shelves[v] = f
	}
	return f
}

// hash is what is known of a tool's definition.
func (k *catalogue) hash(grant, tool string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.latest[grant]; t != nil {
		return t.hashes[tool]
	}
	return ""
}

// list is the last list that a grant has seen to its end; nil: none.
func (k *catalogue) list(grant string) *tools {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.latest[grant]
}

// toolHash is the digest of a tool's definition as the last list had it; empty when no
// list was seen.
func (p *Pipeline) toolHash(s *Subject, tool string) string {
	return p.results.tools.hash(s.Grant, tool)
}

var errNoList = errors.New("the answer is no list of tools")

// listPage is where the parts of one page of a list stand.
type listPage struct{ tools, next, scope, meta mcpwire.Span }

// partsOf finds them. Of what a list is filtered by, no two parsers may read different
// things.
func partsOf(m *mcpwire.Message) (at listPage, err error) {
	for key, value := range mcpwire.Members(m.Raw, m.Result) {
		switch name, _ := m.Text(key); name {
		case "tools":
			if at.tools.Present() {
				return at, errNoList
			}
			at.tools = value
		case "nextCursor":
			at.next = value
		case "cacheScope":
			if at.scope.Present() {
				return at, errNoList
			}
			at.scope = value
		case "_meta":
			at.meta = value
		default:
			if strings.EqualFold(name, "tools") {
				return at, errNoList
			}
		}
	}
	if !at.tools.Present() || m.Raw[at.tools.Start] != '[' {
		return at, errNoList
	}
	return at, nil
}

// nameOf is the name of a tool in a list.
func nameOf(raw []byte, tool mcpwire.Span) (string, error) {
	span, _ := only(raw, tool, "name")
	name, ok := mcpwire.Unquote(raw[span.Start:span.End])
	if !ok {
		return "", errNoList
	}
	return name, nil
}

// only is a member that an object has once, in one spelling.
func only(raw []byte, object mcpwire.Span, name string) (at mcpwire.Span, ok bool) {
	for key, value := range mcpwire.Members(raw, object) {
		text, _ := mcpwire.Unquote(raw[key.Start:key.End])
		if !strings.EqualFold(text, name) {
			continue
		}
		if at.Present() || text != name {
			return mcpwire.Span{}, false
		}
		at = value
	}
	return at, at.Present()
}

// learn takes one page of a list. cursor is what it was asked for with; empty for the
// first page. It tells the cursor of the next one.
func (k *catalogue) learn(v view, cursor string, m *mcpwire.Message, at *listPage, now time.Time) (next string, err error) {
	next, _ = m.Text(at.next)
	digest := sha256.Sum256(m.Bytes(at.tools))
	page := k.same(digest, cursor == "" && next == "")
	if page == nil {
		if page, err = read(m, at.tools, digest); err != nil {
			return "", err
		}
	}
	lacking := mcpwire.Member(m.Raw, at.meta, metaUnavailable).Present()
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.shelf(v)
	switch {
	case cursor == "":
		f.partial, f.lacking = page, lacking
	case f.partial != nil && cursor == f.next:
		f.partial, f.lacking = joined(f.partial, page), f.lacking || lacking
	default:
		return next, nil // a page out of order
	}
	f.next = next
	switch {
	case len(f.partial.hashes) > mostTools:
		f.partial = nil
	case next == "":
		k.complete(f, now)
		k.latest[v.grant] = f.list
	}
	return next, nil
}

// complete is called with the lock held, when a list was seen to its end.
func (k *catalogue) complete(f *shelf, now time.Time) {
	seen := f.partial
	switch {
	case f.lacking && f.list != nil && len(f.list.hashes) <= mostTools: // who is silent now still has its tools
		seen = joined(f.list, seen)
	case f.lacking:
	case k.common != nil && k.common.digest == seen.digest:
		seen = k.common
	default:
		k.common = seen
	}
	f.list, f.at, f.partial = seen, now, nil
}

// metaUnavailable is where an aggregate names the members that are not in a list.
const metaUnavailable = "sluice/unavailable"

// same is a list that is known already.
func (k *catalogue) same(digest [sha256.Size]byte, whole bool) *tools {
	k.mu.Lock()
	defer k.mu.Unlock()
	if whole && k.common != nil && k.common.digest == digest {
		return k.common
	}
	return nil
}

// read takes the names and definitions of a page.
func read(m *mcpwire.Message, array mcpwire.Span, digest [sha256.Size]byte) (*tools, error) {
	page := &tools{digest: digest, hashes: map[string]string{}}
	for tool := range mcpwire.Elements(m.Raw, array) {
		name, err := nameOf(m.Raw, tool)
		if err != nil {
			return nil, err
		}
		page.hashes[name] = definitionHash(m.Bytes(tool))
	}
	return page, nil
}

func joined(a, b *tools) *tools {
	sum := &tools{digest: sha256.Sum256(append(a.digest[:], b.digest[:]...)), hashes: make(map[string]string, len(a.hashes)+len(b.hashes))}
	for _, part := range []*tools{a, b} {
		for name, hash := range part.hashes {
			sum.hashes[name] = hash
		}
	}
	return sum
}

// definitionHash is the same for two definitions that say the same. One without a
// canonical form (a member twice) is hashed as it is written.
func definitionHash(definition []byte) string {
	canonical := jsontext.Value(bytes.Clone(definition))
	if canonical.Canonicalize() != nil {
		canonical = definition
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// stale notes that the upstream's tools changed: who wants to know has to look anew.
func (k *catalogue) stale(v view) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.shelves[v]; f != nil {
		f.at, f.asked = time.Time{}, time.Time{}
	}
}

// knows reports whether a name is in the list that a view has seen.
func (k *catalogue) knows(v view, name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.shelves[v]
	if f == nil {
		return false
	}
	for _, t := range []*tools{f.list, f.partial} {
		if t == nil {
			continue
		}
		if _, ok := t.hashes[name]; ok {
			return true
		}
	}
	return false
}
