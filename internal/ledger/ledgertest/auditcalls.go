package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

func timedCalls(from, to int64) []audit.TimedCall {
	var list []audit.TimedCall
	for seq := from; seq <= to; seq++ {
		list = append(list, audit.TimedCall{Seq: seq, At: at.Add(time.Duration(seq) * time.Millisecond), Call: audit.Call{
			Request: fmt.Sprintf("req_%d", seq), Phase: audit.PhaseDecision, Grant: "gr_1", Server: "ads", Tool: "list", Decision: "allow", ArgKeys: []string{"a", "b"},
		}})
	}
	return list
}

// A log that was put back to an earlier state is told which calls it lacks, and a source
// that was put back counts the same numbers again, for other calls.
func testAuditCallsRestored(t *testing.T, s ledger.Store) {
	appended := func(from, to int64, calls []audit.TimedCall) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error { return tx.Audit().AppendCalls(t.Context(), "journal", from, to, calls) })
	}
	later := timedCalls(6, 8) // the journal had got as far as 10, and was put back to 5
	for i := range later {
		later[i].At, later[i].Call.Request = later[i].At.Add(time.Minute), fmt.Sprintf("again_%d", i)
	}
	last := timedCalls(9, 12)
	for i := range last {
		last[i].At, last[i].Call.Request = last[i].At.Add(time.Minute), fmt.Sprintf("last_%d", i)
	}
	for _, step := range []struct {
		name     string
		from, to int64
		calls    []audit.TimedCall
		want     error
	}{
		{"calls that were never handed in", 4, 5, timedCalls(4, 5), audit.ErrLeftOut},
		{"ten", 1, 10, timedCalls(1, 10), nil},
		{"old ones again, and three new ones", 1, 8, append(timedCalls(1, 5), later...), nil},
		{"the new ones again", 6, 8, later, nil},
		{"and on", 9, 12, last, nil},
		{"and on again", 9, 12, last, nil},
		{"a gap", 14, 14, timedCalls(14, 14), audit.ErrLeftOut},
	} {
		if err := appended(step.from, step.to, step.calls); !errors.Is(err, step.want) {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
	n := 0
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Audit().Range(ctx, s.ID()+"/gateway", 1, 1000, func(audit.Link) error { n++; return nil })
	})
	if n != 17 {
		t.Errorf("%d calls are in the log, of 17", n)
	}
}

// Calls form a chain of their own that verifies like any other, whatever they are cut
// into, and what is handed in twice is appended once.
func testAuditCalls(t *testing.T, s ledger.Store) {
	appended := func(source string, from, to int64, calls []audit.TimedCall) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error { return tx.Audit().AppendCalls(t.Context(), source, from, to, calls) })
	}
	for _, step := range []struct {
		name     string
		source   string
		from, to int64
		position int64
	}{
		{"some", "journal a", 1, 3, 3},
		{"the same again", "journal a", 1, 3, 3},
		{"a part again, and a hundred more", "journal a", 2, 103, 103},
		{"none, and the position moves", "journal a", 104, 103, 110},
		{"what the position has passed", "journal a", 90, 103, 105},
		{"another source", "journal b", 1, 2, 2},
	} {
		if err := appended(step.source, step.from, step.position, timedCalls(step.from, step.to)); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
	}
	if err := appended("journal a", 111, 300, []audit.TimedCall{timedCalls(205, 205)[0], timedCalls(204, 204)[0]}); err == nil {
		t.Error("calls out of order were appended")
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		_, err1 := tx.Audit().Append(ctx, at, record("preview"))
		chain := s.ID() + "/gateway"
		n := int64(0)
		err2 := tx.Audit().Range(ctx, chain, 1, 1000, func(l audit.Link) error {
			if n++; l.Seq != n {
				t.Errorf("record %d stands at %d", l.Seq, n)
			}
			return nil
		})
		v, err3 := audit.Verify(ctx, s.ID(), tx.Audit())
		if n != 105 || !v.OK || v.Records != 106 || len(v.Chains) != 2 || v.Chains[1].Chain != chain {
			t.Errorf("%d calls, verification %+v", n, v)
		}
		return errors.Join(err1, err2, err3)
	})
}
