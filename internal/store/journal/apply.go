package journal

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// Bodies of records. Whoever writes one has changed the book in the same way as apply
// does for those who read it.

func appendAdmit(b []byte, call *audit.Call, charges []enforce.Charge, approval string, owner uint64) []byte {
	b = appendCall(b, call)
	b = binary.LittleEndian.AppendUint64(b, owner)
	b = appendText(b, approval)
	return appendCharges(b, charges)
}

func appendSettle(b []byte, s *enforce.Settlement) []byte {
	b = appendCall(b, &s.Call)
	b = append(b, byte(s.Outcome))
	if s.Outcome != enforce.Commit {
		return binary.AppendUvarint(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Marks)))
	for i, m := range s.Marks {
		keep := time.Duration(0)
		if i < len(s.Keep) {
			keep = s.Keep[i]
		}
		b = binary.AppendVarint(append(b, m[:]...), int64(keep))
	}
	return b
}

// storedApproval is an approval as it is written: without its arguments, which have a
// file of their own that can be wiped.
type storedApproval struct {
	enforce.Approval
	Print []byte `json:"fingerprint"`
}

func appendApproval(b []byte, a *enforce.Approval) ([]byte, error) {
	text, err := json.Marshal(storedApproval{Approval: *a, Print: a.Fingerprint[:]})
	if err != nil {
		return b, fmt.Errorf("encode an approval: %w", err)
	}
	return append(b, text...), nil
}

// longestApproval is how much text an approval may hold; as JSON it is up to six times as
// much, and fits into a record.
const longestApproval = longestRecord / 8

// storable reports whether an approval fits into a record, now and once it was decided.
func storable(a *enforce.Approval) bool {
	n := 0
	for _, s := range [...]string{
		a.Workspace, a.Server, a.Grant, a.GrantName, a.MintedBy, a.Tool, a.Rule, a.Message, a.Policy, a.PolicyHash,
	} {
		n += len(s)
	}
	for _, list := range [...][]string{a.ArgKeys, a.Approvers, a.EscalateTo} {
		for _, s := range list {
			n += len(s)
		}
	}
	return n <= longestApproval
}

func approvalOf(text []byte) (*enforce.Approval, error) {
	var s storedApproval
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, errDamaged
	}
	a := s.Approval
	if len(s.Print) != len(a.Fingerprint) {
		return nil, errDamaged
	}
	copy(a.Fingerprint[:], s.Print)
	return &a, nil
}

// apply does to a book what a record says.
func apply(book *enforce.Book, f *frame) error {
	at := unixTime(f.at)
	book.Turn(at)
	switch f.kind {
	case kindCall, kindNothing, kindTurned:
		return nil
	case kindAdmit:
		r := owned(f.body)
		var call audit.Call
		r.call(&call)
		owner, approval, charges := r.uint64(), r.text(), r.charges()
		if r.bad {
			return errDamaged
		}
		book.Take(at, call, charges, approval, owner)
		return nil
	case kindSettle:
		var s enforce.Settlement
		if err := settlementOf(&s, f.body); err != nil {
			return err
		}
		book.Settle(at, &s)
		return nil
	case kindPark, kindMove:
		r := reader{b: f.body}
		if f.kind == kindPark {
			r.part()
		}
		a, err := approvalOf(r.b)
		if err == nil {
			book.PutApproval(a)
		}
		return err
	case kindRelease:
		r := reader{b: f.body}
		p := r.part()
		request := p.text()
		if p.bad {
			return errDamaged
		}
		book.Release(at, request)
		return nil
	}
	return fmt.Errorf("the journal holds a record of kind %d: it was written by a newer version of Sluice", f.kind)
}

// settlementOf reads into s what a book needs of a settlement. Its texts are those of the
// body.
func settlementOf(s *enforce.Settlement, body []byte) error {
	r := reader{b: body}
	p := r.part()
	s.Call.Request = p.text()
	if o := r.bytes(1); o != nil {
		s.Outcome = enforce.Outcome(o[0])
	}
	n := r.uvarint()
	if p.bad || r.bad || n > uint64(len(r.b)/17) || s.Outcome < enforce.Commit || s.Outcome > enforce.Ambiguous {
		return errDamaged
	}
	s.Marks, s.Keep = s.Marks[:0], s.Keep[:0]
	for range n {
		s.Marks = append(s.Marks, r.counter())
		s.Keep = append(s.Keep, time.Duration(r.varint()))
	}
	if r.bad {
		return errDamaged
	}
	return nil
}
