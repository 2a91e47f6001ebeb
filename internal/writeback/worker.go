package writeback

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
)

// item is one record after mapping, encoding and sealing.
type item struct {
	is      disposition
	entry   entry
	kind    string // encoded kind, see appendKind
	labels  []string
	outcome string
	file    string
	line    int64
	lines   int
	keys    capi.KeySet
	code    string // of a skip
	reject  *ledger.Reject
	until   int64        // when a hold ends, Unix seconds
	at      int64        // event_time, as far as it is known
	receipt ledger.Key   // what the record is counted by when it is left out
	laid    bool         // entry is complete: what becomes of it is decided beside the ledger
	target  outcome.ID   // of the record, where cancellations name it
	named   []outcome.ID // lines of the order that a cancellation can name
	cancel  *outcome.Cancellation
	rank    int   // of the outcome within its sale
	fatal   error // refuses the whole plan
	faults  []capi.Fault
	warns   []string
	hashed  int // identifiers that arrived hashed
	value   int64
	money   string // currency of value; "" when the record has none
}

// work is a run of records that one worker takes at once.
type work struct {
	seq    uint64 // of the chunk
	groups [][]mapping.Row
	fault  *item // a record the reader itself could not read, instead of groups
	done   chan result
}

type result struct {
	items  []item
	sealed []byte // offsets of the entries are relative to its start

	subjects []subject
	tags     []privacy.Tag // of the subjects, in their order
}

// worker maps, normalises, hashes, encodes and seals. It owns its scratch.
type worker struct {
	p       *planner
	mapper  *mapping.Mapper
	encoder *capi.Encoder
	sealer  *frozen.Sealer
	event   []byte
	kind    []byte
	kinds   map[string]string // interned encodings
	tagger  *privacy.Tagger
	tags    []privacy.Tag
	digest  *digester
}

func (w *worker) run(j work) result {
	var r result
	if j.fault != nil {
		r.items = []item{*j.fault}
		return r
	}
	r.sealed = w.p.buffers.get()
	r.items = make([]item, 0, len(j.groups))
	for i, rows := range j.groups {
		it := w.one(rows, j.seq<<20|uint64(i), &r)
		r.items = append(r.items, it)
	}
	return r
}

func (w *worker) one(rows []mapping.Row, slot uint64, r *result) item {
	m := w.mapper.Map(rows)
	it := item{
		file: rows[0].File, line: rows[0].Line, lines: len(rows), outcome: m.Outcome,
		labels: slices.Clone(m.Labels), warns: slices.Clone(m.Warnings),
	}
	if it.at = m.Event.EventTime; m.Kind != mapping.Mapped {
		it.receipt = w.p.receiptOf(m)
	}
	switch m.Kind {
	case mapping.Skipped:
		if it.is, it.code = skipped, m.Code; w.p.guard.waits(m) {
			it.is = held
		}
		w.cancellation(m, &it)
		return it
	case mapping.Rejected:
		it.refuse("map", m.Reject.Code, m.Reject.Column, m.Reject.Masked, m.Reject.Hint, m.RecordID)
		return it
	}
	ev := &m.Event
	policy := &w.p.guard.policy
	ev.EventName = eventOf(policy, m.Outcome, ev.EventName, w.p.mapping.EventSaid(m.Outcome))
	crm(ev, m.Outcome)
	// As it is written on the wire, so that sums and fingerprints see one currency.
	ev.CustomData.Currency = strings.ToUpper(strings.TrimSpace(ev.CustomData.Currency))
	if ev.EventID == "" {
		ev.EventID = mapping.EventID(w.p.mapping.Namespace(), m.Outcome, m.RecordID, m.Occurrence)
	}
	if ev.CustomData.Value.Set {
		it.value, it.money = int64(ev.CustomData.Value.Value), ev.CustomData.Currency
	}
	if strings.ContainsRune(ev.EventID, 0) {
		it.refuse("map", "bad_event_id", "event_id", "", "the event id holds a NUL character; mend the column it comes from", m.RecordID)
		return it
	}
	it.receipt = ledger.KeyOf(w.p.realm, w.p.dataset, ev.EventName, ev.EventID)
	data, report := w.encoder.Append(w.event[:0], ev)
	w.event = data[:0]
	it.keys, it.hashed = report.Keys, report.PreHashed
	if bad := firstRefusal(report); bad != nil {
		if tooOld(report) {
			it.is = expired
			return it
		}
		// Why nothing usable was left is the more useful half of the answer.
		it.faults = slices.DeleteFunc(slices.Clone(report.Faults), func(f capi.Fault) bool { return f.Effect != capi.Drop })
		it.refuse("validate", bad.Code, bad.Path, "", bad.Message+"; "+bad.Fix, m.RecordID)
		return it
	}
	it.faults = slices.Clone(report.Faults)
	if w.recognise(data) {
		it.is, it.code = skipped, SkipSuppressed
		return it
	}
	if w.p.onlyMeta && !metaTouched(m) {
		it.is, it.code = skipped, SkipNoMetaTouch
		return it
	}
	said, isSaid := w.p.mapping.HoldSaid(m.Outcome)
	hold := holdOf(policy, m.Outcome, said, isSaid)
	if tooLong(hold, ev.ActionSource, w.p.options.OfflineWindow) {
		it.fatal = holdRefused(m.Outcome, hold, ev.ActionSource, w.p.options.OfflineWindow)
		return it
	}
	it.is, it.laid, it.until = planned, true, ev.EventTime+int64(hold/time.Second)
	it.rank, it.named = outcome.Rank(policy.SaleRank, m.Outcome), w.named(m, &it)
	e := &it.entry
	e.time, e.eventID = ev.EventTime, ev.EventID
	e.value = int64(ev.CustomData.Value.Value)
	e.key = ledger.KeyOf(w.p.realm, w.p.dataset, ev.EventName, ev.EventID)
	e.fingerprint = ledger.Fingerprint(ev.EventTime, e.value, ev.CustomData.Currency)
	e.leaf = leafHash(data)
	e.line = it.line
	if ev.ActionSource == capi.PhysicalStore {
		e.class = classStore
	}
	if ev.EventName == purchase {
		e.sale = w.digest.sale(m.SaleKey)
	}
	it.kind = w.kindOf(ev, m, report.Keys)
	if hold > 0 && it.until > w.p.now.Unix() {
		it.is, e.verdict, e.offset = held, asHeld, it.until
		return it
	}
	e.offset = int64(len(r.sealed))
	r.sealed = w.sealer.Seal(r.sealed, slot, data)
	e.length = len(r.sealed) - int(e.offset)
	r.remember(w.tags, e)
	return it
}

