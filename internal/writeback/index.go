package writeback

import (
	"bytes"
	"encoding/binary"
	"errors"

	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

// entry is what the planner keeps of an event while it sorts: everything of the
// ledger row, but not the payload.
type entry struct {
	class       byte
	verdict     verdict    // what is known of it before the ledger is asked
	sale        outcome.ID // of the sale it belongs to; zero: none is named
	seq         int64      // order of appearance in the input
	time        int64
	eventID     string
	key         ledger.Key
	fingerprint int64
	value       int64
	offset      int64
	length      int
	kind        int
	file        int
	line        int64
	leaf        [32]byte
}

var errIndex = errors.New("a sorted record is damaged")

// appendTail encodes the fields that no order depends on.
func (e *entry) appendTail(b []byte) []byte {
	b = binary.AppendVarint(b, e.fingerprint)
	b = binary.AppendVarint(b, e.value)
	b = binary.AppendVarint(b, e.offset)
	b = binary.AppendVarint(b, int64(e.length))
	b = binary.AppendVarint(b, int64(e.kind))
	b = binary.AppendVarint(b, int64(e.file))
	b = binary.AppendVarint(b, e.line)
	b = append(b, e.leaf[:]...)
	if e.sale != (outcome.ID{}) {
		b = append(b, e.sale[:]...)
	}
	return b
}

func (e *entry) decodeTail(b []byte) error {
	var n [7]int64
	for i := range n {
		v, w := binary.Varint(b)
		if w <= 0 {
			return errIndex
		}
		n[i], b = v, b[w:]
	}
	if len(b) != len(e.leaf) && len(b) != len(e.leaf)+len(e.sale) {
		return errIndex
	}
	e.sale = outcome.ID{}
	copy(e.sale[:], b[copy(e.leaf[:], b):])
	e.fingerprint, e.value, e.offset, e.length = n[0], n[1], n[2], int(n[3])
	e.kind, e.file, e.line = int(n[4]), int(n[5]), n[6]
	return nil
}

// byKey orders by uniqueness key, then appearance: the first of equals wins.
func (e *entry) byKey(b []byte) []byte {
	b = append(b, e.key[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.seq))
	b = append(b, e.class|byte(e.verdict)<<4)
	b = binary.AppendVarint(b, e.time)
	b = binary.AppendUvarint(b, uint64(len(e.eventID)))
	b = append(b, e.eventID...)
	return e.appendTail(b)
}

func (e *entry) fromKey(b []byte) error {
	if len(b) < 25 {
		return errIndex
	}
	copy(e.key[:], b)
	e.seq, e.class, e.verdict, b = int64(binary.BigEndian.Uint64(b[16:])), b[24]&0xf, verdict(b[24]>>4), b[25:]
	t, w := binary.Varint(b)
	if w <= 0 {
		return errIndex
	}
	e.time, b = t, b[w:]
	n, w := binary.Uvarint(b)
	if w <= 0 || uint64(len(b)-w) < n {
		return errIndex
	}
	e.eventID = string(b[w : w+int(n)])
	return e.decodeTail(b[w+int(n):])
}

// byTime orders by window class, event time and event id: the order of the plan.
// Event ids hold no NUL, so the terminator keeps a prefix before its extension.
func (e *entry) byTime(b []byte) []byte {
	b = append(b, e.class)
	b = binary.BigEndian.AppendUint64(b, uint64(e.time)^1<<63)
	b = append(b, e.eventID...)
	b = append(b, 0)
	b = append(b, e.key[:]...)
	return e.appendTail(b)
}

func (e *entry) fromTime(b []byte) error {
	if len(b) < 9 {
		return errIndex
	}
	e.verdict = asPlanned
	e.class, e.time = b[0], int64(binary.BigEndian.Uint64(b[1:])^1<<63)
	b = b[9:]
	end := bytes.IndexByte(b, 0)
	if end < 0 || len(b) < end+1+len(e.key) {
		return errIndex
	}
	e.eventID = string(b[:end])
	copy(e.key[:], b[end+1:])
	return e.decodeTail(b[end+1+len(e.key):])
}
