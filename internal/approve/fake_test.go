package approve_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"sluice/internal/approve"
	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// start is when every test begins.
var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// desk is a service over a store in memory, a log in memory, and a clock that tests move.
type desk struct {
	*approve.Service
	store *shelf
	log   *logbook
	place approve.Place
}

// shelf is enforce.Store over a Book.
type shelf struct {
	enforce.Store
	mu       sync.Mutex
	at       time.Time
	book     *enforce.Book
	calls    []enforce.RecordedCall
	parked   int
	deciding func()
	down     error
}

func (s *shelf) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *shelf) move(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func locked[T any](s *shelf, fn func() (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		var none T
		return none, s.down
	}
	return fn()
}

func (s *shelf) Approval(_ context.Context, id string) (*enforce.Approval, error) {
	return locked(s, func() (*enforce.Approval, error) {
		if a := s.book.Approval(id); a != nil {
			return a, nil
		}
		return nil, enforce.ErrNotFound
	})
}

func (s *shelf) Approvals(_ context.Context, f enforce.ApprovalFilter) ([]enforce.Approval, error) {
	return locked(s, func() ([]enforce.Approval, error) { return s.book.Approvals(&f), nil })
}

func (s *shelf) Decide(_ context.Context, d enforce.Decision) (*enforce.Approval, error) {
	if s.deciding != nil {
		s.deciding()
	}
	return locked(s, func() (*enforce.Approval, error) { return s.book.Decide(s.at, &d) })
}

func (s *shelf) Escalate(context.Context) ([]enforce.Approval, error) {
	return locked(s, func() ([]enforce.Approval, error) { return s.book.Escalate(s.at), nil })
}

func (s *shelf) Expire(context.Context) ([]enforce.Approval, error) {
	return locked(s, func() ([]enforce.Approval, error) { return s.book.Expire(s.at), nil })
}

func (s *shelf) Cancel(_ context.Context, c enforce.Cancellation) (int, error) {
	return locked(s, func() (int, error) { return len(s.book.Cancel(s.at, &c)), nil })
}

func (s *shelf) Usage(_ context.Context, c []enforce.Charge) ([]int64, error) {
	return locked(s, func() ([]int64, error) {
		used := make([]int64, len(c))
		for i := range used {
			used[i] = 4_500_000
		}
		return used, nil
	})
}

func (s *shelf) Ambiguous(context.Context, int) ([]enforce.Reservation, error) {
	return locked(s, func() ([]enforce.Reservation, error) {
		return []enforce.Reservation{{Request: "req_mine"}, {Request: "req_theirs"}}, nil
	})
}

func (s *shelf) Release(_ context.Context, request, by, reason string) error {
	_, err := locked(s, func() (int, error) {
		if request != "req_mine" || by == "" || reason == "" {
			return 0, enforce.ErrNotFound
		}
		return 0, nil
	})
	return err
}

func (s *shelf) Calls(_ context.Context, f enforce.CallFilter) ([]enforce.RecordedCall, error) {
	return locked(s, func() ([]enforce.RecordedCall, error) {
		var list []enforce.RecordedCall
		after := f.Before == ""
		for _, c := range s.calls {
			switch {
			case !after:
				after = c.Call.Request == f.Before
				continue
			case f.Workspace != "" && f.Workspace != c.Call.Workspace, f.Grant != "" && f.Grant != c.Call.Grant,
				f.Request != "" && f.Request != c.Call.Request, f.Decision != "" && f.Decision != c.Call.Decision:
				continue
			}
			if !f.Arguments {
				c.Arguments = nil
			}
			list = append(list, c)
		}
		if f.Limit > 0 && len(list) > f.Limit {
			list = list[:f.Limit]
		}
		return list, nil
	})
}

// logbook is the ledger as far as a desk needs it.
type logbook struct {
	ledger.Store
	mu      sync.Mutex
	records []audit.Record
	full    error
	members []tenant.Member
}

func (l *logbook) View(ctx context.Context, fn func(ledger.Tx) error) error { return l.Do(ctx, fn) }

func (l *logbook) Do(_ context.Context, fn func(ledger.Tx) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fn(page{log: l})
}

func (l *logbook) ops() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, r := range l.records {
		list = append(list, r.Op+" "+r.Result+" "+r.Actor.ID)
	}
	return list
}

type page struct {
	ledger.Tx
	log *logbook
}

func (p page) Now() time.Time   { return start }
func (p page) Audit() audit.Log { return lines{log: p.log} }
func (p page) Tenants() tenant.Repo {
	return people{list: p.log.members}
}

