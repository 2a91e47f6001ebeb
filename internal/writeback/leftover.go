package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"

	"sluice/internal/ledger"
	"sluice/internal/mapping"
)

// left is a record that a preview left out of its plan. With the plan's events it
// makes every receipt countable, once, by its key: a later preview of the same
// record says the newer thing.
type left struct {
	key      ledger.Key
	time     int64 // event_time; the preview's own where the record has none
	is       disposition
	value    int64
	code     string
	outcome  string
	currency string
	labels   []string
}

// leftRows is how many travel in one chunk.
const leftRows = 5000

// leave books a record that does not become an event of this plan. Repeats of what
// is counted elsewhere are no receipts and are not booked.
func (p *planner) leave(l left) {
	if l.code == "duplicate" || l.code == "duplicate_in_input" {
		return
	}
	if l.time == 0 {
		l.time = p.now.Unix()
	}
	p.left = append(p.left, l)
}

// leaveItem books a record that was left out before the ledger was asked.
func (p *planner) leaveItem(it *item) {
	l := left{key: it.receipt, time: it.at, is: it.is, value: it.value, code: it.code, outcome: it.outcome, currency: it.money, labels: it.labels}
	if it.reject != nil {
		l.code = it.reject.Code
	}
	if l.key == (ledger.Key{}) {
		l.key = ledger.KeyOf(p.realm, p.dataset, "place "+it.file, strconv.FormatInt(it.line, 10))
	}
	p.leave(l)
}

// receiptOf is the key a record is counted by: that of the event it would be, as far
// as that is known.
func (p *planner) receiptOf(m *mapping.Result) ledger.Key {
	if m.RecordID == "" {
		return ledger.Key{}
	}
	id, name := m.Event.EventID, m.Event.EventName
	if id == "" {
		id = mapping.EventID(p.mapping.Namespace(), m.Outcome, m.RecordID, m.Occurrence)
	}
	if name == "" {
		name = eventOf(&p.guard.policy, m.Outcome, p.mapping.Outcomes()[m.Outcome], p.mapping.EventSaid(m.Outcome))
	}
	return ledger.KeyOf(p.realm, p.dataset, name, id)
}

// conflicting is the key of an event whose own key stands for another sale.
func conflicting(e *entry) ledger.Key {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(e.key[:len(e.key):len(e.key)], uint64(e.fingerprint)))
	return ledger.Key(sum[:16])
}

// flushLeft writes what was left out once there are at least n.
func (p *planner) flushLeft(ctx context.Context, n int) error {
	if len(p.left) < n || len(p.left) == 0 {
		return nil
	}
	c := encodeLeft(p.left)
	c.Plan, c.No = p.plan.No, p.leftNo
	p.leftNo++
	p.left = p.left[:0]
	return p.store.Do(ctx, func(tx ledger.Tx) error { return tx.Leftovers().Put(ctx, &c) })
}

func encodeLeft(list []left) ledger.Leftover {
	c := ledger.Leftover{Oldest: list[0].time, Newest: list[0].time, Count: len(list)}
	texts := newInterner()
	var rows []byte
	for i := range list {
		l := &list[i]
		c.Oldest, c.Newest = min(c.Oldest, l.time), max(c.Newest, l.time)
		rows = append(append(rows, l.key[:]...), byte(l.is))
		rows = binary.AppendVarint(rows, l.time)
		rows = binary.AppendVarint(rows, l.value)
		for _, s := range [...]string{l.code, l.outcome, l.currency} {
			rows = binary.AppendUvarint(rows, uint64(texts.of(s)))
		}
		rows = binary.AppendUvarint(rows, uint64(len(l.labels)))
		for _, s := range l.labels {
			rows = binary.AppendUvarint(rows, uint64(texts.of(s)))
		}
	}
	c.Body = binary.AppendUvarint(nil, uint64(len(texts.names)))
	for _, s := range texts.names {
		c.Body = appendText(c.Body, s)
	}
	c.Body = append(c.Body, rows...)
	return c
}

var errLeft = errors.New("a chunk of left-out records is damaged")

// decodeLeft calls fn for the records of a chunk.
func decodeLeft(c *ledger.Leftover, fn func(*left) error) error {
	b, bad := c.Body, false
	number := func() uint64 {
		n, w := binary.Uvarint(b)
		if w <= 0 {
			bad = true
			return 0
		}
		b = b[w:]
		return n
	}
	signed := func() int64 {
		n, w := binary.Varint(b)
		if w <= 0 {
			bad = true
			return 0
		}
		b = b[w:]
		return n
	}
	texts := make([]string, min(number(), uint64(len(b))))
	for i := range texts {
		n := number()
		if bad || uint64(len(b)) < n {
			return errLeft
		}
		texts[i], b = string(b[:n]), b[n:]
	}
	text := func() string {
		n := number()
		if bad || n >= uint64(len(texts)) {
			bad = true
			return ""
		}
		return texts[n]
	}
	for range c.Count {
		var l left
		if len(b) < len(l.key)+1 {
			return errLeft
		}
		l.is, l.key = disposition(b[16]), ledger.Key(b[:16])
		b = b[17:]
		l.time, l.value = signed(), signed()
		l.code, l.outcome, l.currency = text(), text(), text()
		n := number()
		if bad || n > uint64(len(b)) {
			return errLeft
		}
		for range n {
			l.labels = append(l.labels, text())
		}
		if bad {
			return errLeft
		}
		if err := fn(&l); err != nil {
			return err
		}
	}
	return nil
}

// state is a disposition in the ledger's terms.
func (d disposition) state() ledger.State {
	switch d {
	case held:
		return ledger.Held
	case rejected:
		return ledger.Rejected
	case skipped:
		return ledger.Skipped
	case expired:
		return ledger.Expired
	default:
		return ledger.Planned
	}
}

// leaveEntry books an event that was left out beside the ledger.
func (d *deduper) leaveEntry(e *entry, k ledger.Kind, v verdict) {
	l := left{key: e.key, time: e.time, value: e.value, outcome: k.Outcome, currency: k.Currency, labels: k.Labels}
	switch v {
	case asHeld:
		l.is = held
	case asTooOld:
		l.is, l.code = expired, "too_old"
	default:
		l.is, l.code = skipped, verdictCodes[v]
	}
	d.leave(l)
}
