// Package webhook takes deliveries from shops and payment providers into the inbox,
// and from there into the outcome store.
//
// Its guarantees: nothing is read before its signature is checked in constant time;
// nothing is acknowledged before it is committed, encrypted; above the high-water
// mark deliveries are turned away with the time to come back; the same delivery
// twice is taken once, and a changed one is refused. Its limit: a scheme that signs
// no time (Shopify's) can be replayed by who recorded it, and only the id of the
// delivery and the identity of the outcome stand against that.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/inbox"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/tenant"
)

// MaxBody bounds one delivery.
const MaxBody = 1 << 20

// Options builds a Service.
type Options struct {
	Store   ledger.Store
	Keys    *secret.Keyring
	Caller  tenant.Caller
	Version string
	Log     *slog.Logger
	// The high-water mark; DefaultRows and DefaultBytes when zero.
	MaxRows  int64
	MaxBytes int64
	// Ingest puts bodies of one hook into the outcome store of its profile and says
	// of each why it never can be there. An error of the whole is one that is tried
	// again. It may be called twice for one delivery.
	Ingest func(ctx context.Context, h *inbox.Hook, bodies []Body) ([]error, error)
	// Prepare returns the mapping as it is kept, or refuses one that can't be used.
	Prepare func(mapping, outcome string) (string, error)
}

// Body is one delivery in the clear.
type Body struct {
	Delivery string // the sender's id
	Bytes    []byte
}

// The default high-water mark.
const (
	DefaultRows  = 10_000
	DefaultBytes = 64 << 20
)

// retryAfter is when a sender should come back, in seconds.
const retryAfter = 30

// keepSettled is how long a settled delivery is remembered, to know its repeats.
const keepSettled = 24 * time.Hour

// Service is the hooks of one store.
type Service struct{ o Options }

// New returns a service.
func New(o Options) *Service {
	if o.MaxRows <= 0 {
		o.MaxRows = DefaultRows
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o}
}

// As returns the service as another caller meets it.
func (s *Service) As(c tenant.Caller) *Service {
	as := *s
	as.o.Caller = c
	return &as
}

// Limited returns the service with another high-water mark; zero is the default.
func (s *Service) Limited(rows, bytes int64) *Service {
	o := s.o
	o.MaxRows, o.MaxBytes = rows, bytes
	return New(o)
}

// Registration is a new hook.
type Registration struct {
	Name    string `json:"name"`
	Profile string `json:"profile"`
	Outcome string `json:"outcome,omitempty"` // what a body is, when neither it nor the mapping says so
	Scheme  string `json:"scheme,omitempty"`  // sluice when empty
	Mapping string `json:"mapping,omitempty"` // the document; empty: bodies are outcomes as the API takes them
	Secret  string `json:"secret,omitempty"`  // the sender's; made when empty
}

// Add makes a hook, or replaces the one of that name, and returns its secret.
// Operators may.
func (s *Service) Add(ctx context.Context, a Registration) (*inbox.Hook, string, error) {
	if err := s.require(tenant.Operator); err != nil {
		return nil, "", err
	}
	if err := checkName(a.Name); err != nil {
		return nil, "", err
	}
	if a.Scheme == "" {
		a.Scheme = Schemes[0].Name
	}
	if schemeOf(a.Scheme) == nil {
		return nil, "", fault.New(fault.Usage, "the scheme is one of sluice, standard, stripe, shopify")
	}
	if a.Mapping != "" {
		var err error
		if a.Mapping, err = s.o.Prepare(a.Mapping, a.Outcome); err != nil {
			return nil, "", err
		}
	}
	if a.Secret == "" {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
		a.Secret = hex.EncodeToString(b[:])
	}
	if len(a.Secret) < 16 || len(a.Secret) > 512 {
		return nil, "", fault.New(fault.Usage, "a webhook secret has 16 to 512 characters")
	}
	h := &inbox.Hook{
		Name: a.Name, Profile: a.Profile, Outcome: a.Outcome, Scheme: a.Scheme, Mapping: a.Mapping, Mapped: a.Mapping != "",
		Secret: s.o.Keys.Seal([]byte(a.Secret), "hook "+a.Name),
	}
	err := s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		p, err := tx.Tenants().Profile(ctx, a.Profile)
		if err != nil || p.Workspace != s.o.Caller.Workspace {
			return missing(err, "there is no such profile in this workspace")
		}
		old, err := tx.Inbox().Hook(ctx, a.Name)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			h.CreatedAt = tx.Now()
		case err != nil:
			return err
		default:
			if _, err := s.mine(ctx, tx, old.Name); err != nil {
				return fault.New(fault.Usage, "the name %s is not free", a.Name)
			}
			h.CreatedAt = old.CreatedAt
		}
		if err := tx.Inbox().PutHook(ctx, h); err != nil {
			return err
		}
		return s.book(ctx, tx, "hook.add", h)
	})
	if err != nil {
		return nil, "", err
	}
	return h, a.Secret, nil
}

