package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/privacy"
)

func tagOf(n byte) privacy.Tag { return privacy.Tag{0: n, 15: 1} }

func testSuppression(t *testing.T, s ledger.Store) {
	entry := func(n byte, reason string, added time.Time) privacy.Suppression {
		return privacy.Suppression{Tag: tagOf(n), Field: "em", Reason: reason, Request: "DSR-1", CreatedAt: added}
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		n, err := tx.Privacy().Suppress(ctx, "default", []privacy.Suppression{
			entry(3, privacy.Withdrawn, at), entry(1, privacy.Erased, at.Add(time.Hour)), entry(3, privacy.Objected, at.Add(time.Hour)),
		})
		if n != 2 {
			t.Errorf("%d entries were new, want 2: an entry keeps its first reason", n)
		}
		return err
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		p := tx.Privacy()
		for since, want := range map[time.Time][]privacy.Tag{{}: {tagOf(1), tagOf(3)}, at.Add(time.Minute): {tagOf(1)}} {
			var got []privacy.Tag
			if err := p.Each(ctx, "default", since, func(tag privacy.Tag) error { got = append(got, tag); return nil }); err != nil {
				return err
			}
			if !slices.Equal(got, want) {
				t.Errorf("since %v: %v, want %v", since, got, want)
			}
		}
		if in, err := p.Contains(ctx, "other", tagOf(3)); in || err != nil {
			t.Errorf("another profile shares the list: %v", err)
		}
		counts, err := p.Count(ctx, "default")
		if want := []privacy.Count{{Field: "em", Reason: privacy.Erased, Count: 1}, {Field: "em", Reason: privacy.Withdrawn, Count: 1}}; !slices.Equal(counts, want) {
			t.Errorf("counts %v, want %v", counts, want)
		}
		if err != nil {
			return err
		}
		if n, err := p.Lift(ctx, "default", []privacy.Tag{tagOf(2), tagOf(3)}); n != 1 || err != nil {
			t.Errorf("lifted %d, %v", n, err)
		}
		if in, err := p.Contains(ctx, "default", tagOf(3)); in || err != nil {
			t.Errorf("a lifted entry is still there: %v", err)
		}
		return nil
	})
}

func testPepper(t *testing.T, s ledger.Store) {
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		p := tx.Privacy()
		if none, err := p.Pepper(ctx, "default"); none != nil || err != nil {
			t.Errorf("a new store has pepper %x, %v", none, err)
		}
		for _, text := range []string{"first", "second"} {
			if err := p.PutPepper(ctx, "default", []byte(text), at); err != nil {
				return err
			}
		}
		kept, err := p.Pepper(ctx, "default")
		if string(kept) != "first" {
			t.Errorf("the pepper was replaced by %q", kept)
		}
		return err
	})
}

func testSubjects(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_subjects", 1)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Privacy().PutSubjects(ctx, p.No, []privacy.Part{{No: 1, Body: []byte("b")}, {No: 0, Body: []byte("a")}})
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Privacy().PutSubjects(ctx, p.No, []privacy.Part{{No: 1, Body: []byte("c")}})
	})
	read := func() (text string) {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error {
			return tx.Privacy().SubjectParts(ctx, p.No, func(part privacy.Part) error { text += string(part.Body); return nil })
		})
		return text
	}
	if got := read(); got != "ac" {
		t.Errorf("parts %q, want ac", got)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Plans().Shred(ctx, p.No, []byte(`{"short":1}`), at); err != nil {
			return err
		}
		shredded, err := tx.Plans().ByNo(ctx, p.No)
		if err != nil {
			return err
		}
		if len(shredded.WrappedKey) != 0 || !shredded.ShreddedAt.Equal(at) || string(shredded.Summary) != `{"short":1}` {
			t.Errorf("shredded plan: key %x, at %v, summary %s", shredded.WrappedKey, shredded.ShreddedAt, shredded.Summary)
		}
		return nil
	})
	if got := read(); got != "" {
		t.Errorf("a shredded plan keeps its subject index: %q", got)
	}
}