type people struct {
	tenant.Repo
	list []tenant.Member
}

func (p people) Members(context.Context, string) ([]tenant.Member, error) { return p.list, nil }

type lines struct {
	audit.Log
	log *logbook
}

func (l lines) Append(_ context.Context, _ time.Time, r audit.Record) (int64, error) {
	if l.log.full != nil {
		return 0, l.log.full
	}
	l.log.records = append(l.log.records, r)
	return int64(len(l.log.records)), nil
}

// sealed stands for what a keyring does.
func sealed(plain string) []byte { return append([]byte("sealed:"), plain...) }

func unsealed(b []byte) ([]byte, error) {
	plain, ok := cut(b)
	if !ok {
		return nil, errors.New("not sealed")
	}
	return plain, nil
}

func cut(b []byte) ([]byte, bool) {
	const head = "sealed:"
	if len(b) < len(head) || string(b[:len(head)]) != head {
		return nil, false
	}
	return b[len(head):], true
}

type keys struct{}

func (keys) Derive(purpose string) []byte { return []byte("key of " + purpose) }

func open(t *testing.T, change ...func(*approve.Options)) *desk {
	t.Helper()
	d := &desk{store: &shelf{at: start, book: enforce.NewBook()}, log: &logbook{}}
	d.place = approve.Place{Name: "crm"}
	d.log.members = []tenant.Member{{User: "ann", Role: tenant.Admin}, {User: "bob", Role: tenant.Admin}}
	o := approve.Options{
		Store: d.store, Ledger: d.log, Keys: keys{}, Caller: tenant.Local("cli"), Open: unsealed,
		Place:   func(context.Context, string, string) (approve.Place, error) { return d.place, nil },
		Link:    func(id string) string { return "https://sluice.example.com/approvals/" + id },
		Now:     d.store.now,
		Sleep:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Version: "test",
	}
	for _, fn := range change {
		fn(&o)
	}
	d.Service = approve.New(o)
	return d
}

// park lets one call wait and returns its id.
func (d *desk) park(t *testing.T, arguments string, change ...func(*enforce.Parking)) string {
	t.Helper()
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	d.store.parked++
	id := "apr_" + strconv.Itoa(d.store.parked)
	p := enforce.Parking{TTL: 15 * time.Minute, Escalate: 5 * time.Minute, Approval: enforce.Approval{
		Workspace: "default", Server: "srv_1", Grant: "grt_1", GrantName: "nightly", MintedBy: "ann", Tool: "send_offer",
		Fingerprint: [32]byte{byte(d.store.parked)}, ArgKeys: []string{"amount", "to"}, Arguments: sealed(arguments),
		Rule: "/tools/send_offer/approve_if/0", Message: "Large offer", Policy: "sales", Version: 3,
	}}
	for _, fn := range change {
		fn(&p)
	}
	a, stored, err := d.store.book.Park(d.store.at, id, &p)
	if err != nil || !stored {
		t.Fatal(stored, err)
	}
	return a.ID
}

// member is a person of workspace default with a token of theirs.
func member(user string, role tenant.Role, change ...func(*tenant.Caller)) tenant.Caller {
	c := tenant.Caller{
		Type: "token", ID: "tok_" + user, Workspace: "default", User: user, Role: role,
		Scopes: []tenant.Scope{tenant.Read, tenant.Write}, Via: "api",
	}
	for _, fn := range change {
		fn(&c)
	}
	return c
}

func approver(c *tenant.Caller) { c.Approver = true }
func agent(c *tenant.Caller)    { c.Agent = true }
func reader(c *tenant.Caller)   { c.Scopes = []tenant.Scope{tenant.Read} }
func foreign(c *tenant.Caller)  { c.Workspace = "other" }

func approvers(list ...string) func(*enforce.Parking) {
	return func(p *enforce.Parking) { p.Approval.Approvers = list }
}

func escalateTo(list ...string) func(*enforce.Parking) {
	return func(p *enforce.Parking) { p.Approval.EscalateTo = list }
}

func fourEyes(p *enforce.Parking) { p.Approval.FourEyes = true }

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func notify(t ...registry.Notify) approve.Place {
	return approve.Place{Name: "crm", Approvals: registry.Approvals{Notify: t}}
}

func chargesOf(list ...enforce.Charge) func(context.Context, *enforce.Approval, []byte) ([]enforce.Charge, error) {
	return func(context.Context, *enforce.Approval, []byte) ([]enforce.Charge, error) { return list, nil }
}
