package sandbox

import (
	"strings"
	"sync"
)

// record is what stays of a checked event until it is stored. Byte slices are
// views of the request's body.
type record struct {
	raw, name, id, url, userAgent, userRaw []byte

	time        int64
	source      actionSource
	keys        keySet
	custom      uint32
	customNames [][]byte
	hashedOdd   bool

	idKey      digest // (dataset, event_name, event_id); zero without event_id
	offlineKey digest // offline deduplication key; zero unless physical_store
	byOrder    bool   // offlineKey was made from order_id, not from user keys
}

// batch is the data parameter of one request, decoded and checked.
type batch struct {
	dataset  string
	judge    judgement
	present  bool      // there was a data parameter
	list     bool      // it was a list
	count    int       // its elements
	failed   *apiError // first failing event, in index order
	records  []record  // of the events before it
	dec      decoder
	keymaker keymaker
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch(dataset string, judge judgement) *batch {
	b := batches.Get().(*batch)
	b.dataset, b.judge = dataset, judge
	return b
}

// release gives the batch back. No record may be used afterwards.
func (b *batch) release() {
	clear(b.records)
	b.dec.scanner.reset(nil)
	b.dec.ev.reset()
	clear(b.dec.ev.customNames[:cap(b.dec.ev.customNames)])
	*b = batch{records: b.records[:0], dec: b.dec, keymaker: b.keymaker}
	batches.Put(b)
}

// readJSON reads the value of data where a JSON body has it. It returns false
// when the text is not JSON; everything else is noted in the batch.
func (b *batch) readJSON() bool {
	d := &b.dec
	b.present, b.list = true, d.peek() == '['
	switch {
	case b.list:
	case d.peek() == '"':
		return b.readQuoted()
	default:
		return d.skip()
	}
	if !d.open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := d.element(first)
		if !ok || !more {
			return ok
		}
		if !b.element() {
			return false
		}
	}
}

// readQuoted reads data where a JSON body has the list as text, the form it has
// in url-encoded bodies.
func (b *batch) readQuoted() bool {
	text, ok := b.dec.text()
	if !ok {
		return false
	}
	outer := b.dec.scanner
	b.dec.scanner = scanner{b: text}
	d := &b.dec
	b.list = d.peek() == '[' && b.readJSON() && d.end()
	d.scanner = outer
	return true
}

// element reads one element of data: an event, or a string that holds one.
func (b *batch) element() bool {
	d := &b.dec
	d.index = b.count
	b.count++
	switch {
	case b.failed != nil || b.count > maxBatchEvents:
		return d.skip()
	case d.peek() == '"':
		text, ok := d.text()
		if ok {
			b.nested(text)
		}
		return ok
	}
	if !d.event() {
		return false
	}
	b.judgeEvent()
	return true
}

// nested reads an event from text of its own.
func (b *batch) nested(text []byte) {
	outer := b.dec.scanner
	b.dec.scanner = scanner{b: text}
	if d := &b.dec; !d.event() || !d.end() {
		d.bad = nil
		d.violate(`Param "` + d.param() + `" is not the JSON text of an event.`)
	}
	b.judgeEvent()
	b.dec.scanner = outer
}

// judgeEvent checks the decoded event and keeps its record.
func (b *batch) judgeEvent() {
	d := &b.dec
	if b.failed = d.bad; b.failed != nil {
		return
	}
	if b.failed = d.check(&b.judge); b.failed != nil {
		return
	}
	ev := &d.ev
	rec := record{
		raw: ev.raw, name: ev.name, id: ev.id, url: ev.url, userAgent: ev.userAgent, userRaw: ev.userRaw,
		time: ev.time, source: ev.source, keys: ev.keys, custom: ev.custom, hashedOdd: ev.hashedOdd,
	}
	if len(ev.customNames) > 0 {
		rec.customNames = append([][]byte(nil), ev.customNames...)
	}
	b.keymaker.keys(b.dataset, ev, &rec)
	b.records = append(b.records, rec)
}

// readTexts reads data from form fields: one field with the JSON text of the
// list, or one field per event.
func (b *batch) readTexts(list string, each []string) {
	b.present = true
	if each != nil {
		b.list = true
		for _, text := range each {
			b.dec.index = b.count
			b.count++
			if b.failed == nil && b.count <= maxBatchEvents {
				b.nested([]byte(text))
			}
		}
		return
	}
	d := &b.dec
	d.scanner.reset([]byte(strings.TrimSpace(list)))
	if ok := b.readJSON() && d.end(); !ok {
		b.list = false
	}
}

// verdict answers for the batch as a whole: the fourth and fifth check of a request.
func (b *batch) verdict() *apiError {
	switch {
	case !b.present:
		return errParam.with("what", "The parameter data is required")
	case !b.list:
		return errParam.with("what", "Param data must be an array.")
	case b.count == 0:
		return errNoEvents.with()
	case b.count > maxBatchEvents:
		return errTooManyEvents.with()
	}
	return b.failed
}