// Hooks lists the hooks of the caller's workspace.
func (s *Service) Hooks(ctx context.Context) ([]inbox.Hook, error) {
	list := []inbox.Hook{}
	err := s.o.Store.View(ctx, func(tx ledger.Tx) error {
		all, err := tx.Inbox().Hooks(ctx)
		if err != nil {
			return err
		}
		for _, h := range all {
			if _, err := s.mine(ctx, tx, h.Name); err == nil {
				list = append(list, h)
			}
		}
		return nil
	})
	return list, err
}

// Remove forgets a hook; what it delivered and was acknowledged is still taken in.
func (s *Service) Remove(ctx context.Context, name string) error {
	if err := s.require(tenant.Operator); err != nil {
		return err
	}
	return s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		h, err := s.mine(ctx, tx, name)
		if err != nil {
			return err
		}
		counts, err := tx.Inbox().Counts(ctx, name)
		if err != nil {
			return err
		}
		if counts[inbox.Waiting] > 0 {
			// The rows need the hook's profile and mapping: it stays, closed.
			h.Disabled = true
			if err := tx.Inbox().PutHook(ctx, h); err != nil {
				return err
			}
			return s.book(ctx, tx, "hook.close", h)
		}
		if err := tx.Inbox().DeleteHook(ctx, name); err != nil {
			return err
		}
		return s.book(ctx, tx, "hook.remove", h)
	})
}

// Status is a hook with what it delivered in the last day.
type Status struct {
	*inbox.Hook
	Counts   map[inbox.State]int `json:"counts"`
	Failures []Failure           `json:"failures"`
}

// Failure is a delivery that could not become an outcome.
type Failure struct {
	Delivery   string    `json:"delivery"`
	Code       string    `json:"code"`
	ReceivedAt time.Time `json:"received_at"`
}

// Status returns a hook with its newest failures.
func (s *Service) Status(ctx context.Context, name string) (*Status, error) {
	st := &Status{Failures: []Failure{}}
	err := s.o.Store.View(ctx, func(tx ledger.Tx) (err error) {
		if st.Hook, err = s.mine(ctx, tx, name); err != nil {
			return err
		}
		if st.Counts, err = tx.Inbox().Counts(ctx, name); err != nil {
			return err
		}
		failed, err := tx.Inbox().Failures(ctx, name, 20)
		for i := range failed {
			st.Failures = append(st.Failures, Failure{failed[i].Sender, failed[i].Code, failed[i].ReceivedAt})
		}
		return err
	})
	return st, err
}

// Receive takes one delivery. It returns nil once the delivery is durable, and when
// it was before.
func (s *Service) Receive(ctx context.Context, name string, header http.Header, body []byte) error {
	var hook *inbox.Hook
	var level inbox.Level
	var now time.Time
	err := s.o.Store.View(ctx, func(tx ledger.Tx) (err error) {
		now = tx.Now()
		if hook, err = tx.Inbox().Hook(ctx, name); err != nil {
			return err
		}
		level, err = tx.Inbox().Level(ctx)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) || err == nil && hook.Disabled {
		return fault.New(fault.NotFound, "there is no such webhook")
	}
	if err != nil {
		return later(err)
	}
	key, err := s.o.Keys.Open(hook.Secret, "hook "+hook.Name)
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the webhook's secret can't be read").Wrap(err)
	}
	delivery, err := schemeOf(hook.Scheme).read(key, header, body, now)
	if err != nil {
		return err
	}
	digest := s.o.Keys.MAC("webhook body", body)
	if !isID(delivery) {
		delivery = "body-" + hex.EncodeToString(digest[:16])
	}
	d := &inbox.Delivery{
		ID: ids.New("in", now), Hook: name, Sender: delivery, Digest: digest, Size: int64(len(body)), ReceivedAt: now,
	}
	d.Body = s.o.Keys.Seal(body, "delivery "+d.ID)
	if s.full(level, d.Size) {
		// Most of a burst is turned away by this read; who is let through is
		// counted again below, in the transaction that lets it in.
		if known, err := s.known(ctx, d); known || err != nil {
			return err
		}
		return overfull(level)
	}
	err = s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		before, err := tx.Inbox().Put(ctx, d)
		if err != nil {
			return err
		}
		if before != nil {
			if err := same(before, d); err != nil || before.State != inbox.Failed {
				return err
			}
			// The sender hears once more that it was taken, so it is tried once more:
			// the mapping may have been mended since.
			return tx.Inbox().Again(ctx, before.ID, now)
		}
		if level, err = tx.Inbox().Level(ctx); err != nil {
			return err
		}
		level.Rows, level.Bytes = level.Rows-1, level.Bytes-d.Size
		if s.full(level, d.Size) {
			return overfull(level)
		}
		return nil
	})
	if _, ok := fault.As(err); err != nil && !ok {
		return later(err)
	}
	return err
}