// kindOf encodes what the event shares with others; equal kinds are one string.
func (w *worker) kindOf(ev *capi.Event, m *mapping.Result, keys capi.KeySet) string {
	b := w.kind[:0]
	for _, s := range [...]string{ev.EventName, m.Outcome, string(ev.ActionSource), ev.CustomData.Currency, capi.ChannelTier(keys, ev.ActionSource).String()} {
		b = appendText(b, s)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(keys))
	for _, s := range m.Labels {
		b = appendText(b, s)
	}
	w.kind = b
	if s, ok := w.kinds[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(w.kinds) < 1<<16 { // labels may be many; the memory for them may not
		w.kinds[s] = s
	}
	return s
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeKind is the inverse of kindOf.
func decodeKind(no int, s string) ledger.Kind {
	b := []byte(s)
	text := func() string {
		n, w := binary.Uvarint(b)
		out := string(b[w : w+int(n)])
		b = b[w+int(n):]
		return out
	}
	k := ledger.Kind{No: no, EventName: text(), Outcome: text(), ActionSource: text(), Currency: text(), Tier: text()}
	k.Keys, b = binary.BigEndian.Uint64(b), b[8:]
	for len(b) > 0 {
		k.Labels = append(k.Labels, text())
	}
	return k
}

func (it *item) refuse(stage, code, field, masked, hint, record string) {
	it.is = rejected
	it.reject = &ledger.Reject{
		File: it.file, Line: it.line, Stage: stage, Code: code, Field: field, Masked: masked, Hint: hint,
		Record: recordDigest(record), Labels: it.labels,
	}
}

// recordDigest names a record without repeating an id that may be a customer's.
func recordDigest(record string) string {
	if record == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(record))
	return hex.EncodeToString(sum[:6])
}

func firstRefusal(r *capi.Report) *capi.Fault {
	for i := range r.Faults {
		if r.Faults[i].Effect == capi.Refuse {
			return &r.Faults[i]
		}
	}
	return nil
}

// tooOld decides before every other fault: a row outside its window is expired,
// not rejected, whatever else is wrong with it.
func tooOld(r *capi.Report) bool {
	return slices.ContainsFunc(r.Faults, func(f capi.Fault) bool { return f.Code == "too_old" })
}
