package journal

import (
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"
	"unsafe"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// errDamaged says that a record's body is not what its kind has.
var errDamaged = errors.New("a record of the journal is damaged")

// errTooLong says that a record does not fit into a frame. Nobody could read it.
var errTooLong = errors.New("a record of the journal is too long")

// What a call record may hold at most: a stranger chooses the names of arguments.
const (
	maxText = 4096
	maxKeys = 256
)

func appendText(b []byte, s string) []byte {
	if len(s) > maxText {
		s = s[:maxText]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendCall writes a call behind its length; its members have a fixed order.
func appendCall(b []byte, c *audit.Call) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = appendMembers(b, c)
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func appendMembers(b []byte, c *audit.Call) []byte {
	for _, s := range [...]string{
		c.Request, c.Phase, c.Workspace, c.Grant, c.Server, c.Session, c.Client, c.Method, c.Tool, c.ToolHash, c.Policy, c.PolicyHash,
		c.Decision, c.Code, c.Rule, c.ArgsHMAC, c.Approval, c.Settlement, c.Outcome, c.By, c.Reason,
	} {
		b = appendText(b, s)
	}
	b = binary.AppendVarint(b, int64(c.PolicyVersion))
	b = binary.AppendVarint(b, int64(c.UpstreamStatus))
	b = binary.AppendVarint(b, c.LatencyUS)
	n := min(len(c.ArgKeys), maxKeys)
	b = binary.AppendUvarint(b, uint64(n))
	for _, k := range c.ArgKeys[:n] {
		b = appendText(b, k)
	}
	return b
}

// reader takes a body apart. After a fault everything is empty and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint64() uint64 {
	b := r.bytes(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *reader) counter() (c enforce.Counter) {
	copy(c[:], r.bytes(uint64(len(c))))
	return c
}

// text is a part of the body itself: see owned.
func (r *reader) text() string {
	b := r.bytes(r.uvarint())
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (r *reader) time() time.Time {
	ns := r.varint()
	if ns == 0 {
		return time.Time{}
	}
	return unixTime(ns)
}

func unixTime(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// owned copies a body, so that the texts taken from it stay what they are: one
// allocation for all of them.
func owned(body []byte) reader { return reader{b: append(make([]byte, 0, len(body)), body...)} }

// part takes what stands behind its length, a call.
func (r *reader) part() reader {
	b := r.bytes(4)
	if b == nil {
		return reader{bad: true}
	}
	return reader{b: r.bytes(uint64(binary.LittleEndian.Uint32(b)))}
}

func (r *reader) call(c *audit.Call) {
	p := r.part()
	p.members(c)
	r.bad = r.bad || p.bad
}

func (r *reader) members(c *audit.Call) {
	for _, s := range [...]*string{
		&c.Request, &c.Phase, &c.Workspace, &c.Grant, &c.Server, &c.Session, &c.Client, &c.Method, &c.Tool, &c.ToolHash, &c.Policy, &c.PolicyHash,
		&c.Decision, &c.Code, &c.Rule, &c.ArgsHMAC, &c.Approval, &c.Settlement, &c.Outcome, &c.By, &c.Reason,
	} {
		*s = r.text()
	}
	c.PolicyVersion = int(r.varint())
	c.UpstreamStatus = int(r.varint())
	c.LatencyUS = r.varint()
	if n := r.uvarint(); n > maxKeys {
		r.fail()
	} else if n > 0 || c.ArgKeys != nil {
		if uint64(cap(c.ArgKeys)) < n {
			c.ArgKeys = make([]string, n)
		}
		c.ArgKeys = c.ArgKeys[:n]
		for i := range c.ArgKeys {
			c.ArgKeys[i] = r.text()
		}
	}
}

const (
	chargeSliding = 1 << iota
	chargeAfter
)

func appendCharges(b []byte, charges []enforce.Charge) []byte {
	b = binary.AppendUvarint(b, uint64(len(charges)))
	for i := range charges {
		c := &charges[i]
		flags := byte(0)
		if c.Sliding {
			flags |= chargeSliding
		}
		if c.After {
			flags |= chargeAfter
		}
		b = append(append(b, c.Counter[:]...), flags)
		b = binary.AppendVarint(b, int64(c.Window))
		b = binary.AppendVarint(b, c.Amount)
		b = binary.AppendVarint(b, c.Max)
		b = appendText(b, c.Rule)
	}
	return b
}

// smallestCharge is what one charge takes at least.
const smallestCharge = 21

func (r *reader) charges() []enforce.Charge {
	n := r.uvarint()
	if n > uint64(len(r.b)/smallestCharge) {
		r.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	list := make([]enforce.Charge, n)
	for i := range list {
		c := &list[i]
		c.Counter = r.counter()
		if f := r.bytes(1); f != nil {
			c.Sliding, c.After = f[0]&chargeSliding != 0, f[0]&chargeAfter != 0
		}
		c.Window = time.Duration(r.varint())
		c.Amount, c.Max = r.varint(), r.varint()
		c.Rule = r.text()
		if c.Window <= 0 {
			r.fail()
		}
	}
	return list
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}
