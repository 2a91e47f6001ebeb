package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"sluice/internal/enforce"
)

// formatVersion is written in every header.
const formatVersion = 1

// header is the first record of a file.
type header struct {
	Version    int       `json:"version"`
	Source     string    `json:"source"` // names the journal for as long as the directory lives
	Generation int64     `json:"generation"`
	Created    time.Time `json:"created"`
}

// snapshotChunk is about how long a record of a snapshot gets.
const snapshotChunk = 64 << 10

// snapshot writes the header and the state as the records that begin a file. They all
// repeat the number and the time that the state stands at.
func snapshot(h *header, book *enforce.Book, seq int64) ([]byte, error) {
	at := book.Now().UnixNano()
	if book.Now().IsZero() {
		at = h.Created.UnixNano()
	}
	var b []byte
	start, entries := 0, 0
	begin := func(k kind) { start, entries = len(b), 0; b = beginFrame(b, seq, at, k) }
	end := func() { endFrame(b, start) }
	one := func(k kind, body []byte) {
		begin(k)
		b = append(b, body...)
		end()
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	one(kindHeader, text)

	// entry begins a new record when the last one is long enough.
	entry := func(k kind) {
		if len(b)-start > snapshotChunk {
			end()
			begin(k)
		}
		entries++
	}
	begin(kindTallies)
	for c, t := range book.Tallies() {
		entry(kindTallies)
		b = append(b, c[:]...)
		b = binary.AppendVarint(b, t.Window)
		b = binary.AppendUvarint(b, uint64(len(t.Parts)))
		for _, p := range t.Parts {
			b = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(b, p.Start), p.Width), p.Used)
		}
	}
	end()
	begin(kindMarks)
	for c, m := range book.Marks() {
		entry(kindMarks)
		b = appendTime(appendTime(append(b, c[:]...), m.At), m.Until)
	}
	end()
	held := func(_ string, h *enforce.Held) {
		begin(kindHeld)
		b = appendCall(b, &h.Call)
		b = appendTime(appendTime(b, h.At), h.Ended)
		b = binary.LittleEndian.AppendUint64(b, h.Owner)
		b = appendCharges(b, h.Charges)
		for _, p := range h.Parts {
			b = binary.AppendVarint(binary.AppendVarint(binary.AppendVarint(b, p.Start), p.Width), p.Used)
		}
		end()
	}
	for id, h := range book.OpenCalls() {
		held(id, h)
	}
	for id, h := range book.AmbiguousCalls() {
		held(id, h)
	}
	for _, a := range book.AllApprovals() {
		body, err := appendApproval(nil, a)
		if err != nil {
			return nil, err
		}
		one(kindApproval, body)
	}
	one(kindReady, nil)
	return b, nil
}

// restore does to a book what one record of a snapshot says; ready ends it.
func restore(book *enforce.Book, f *frame) (ready bool, err error) {
	r := owned(f.body)
	switch f.kind {
	case kindTallies:
		for len(r.b) > 0 && !r.bad {
			c := r.counter()
			t := &enforce.Tally{Window: r.varint()}
			n := r.uvarint()
			if n > uint64(len(r.b)) {
				return false, errDamaged
			}
			t.Parts = make([]enforce.Part, n)
			for i := range t.Parts {
				t.Parts[i] = r.storedPart()
			}
			book.PutTally(c, t)
		}
	case kindMarks:
		for len(r.b) > 0 && !r.bad {
			book.PutMark(r.counter(), enforce.Mark{At: r.time(), Until: r.time()})
		}
	case kindHeld:
		h := &enforce.Held{}
		r.call(&h.Call)
		h.At, h.Ended, h.Owner = r.time(), r.time(), r.uint64()
		h.Charges = r.charges()
		if len(h.Charges) > 0 {
			h.Parts = make([]enforce.Part, len(h.Charges))
		}
		for i := range h.Parts {
			h.Parts[i] = r.storedPart()
		}
		if !r.bad {
			err = book.PutHeld(h)
		}
	case kindApproval:
		var a *enforce.Approval
		if a, err = approvalOf(f.body); err == nil {
			book.PutApproval(a)
		}
	case kindReady:
		book.Turn(unixTime(f.at))
		return true, nil
	default:
		return false, fmt.Errorf("a snapshot of the journal holds a record of kind %d", f.kind)
	}
	if r.bad {
		err = errDamaged
	}
	return false, err
}

func (r *reader) storedPart() enforce.Part {
	p := enforce.Part{Start: r.varint(), Width: r.varint(), Used: r.varint()}
	if p.Width <= 0 && p != (enforce.Part{}) { // a condition on a mark takes no part
		r.fail()
	}
	return p
}
