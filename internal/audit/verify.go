package audit

import (
	"context"
	"encoding/json"
	"fmt"
)

// Verification is what a walk over the chain found.
type Verification struct {
	Chain   string `json:"chain"`
	Records int64  `json:"records"`
	Head    string `json:"head"` // hex of the last hash
	OK      bool   `json:"ok"`
	BadSeq  int64  `json:"bad_seq,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Verify recomputes the whole chain and names the first record that does not fit.
func Verify(ctx context.Context, chain string, log Log) (Verification, error) {
	v := Verification{Chain: chain, OK: true}
	prev := Genesis(chain)
	want := int64(1)
	err := log.Each(ctx, 1, func(l Link) error {
		if !v.OK {
			return nil
		}
		fail := func(format string, args ...any) {
			v.OK, v.BadSeq, v.Problem = false, l.Seq, fmt.Sprintf(format, args...)
		}
		if l.Seq != want {
			fail("record %d is missing", want)
			return nil
		}
		var head struct {
			Chain string `json:"chain"`
			Seq   int64  `json:"seq"`
		}
		if err := json.Unmarshal(l.Body, &head); err != nil || head.Chain != chain || head.Seq != l.Seq {
			fail("record %d is not the record it claims to be", l.Seq)
			return nil
		}
		next := Next(prev, l.Body)
		if next != l.Hash {
			fail("record %d does not follow from the one before it", l.Seq)
			return nil
		}
		prev = next
		want++
		v.Records++
		return nil
	})
	v.Head = fmt.Sprintf("%x", prev)
	return v, err
}
