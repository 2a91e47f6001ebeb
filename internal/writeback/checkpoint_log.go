package writeback

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// VerifyAudit recomputes every chain and compares it with the stored and the
// exported checkpoints. exported names other copies of the exported file; without
// one the configured file is read.
func (s *Service) VerifyAudit(ctx context.Context, exported ...string) (v audit.Verification, err error) {
	if len(exported) == 0 && s.anchors.File != "" {
		exported = []string{s.anchors.File}
	}
	var list []audit.Signed
	damaged := 0
	for _, path := range exported {
		some, bad, err := (audit.File{Path: path}).Read(s.store.ID())
		if err != nil {
			return v, fault.New(fault.SourceUnavailable, "the exported checkpoints in %s can't be read", path).Wrap(err)
		}
		list, damaged = append(list, some...), damaged+bad
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		v, err = audit.Verify(ctx, s.store.ID(), tx.Audit(), list...)
		return err
	})
	if damaged > 0 {
		v.Warnings = append(v.Warnings, audit.Problem{Kind: "checkpoint", Text: strconv.Itoa(damaged) + " lines of the exported checkpoints can't be read"})
	}
	return v, err
}

// AuditTail returns the newest n records of all chains, oldest first.
func (s *Service) AuditTail(ctx context.Context, n int) (list []audit.Link, err error) {
	type dated struct {
		audit.Link
		ts string
	}
	var all []dated
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		heads, err := tx.Audit().Heads(ctx)
		if err != nil {
			return err
		}
		for _, h := range heads {
			err := tx.Audit().Range(ctx, h.Chain, h.Size-int64(n)+1, h.Size, func(l audit.Link) error {
				all = append(all, dated{l, audit.TimeOf(l.Body)})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b dated) int { return strings.Compare(a.ts, b.ts) })
	for _, d := range all[max(0, len(all)-n):] {
		list = append(list, d.Link)
	}
	return list, err
}

// ExportAudit writes the records from one time to another (zero: no bound) as JSON
// lines, and the checkpoints after them. What is between two exported records of a
// chain is exported too, so that a part verifies as the whole does.
func (s *Service) ExportAudit(ctx context.Context, from, to time.Time, w io.Writer) (records int64, err error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	lower, upper := "", "~" // behind every time
	if !from.IsZero() {
		lower = from.UTC().Format(time.RFC3339)
	}
	if !to.IsZero() {
		upper = to.UTC().Format(time.RFC3339)
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		chain, begun, ended := "", false, false
		err := tx.Audit().Each(ctx, 1, func(l audit.Link) error {
			if l.Chain != chain {
				chain, begun, ended = l.Chain, false, false
			}
			ts := audit.TimeOf(l.Body)
			begun, ended = begun || ts >= lower, ended || (begun || ts >= lower) && ts >= upper
			if !begun || ended {
				return nil
			}
			records++
			return enc.Encode(audit.LineOf(l))
		})
		if err != nil {
			return err
		}
		return tx.Audit().Checkpoints(ctx, 1, func(c audit.Signed) error { return enc.Encode(c) })
	})
	return records, err
}

// maxProven bounds the records of one proof.
const maxProven = 1000

// Prove shows that the records about a run, a plan, a call or one record number (N of this
// store's chain, or CHAIN:N) are in the log that the newest checkpoint signed.
func (s *Service) Prove(ctx context.Context, id string) (*audit.Proof, error) {
	if err := s.Checkpoint(ctx, true); err != nil {
		return nil, err
	}
	proof := &audit.Proof{V: 1, Type: "sluice-audit-proof", Subject: id, Records: []audit.Proven{}}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		last, err := tx.Audit().LastCheckpoint(ctx)
		if err != nil {
			return err
		}
		if last == nil {
			return notLogged(id)
		}
		proof.Checkpoint = *last
		for _, h := range last.Checkpoint.Heads {
			if err := proveIn(ctx, tx, proof, h, s.store.ID()); err != nil {
				return err
			}
		}
		if len(proof.Records) == 0 {
			return notLogged(id)
		}
		return nil
	})
	return proof, err
}

func notLogged(id string) error {
	return fault.New(fault.NotFound, "the audit log holds no record about %s", id).
		WithFix("name a run, a plan, a call, an approval, or the number of a record that `sluice audit tail` shows")
}

// proveIn adds what one chain holds about the proof's subject.
func proveIn(ctx context.Context, tx ledger.Tx, proof *audit.Proof, h audit.Head, own string) error {
	about := []byte(strconv.Quote(proof.Subject))
	chain, no, named := strings.Cut(proof.Subject, ":")
	if !named {
		chain, no = own, proof.Subject
	}
	var found []audit.Link
	if seq, err := strconv.ParseInt(no, 10, 64); err == nil {
		if chain != h.Chain {
			return nil
		}
		if err := tx.Audit().Range(ctx, h.Chain, seq, min(seq, h.Size), keep(&found)); err != nil {
			return err
		}
	} else {
		err := tx.Audit().Range(ctx, h.Chain, 1, h.Size, func(l audit.Link) error {
			if !bytes.Contains(l.Body, about) {
				return nil
			}
			if len(found) == maxProven {
				return fault.New(fault.Usage, "more than %d records are about this; prove them by number", maxProven)
			}
			return keep(&found)(l)
		})
		if err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	want := make([]int64, len(found))
	for i, l := range found {
		want[i] = l.Seq - 1
	}
	prover := audit.NewProver(h.Size, want)
	err := tx.Audit().Range(ctx, h.Chain, 1, h.Size, func(l audit.Link) error {
		prover.Add(audit.Leaf(l.Body))
		return nil
	})
	if err != nil {
		return err
	}
	for i, l := range found {
		proof.Records = append(proof.Records, audit.Proven{Chain: h.Chain, Seq: l.Seq, Size: h.Size, Path: prover.Path(want[i]), Record: l.Body})
	}
	return nil
}

func keep(into *[]audit.Link) func(audit.Link) error {
	return func(l audit.Link) error {
		*into = append(*into, l)
		return nil
	}
}

// AuditKeys lists the public keys that sign checkpoints.
func (s *Service) AuditKeys(ctx context.Context) (keys []audit.Key, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		keys, err = tx.Audit().Keys(ctx)
		return err
	})
	return keys, err
}

// AuditCheckpoints lists the stored checkpoints, oldest first.
func (s *Service) AuditCheckpoints(ctx context.Context) ([]audit.Signed, error) {
	return s.checkpointsAfter(ctx, 0)
}
