package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// digest is the first half of a SHA-256: small enough to keep one per event of a
// large run, long enough that two keys never share one.
type digest [16]byte

// keymaker computes deduplication keys and reuses its buffer.
type keymaker struct {
	buf []byte
}

// Domains keep keys of different rules apart.
const (
	domainID byte = iota + 1
	domainOrder
	domainUser
	domainBrowser
)

func (k *keymaker) begin(domain byte, dataset string) {
	k.buf = append(k.buf[:0], domain)
	k.text([]byte(dataset))
}

// text adds a part with its length, so that no two lists of parts look alike.
func (k *keymaker) text(v []byte) {
	k.buf = binary.AppendUvarint(k.buf, uint64(len(v)))
	k.buf = append(k.buf, v...)
}

func (k *keymaker) sum() digest {
	full := sha256.Sum256(k.buf)
	return digest(full[:])
}

// eventID is the key of online deduplication.
func (k *keymaker) eventID(dataset string, name, id []byte) digest {
	k.begin(domainID, dataset)
	k.text(name)
	k.text(id)
	return k.sum()
}

// browser is a key of the fallback rule: event name and one browser identifier.
func (k *keymaker) browser(dataset string, name []byte, key userKey, value []byte) digest {
	k.begin(domainBrowser, dataset)
	k.text(name)
	k.buf = append(k.buf, byte(key))
	k.text(value)
	return k.sum()
}

// keys fills in the keys of a checked event.
func (k *keymaker) keys(dataset string, ev *event, rec *record) {
	if len(ev.id) > 0 {
		rec.idKey = k.eventID(dataset, ev.name, ev.id)
	}
	if ev.source != sourceStore {
		return
	}
	if rec.byOrder = len(ev.orderID) > 0; rec.byOrder {
		k.begin(domainOrder, dataset)
		k.text(ev.orderID)
	} else {
		k.begin(domainUser, dataset)
		for _, pair := range userPairs(ev.userRaw) {
			k.text(pair)
		}
	}
	k.text(ev.name)
	k.text(ev.itemNumber)
	k.buf = binary.AppendVarint(k.buf, ev.time)
	rec.offlineKey = k.sum()
}

// userPairs lists the values of a checked user_data object, each behind its key,
// sorted and without repeats: two objects with the same fields and values give
// the same list whatever their order. Digests compare without regard to case.
func userPairs(userRaw []byte) [][]byte {
	s := scanner{b: userRaw}
	var pairs [][]byte
	add := func(key userKey) bool {
		var v []byte
		var ok bool
		if s.peek() == '"' {
			v, ok = s.text()
		} else {
			v, ok = s.number()
		}
		if hashedKeys.has(key) && len(v) == 64 {
			v = bytes.ToLower(v)
		}
		pairs = append(pairs, append([]byte{byte(key)}, v...))
		return ok
	}
	s.open()
	for first := true; ; first = false {
		name, more, ok := s.member(first)
		if !ok || !more {
			break
		}
		key, _ := userKeyOf(name)
		if s.peek() != '[' {
			add(key)
			continue
		}
		s.open()
		for first := true; ; first = false {
			more, ok := s.element(first)
			if !ok || !more || !add(key) {
				break
			}
		}
	}
	slices.SortFunc(pairs, bytes.Compare)
	return slices.CompactFunc(pairs, bytes.Equal)
}