func testErase(t *testing.T, s ledger.Store) {
	text := bytes.Repeat([]byte("0123456789"), 300_000) // spans several chunks
	w, err := s.Payloads().Create(t.Context(), "erase.frozen")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	places := []privacy.Span{{Offset: 3, Length: 4}, {Offset: 1<<20 - 5, Length: 11}, {Offset: int64(len(text)) - 2, Length: 2}}
	for _, at := range places {
		copy(text[at.Offset:], make([]byte, at.Length))
	}
	if err := s.Payloads().Erase(t.Context(), "erase.frozen", places); err != nil {
		t.Fatal(err)
	}
	r, err := s.Payloads().Open(t.Context(), "erase.frozen")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got := make([]byte, len(text))
	if n, err := r.ReadAt(got, 0); n != len(text) {
		t.Fatalf("read %d bytes of %d: %v", n, len(text), err)
	}
	if !bytes.Equal(got, text) {
		t.Error("what was erased, or something beside it, is not as it should be")
	}
	if err := s.Payloads().Erase(t.Context(), "nothing.frozen", places); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("erasing in a payload that is not there: %v", err)
	}
}

func testPurge(t *testing.T, s ledger.Store) {
	old, young := plan(t, s, "pl_old", 25), plan(t, s, "pl_young", 5)
	claim := ledger.Claim{Key: ledger.KeyOf("meta", "1000000000000001", "Purchase", "pl_old-3"), Ref: ledger.RefOf(old.No, 3)}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if _, err := tx.Claims().Take(ctx, []ledger.Claim{claim}); err != nil {
			return err
		}
		if err := tx.Rejects().Put(ctx, []ledger.Reject{{Plan: old.No, Code: "x"}, {Plan: young.No, Code: "x"}}); err != nil {
			return err
		}
		r := &ledger.Run{ID: "run_old", Plan: old.No, State: ledger.RunFinished, Key: "k", StartedAt: at}
		if err := tx.Runs().Create(ctx, r); err != nil {
			return err
		}
		if err := tx.Runs().PutKey(ctx, &ledger.Idempotency{Profile: "default", Key: "k", Run: r.ID, CreatedAt: at}); err != nil {
			return err
		}
		if err := tx.Runs().Begin(ctx, &ledger.Attempt{Run: r.ID, Plan: old.No, Digest: []byte("d"), StartedAt: at.Add(time.Minute)}); err != nil {
			return err
		}
		return tx.Plans().Shred(ctx, old.No, []byte(`{}`), at)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		r := tx.Retention()
		if last, err := r.LastAttempt(ctx, old.No); !last.Equal(at.Add(time.Minute)) || err != nil {
			t.Errorf("last attempt %v, %v", last, err)
		}
		if last, err := r.LastAttempt(ctx, young.No); !last.IsZero() || err != nil {
			t.Errorf("last attempt of a plan that was never confirmed %v, %v", last, err)
		}
		if list, err := r.Payloads(ctx); err != nil || len(list) != 1 || list[0].No != young.No {
			t.Errorf("plans with a payload: %v, %v", list, err)
		}
		if n, err := r.DeleteKeys(ctx, at.Add(time.Hour)); n != 0 || err != nil {
			t.Errorf("%d keys without an answer were deleted, %v", n, err)
		}
		list, err := r.WithRejects(ctx, "default", at.Add(time.Hour))
		if err != nil || !slices.Equal(list, []int64{old.No, young.No}) {
			t.Errorf("plans with rejects: %v, %v", list, err)
		}
		if done, n, err := r.DeleteRejects(ctx, young.No); !done || n != 1 || err != nil {
			t.Errorf("rejects: %v %d %v", done, n, err)
		}
		if list, err = r.Older(ctx, "default", at.Add(time.Hour)); err != nil || !slices.Equal(list, []int64{old.No}) {
			t.Errorf("old plans: %v, %v", list, err)
		}
		events := 0
		for done := false; !done; {
			var n int
			if done, n, err = r.Purge(ctx, old.No); err != nil {
				return err
			}
			events += n
		}
		if events != 25 {
			t.Errorf("%d events were purged, want 25", events)
		}
		if found, err := tx.Claims().Find(ctx, []ledger.Key{claim.Key}); len(found) != 0 || err != nil {
			t.Errorf("claims of a purged plan: %v, %v", found, err)
		}
		if _, err := tx.Plans().ByID(ctx, "pl_old"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a purged plan: %v", err)
		}
		counts, err := tx.Events().Counts(ctx, young.No)
		if counts[ledger.Planned] != 5 {
			t.Errorf("the other plan has %v", counts)
		}
		return err
	})
}