// known reports whether the delivery is here already: its sender may stop trying.
func (s *Service) known(ctx context.Context, d *inbox.Delivery) (found bool, err error) {
	err = s.o.Store.View(ctx, func(tx ledger.Tx) error {
		before, err := tx.Inbox().Find(ctx, d.Hook, d.Sender)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		if err != nil {
			return later(err)
		}
		found = before.State != inbox.Failed
		return same(before, d)
	})
	return found, err
}

func (s *Service) full(l inbox.Level, size int64) bool {
	return l.Rows >= s.o.MaxRows || l.Bytes+size > s.o.MaxBytes
}

func overfull(l inbox.Level) error {
	f := fault.New(fault.InboxFull, "%d deliveries wait to be taken in", l.Rows)
	f.RetryAfter = retryAfter
	return f
}

// later is a store that did not take the delivery: nothing was acknowledged.
func later(err error) error {
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.StoreUnavailable, "the delivery could not be stored").Wrap(err)
	}
	f.RetryAfter = max(f.RetryAfter, retryAfter)
	return f
}

// same refuses a delivery that came back with another body.
func same(before, d *inbox.Delivery) error {
	if !hmac.Equal(before.Digest, d.Digest) {
		return fault.New(fault.DeliveryChanged, "this delivery was taken before, with another body")
	}
	return nil
}

// isID accepts what a sender may call a delivery.
func isID(id string) bool {
	if len(id) < 1 || len(id) > 200 {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return true
}

func checkName(name string) error {
	ok := len(name) >= 1 && len(name) <= 64
	for i, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || i > 0 && (r == '-' || r == '_'))
	}
	if !ok {
		return fault.New(fault.Usage, "the name of a webhook is 1 to 64 of a-z, 0-9, `-` and `_`")
	}
	return nil
}

func (s *Service) require(least tenant.Role) error {
	if !s.o.Caller.Has(tenant.Write) {
		return fault.New(fault.InsufficientScope, "the token lacks scope %s", tenant.Write).With("scope", tenant.Write)
	}
	if !s.o.Caller.Role.Covers(least) {
		return fault.New(fault.RoleRequired, "this needs role %s", least).With("role", least)
	}
	return nil
}

// mine returns a hook of the caller's workspace.
func (s *Service) mine(ctx context.Context, tx ledger.Tx, name string) (*inbox.Hook, error) {
	h, err := tx.Inbox().Hook(ctx, name)
	if err == nil {
		var p *tenant.Profile
		if p, err = tx.Tenants().Profile(ctx, h.Profile); err == nil && p.Workspace == s.o.Caller.Workspace {
			return h, nil
		}
	}
	return nil, missing(err, "there is no such webhook")
}

func missing(err error, text string) error {
	if err == nil || errors.Is(err, ledger.ErrNotFound) {
		return fault.New(fault.NotFound, "%s", text)
	}
	return err
}

func (s *Service) book(ctx context.Context, tx ledger.Tx, op string, h *inbox.Hook) error {
	_, err := tx.Audit().Append(ctx, tx.Now(), audit.Record{
		Actor: audit.Actor{Type: s.o.Caller.Type, ID: s.o.Caller.ID}, Via: s.o.Caller.Via, Op: op, Object: h.Name, Profile: h.Profile,
		Result: "ok", AppVersion: s.o.Version,
	})
	return err
}
