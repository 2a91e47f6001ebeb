package sandbox

import "time"

// Windows of Meta's deduplication, from the first receipt.
const (
	dedupOnline  = 48 * time.Hour
	dedupOffline = 7 * 24 * time.Hour
)

// dedupRule names why an event counts as a duplicate.
type dedupRule uint8

const (
	ruleKept dedupRule = iota
	ruleEventID
	ruleBrowser
	ruleOrder
	ruleUser
)

func (r dedupRule) String() string {
	return [...]string{"", "event_id_48h", "browser_fallback", "offline_order", "offline_user"}[r]
}

// verdict says whether an event is kept, and if not, which event it repeats.
// of is 0 when it repeats a browser event.
type verdict struct {
	rule dedupRule
	of   uint32
}

// sighting is the first event of a key. It is small because a large run keeps one
// per event: 32 bits hold times until 2106, which the clock never passes, and more
// events than fit into memory.
type sighting struct {
	at  uint32 // Unix seconds of receipt
	seq uint32
}

func sightingAt(now int64, seq uint64) sighting { return sighting{at: uint32(now), seq: uint32(seq)} }

// covers reports whether a repeat at now falls into the window.
func (f sighting) covers(now int64, window time.Duration) bool {
	return f.seq != 0 && now-int64(f.at) < seconds(window)
}

// idEntry is what is known of one (dataset, event_name, event_id).
type idEntry struct {
	online         sighting
	received, kept uint32
}

// dedup holds the keys seen so far. Online and offline events never repeat each
// other; business_messaging events repeat nothing, as Meta leaves them alone.
// That two server events with one event_id collapse is our reading: the text
// speaks of any later event, its example of a browser and a server.
type dedup struct {
	ids     map[digest]idEntry
	offline map[digest]sighting
	browser map[digest]browserEvent
	keys    keymaker
	off     bool // nothing is a repeat
}

// browserEvent is an injected event of the browser side.
type browserEvent struct {
	at    int64
	hasID bool
}

// browserSeq marks a sighting that was a browser event.
const browserSeq = 1<<32 - 1

func newDedup() dedup {
	return dedup{ids: map[digest]idEntry{}, offline: map[digest]sighting{}, browser: map[digest]browserEvent{}}
}

// judge decides on one event and remembers it.
func (d *dedup) judge(dataset string, rec *record, now int64, seq uint64) verdict {
	var v verdict
	switch source := rec.source; {
	case d.off, source == sourceMessaging:
	case source == sourceStore:
		v = d.judgeOffline(rec, now, seq)
	default:
		return d.judgeOnline(dataset, rec, now, seq)
	}
	if rec.idKey != (digest{}) {
		d.countID(rec.idKey, v)
	}
	return v
}

func (d *dedup) judgeOffline(rec *record, now int64, seq uint64) verdict {
	first := d.offline[rec.offlineKey]
	if !first.covers(now, dedupOffline) {
		d.offline[rec.offlineKey] = sightingAt(now, seq)
		return verdict{}
	}
	if rec.byOrder {
		return verdict{rule: ruleOrder, of: first.seq}
	}
	return verdict{rule: ruleUser, of: first.seq}
}

func (d *dedup) judgeOnline(dataset string, rec *record, now int64, seq uint64) verdict {
	if rec.idKey == (digest{}) {
		if d.repeatsBrowser(dataset, rec, now) {
			return verdict{rule: ruleBrowser}
		}
		return verdict{}
	}
	e := d.ids[rec.idKey]
	e.received++
	var v verdict
	switch {
	case e.online.covers(now, dedupOnline):
		v = verdict{rule: ruleEventID, of: e.online.seq}
		if v.of == browserSeq {
			v.of = 0
		}
	case d.repeatsBrowser(dataset, rec, now):
		v = verdict{rule: ruleBrowser}
	default:
		e.online = sightingAt(now, seq)
		e.kept++
	}
	d.ids[rec.idKey] = e
	return v
}

// countID keeps the totals of an id whose events are judged by another rule.
func (d *dedup) countID(key digest, v verdict) {
	e := d.ids[key]
	e.received++
	if v.rule == ruleKept {
		e.kept++
	}
	d.ids[key] = e
}

// repeatsBrowser applies the fallback rule: same event name and fbp or external_id
// as a browser event of the last 48 hours. Where both sides have an event_id they
// differ here, so the events do too.
func (d *dedup) repeatsBrowser(dataset string, rec *record, now int64) bool {
	if len(d.browser) == 0 {
		return false
	}
	for _, pair := range userPairs(rec.userRaw) {
		key := userKey(pair[0])
		if key != keyFBP && key != keyExternalID {
			continue
		}
		b, seen := d.browser[d.keys.browser(dataset, rec.name, key, pair[1:])]
		if seen && now-b.at < seconds(dedupOnline) && !(b.hasID && len(rec.id) > 0) {
			return true
		}
	}
	return false
}

// browserInjected remembers a browser event for both online rules.
func (d *dedup) browserInjected(dataset string, name, id, fbp, externalID []byte, now int64) {
	if len(id) > 0 {
		key := d.keys.eventID(dataset, name, id)
		e := d.ids[key]
		if !e.online.covers(now, dedupOnline) {
			e.online = sightingAt(now, browserSeq)
			d.ids[key] = e
		}
	}
	for key, v := range map[userKey][]byte{keyFBP: fbp, keyExternalID: externalID} {
		if len(v) > 0 {
			d.browser[d.keys.browser(dataset, name, key, v)] = browserEvent{at: now, hasID: len(id) > 0}
		}
	}
}

// lookup returns how often an event id was received and kept.
func (d *dedup) lookup(dataset, name, id string) (received, kept uint32) {
	e := d.ids[d.keys.eventID(dataset, []byte(name), []byte(id))]
	return e.received, e.kept
}
