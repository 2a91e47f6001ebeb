package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/inbox"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

func delivery(n int) *inbox.Delivery {
	return &inbox.Delivery{
		ID: fmt.Sprintf("in_%03d", n), Hook: "shop", Sender: fmt.Sprintf("d-%d", n), Digest: []byte{byte(n)}, Body: []byte("sealed"), Size: 10,
		ReceivedAt: at.Add(time.Duration(n) * time.Second),
	}
}

func testDeliveryOnce(t *testing.T, s ledger.Store) {
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if before, err := tx.Inbox().Put(ctx, delivery(1)); before != nil || err != nil {
			t.Errorf("the first: %v, %v", before, err)
		}
		again := delivery(1)
		again.ID, again.Digest = "in_other", []byte("other")
		before, err := tx.Inbox().Put(ctx, again)
		if err != nil || before == nil || before.ID != "in_001" || !slices.Equal(before.Digest, []byte{1}) {
			t.Errorf("the second: %+v, %v", before, err)
		}
		l, err := tx.Inbox().Level(ctx)
		if l != (inbox.Level{Rows: 1, Bytes: 10}) {
			t.Errorf("level %+v", l)
		}
		return err
	})
}

func testDeliveryRace(t *testing.T, s ledger.Store) {
	var first atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			d := delivery(7)
			d.ID = fmt.Sprintf("in_race_%d", i)
			err := s.Do(t.Context(), func(tx ledger.Tx) error {
				before, err := tx.Inbox().Put(t.Context(), d)
				if err == nil && before == nil {
					first.Add(1)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("%d deliveries were the first, want 1", n)
	}
}

func testDeliveryDrain(t *testing.T, s ledger.Store) {
	now := at.Add(time.Hour)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		for n := range 5 {
			if _, err := tx.Inbox().Put(ctx, delivery(n)); err != nil {
				return err
			}
		}
		due, err := tx.Inbox().Due(ctx, now, 3)
		if err != nil {
			return err
		}
		var ids []string
		for _, d := range due {
			ids = append(ids, d.ID)
			if string(d.Body) != "sealed" || d.State != inbox.Waiting {
				t.Errorf("due %+v", d)
			}
		}
		if !slices.Equal(ids, []string{"in_000", "in_001", "in_002"}) {
			t.Errorf("due %v, want the three oldest", ids)
		}
		return tx.Inbox().Lease(ctx, ids, now.Add(time.Minute))
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		due, err := tx.Inbox().Due(ctx, now, 10)
		if len(due) != 2 {
			t.Errorf("%d are due while three are leased, want 2", len(due))
		}
		if err != nil {
			return err
		}
		if err := tx.Inbox().Settle(ctx, "in_000", inbox.Done, ""); err != nil {
			return err
		}
		if err := tx.Inbox().Settle(ctx, "in_001", inbox.Failed, "missing_value"); err != nil {
			return err
		}
		if due, err = tx.Inbox().Due(ctx, now.Add(time.Minute), 10); len(due) != 3 {
			t.Errorf("%d are due after the lease, want 3", len(due))
		}
		return err
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		counts, err := tx.Inbox().Counts(ctx, "shop")
		if err != nil {
			return err
		}
		if counts[inbox.Waiting] != 3 || counts[inbox.Done] != 1 || counts[inbox.Failed] != 1 {
			t.Errorf("counts %v", counts)
		}
		failed, err := tx.Inbox().Failures(ctx, "shop", 10)
		if err != nil || len(failed) != 1 || failed[0].Code != "missing_value" || failed[0].Attempts != 1 {
			t.Errorf("failures %+v, %v", failed, err)
		}
		// What is settled is removed by age; what waits stays however old it is.
		n, err := tx.Inbox().Sweep(ctx, at.Add(24*time.Hour))
		if n != 2 {
			t.Errorf("%d were swept, want 2", n)
		}
		if err != nil {
			return err
		}
		l, err := tx.Inbox().Level(ctx)
		if l.Rows != 3 {
			t.Errorf("level %+v", l)
		}
		return err
	})
}

func testHooks(t *testing.T, s ledger.Store) {
	h := &inbox.Hook{Name: "shop", Profile: tenant.Default, Scheme: "sluice", Secret: []byte("s1"), Mapping: "id: x", CreatedAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Inbox().PutHook(ctx, h); err != nil {
			return err
		}
		h.Secret, h.Disabled = []byte("s2"), true
		return tx.Inbox().PutHook(ctx, h)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Inbox().Hook(ctx, "shop")
		if err != nil || string(got.Secret) != "s2" || !got.Disabled || !got.Mapped || !got.CreatedAt.Equal(at) {
			t.Errorf("hook %+v, %v", got, err)
		}
		if err := tx.Inbox().DeleteHook(ctx, "shop"); err != nil {
			return err
		}
		if err := tx.Inbox().DeleteHook(ctx, "shop"); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("deleting it twice: %v", err)
		}
		_, err = tx.Inbox().Hook(ctx, "shop")
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("after its deletion: %v", err)
		}
		return nil
	})
}

func testAnswers(t *testing.T, s ledger.Store) {
	mine := &ledger.Answer{Workspace: "default", Key: "owner k", Fingerprint: "f", Request: "req_1", CreatedAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Answers().Begin(ctx, mine) })
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		other := *mine
		other.Request = "req_2"
		if err := tx.Answers().Begin(ctx, &other); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a second call began: %v", err)
		}
		if err := tx.Answers().Finish(ctx, &other); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("another call finished it: %v", err)
		}
		mine.Status, mine.Body = 200, []byte("sealed")
		return tx.Answers().Finish(ctx, mine)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		// What was answered is not dropped.
		if err := tx.Answers().Drop(ctx, mine); err != nil {
			return err
		}
		got, err := tx.Answers().Find(ctx, "default", "owner k")
		if err != nil || got.Status != 200 || string(got.Body) != "sealed" || got.Request != "req_1" {
			t.Errorf("answer %+v, %v", got, err)
		}
		if err := tx.Answers().Sweep(ctx, at.Add(time.Second)); err != nil {
			return err
		}
		if _, err := tx.Answers().Find(ctx, "default", "owner k"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("after the sweep: %v", err)
		}
		return nil
	})
}

func testPeople(t *testing.T, s ledger.Store) {
	m := &tenant.Member{Workspace: tenant.Default, User: "amira", Name: "Amira", Role: tenant.Viewer, CreatedAt: at}
	k := &tenant.Token{ID: "tok_1", Workspace: tenant.Default, User: "amira", Scopes: []tenant.Scope{tenant.Read}, MAC: []byte("mac"), CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Tenants().PutMember(ctx, m); err != nil {
			return err
		}
		m.Role, m.Approver = tenant.Admin, true
		return errors.Join(tx.Tenants().PutMember(ctx, m), tx.Tenants().PutToken(ctx, k))
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		k.RevokedAt = at.Add(time.Minute)
		if err := tx.Tenants().PutToken(ctx, k); err != nil {
			return err
		}
		got, err := tx.Tenants().Token(ctx, "tok_1")
		if err != nil || !got.RevokedAt.Equal(k.RevokedAt) || !got.ExpiresAt.Equal(k.ExpiresAt) || string(got.MAC) != "mac" || len(got.Scopes) != 1 {
			t.Errorf("token %+v, %v", got, err)
		}
		member, err := tx.Tenants().Member(ctx, tenant.Default, "amira")
		if err != nil || member.Role != tenant.Admin || !member.Approver || member.Policy {
			t.Errorf("member %+v, %v", member, err)
		}
		return nil
	})
}
