package capi

import (
	"sync"
	"time"
)

// CheckOptions sets what CheckWire judges by. The zero value is what an Encoder
// with zero Options promises.
type CheckOptions struct {
	// Now is asked once per call; nil means time.Now.
	Now                   func() time.Time
	OfflineWindow         OfflineWindow
	Margin                time.Duration
	AllowMissingUserAgent bool
}

// CheckWire judges one event in its final bytes: schema, hashed form, sufficiency,
// windows and sizes. It is the rule set of the offline dry run and deliberately
// shares no rule with Encoder, so that a defect of one shows in the other. It
// returns every fault; nil means that nothing speaks against sending.
//
// Finished bytes can't be mended, so what would be dropped on the way in refuses
// the event here.
func CheckWire(event []byte, opts CheckOptions) []Fault {
	c := checkers.Get().(*checker)
	defer checkers.Put(c)
	faults := c.check(event, opts)
	c.release()
	for i := range faults {
		if faults[i].Effect == Drop {
			faults[i].Effect = Refuse
		}
	}
	return faults
}

var checkers = sync.Pool{New: func() any { return new(checker) }}

// checker walks an event by the schema, judges each value by its kind, and keeps
// what the rules across values need.
type checker struct {
	wireReader
	opts  CheckOptions
	now   int64
	facts wireFacts
}

func (c *checker) check(event []byte, opts CheckOptions) []Fault {
	now := time.Now
	if opts.Now != nil {
		now = opts.Now
	}
	c.opts, c.now, c.facts = opts, now().Unix(), wireFacts{}
	c.start(event, "")
	if len(event) > maxEventBytes {
		c.fault(CodeEventTooLarge)
		return c.faults
	}
	c.object(&eventSchema)
	c.end()
	if !c.broken {
		c.rules()
	}
	return c.faults
}

// object walks one object by its schema.
func (c *checker) object(schema *wireObject) {
	if !c.open('{') {
		return
	}
	for c.more() {
		name := c.name()
		if c.broken {
			return
		}
		member, known := schema.members[string(name)]
		n := c.enterNamed(name)
		switch {
		case known:
			c.member(&member)
		case schema.open:
			c.anything()
		default:
			c.fault(CodeUnknownKey)
			c.skip()
		}
		c.path = c.path[:n]
	}
}

func (c *checker) member(m *wireMember) {
	switch m.kind {
	case wireObjectKind:
		c.facts.seen |= m.fact
		c.object(m.object)
	case wireObjects:
		c.contents(m.object)
	case wireTexts, wireHashes, wireIDs:
		c.list(m)
	case wireAny:
		c.anything()
	default:
		c.scalar(m)
	}
}

// anything passes over a value whose type is free, but not null, nor is anything in it.
func (c *checker) anything() {
	if holdsNull(c.raw()) {
		c.fault(CodeNullValue)
	}
}

// list judges a list of texts; Meta takes a single text for one as well.
func (c *checker) list(m *wireMember) {
	c.facts.seen |= m.fact
	if c.kind() == '"' && m.fact != hasExtInfo {
		c.element(m)
		return
	}
	if !c.open('[') {
		return
	}
	count := 0
	for ; c.more(); count++ {
		n := c.enterIndex(count)
		text := c.element(m)
		c.path = c.path[:n]
		if m.user != 0 && count == maxValues && !c.broken {
			c.fault(CodeTooManyValues)
		}
		if m.fact == hasExtInfo && !c.broken {
			c.facts.extInfo.add(count, text)
		}
	}
	if m.user != 0 && count == 0 && !c.broken {
		c.fault(CodeEmpty)
	}
}

// element judges one text of a list and returns it.
func (c *checker) element(m *wireMember) []byte {
	if c.kind() != '"' {
		c.mismatch()
		return nil
	}
	text := unquote(c.raw())
	if c.broken {
		return nil
	}
	c.facts.keys |= m.user
	switch {
	case m.fact == hasExtInfo:
	case len(text) == 0 && m.kind == wireTexts:
		c.fault(CodeEmptyListItem)
	case len(text) == 0:
		c.fault(CodeEmpty)
	case m.kind == wireHashes && !wireHash(text):
		c.fault(CodeNotHashed)
	case m.kind != wireTexts && len(text) >= hexDigestLen && string(text[:hexDigestLen]) == emptySHA256:
		c.fault(CodeHashOfEmpty)
	}
	return text
}

// wireHash reports 64 lower-case hex digits, alone or with the appendix of Meta's
// parameter builder, whose digits may be of either case.
func wireHash(text []byte) bool {
	if len(text) < hexDigestLen {
		return false
	}
	seen := lowerHexDigit
	for _, b := range text[:hexDigestLen] {
		seen |= hexClasses[b]
	}
	switch {
	case seen&noHexDigit != 0:
		return false
	case len(text) == hexDigestLen:
		return seen == lowerHexDigit
	default:
		return text[hexDigestLen] == '.' && isAppendix(text[hexDigestLen+1:])
	}
}

const (
	lowerHexDigit byte = 1 << iota
	upperHexDigit
	noHexDigit
)

var hexClasses = func() (t [256]byte) {
	for b := range t {
		switch {
		case '0' <= b && b <= '9', 'a' <= b && b <= 'f':
			t[b] = lowerHexDigit
		case 'A' <= b && b <= 'F':
			t[b] = upperHexDigit
		default:
			t[b] = noHexDigit
		}
	}
	return t
}()

// contents judges the lines of an order.
func (c *checker) contents(schema *wireObject) {
	if !c.open('[') {
		return
	}
	for i := 0; c.more(); i++ {
		n := c.enterIndex(i)
		c.facts.seen &^= hasContentID
		c.object(schema)
		if !c.facts.has(hasContentID) && !c.broken {
			c.faultIn("id", CodeMissingContentID)
		}
		c.path = c.path[:n]
	}
}
