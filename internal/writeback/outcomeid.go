package writeback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/tenant"
)

// digester names records, sales and order lines without repeating them: all are
// numbers of the business's own that may be a customer's. It serves one goroutine.
type digester struct {
	mac hash.Hash
	buf []byte
	len [4]byte
}

// What is digested; a digest of one kind is never one of another.
const (
	digestOutcome  = "outcome"
	digestRecord   = "record"
	digestSale     = "sale"
	digestLine     = "line"
	digestRepeated = "repeated"
	digestContent  = "content"
)

func (s *Service) digester() *digester {
	return &digester{mac: hmac.New(sha256.New, s.keys.Derive("names of outcomes, profile "+s.profile)), buf: make([]byte, 0, sha256.Size)}
}

func (d *digester) of(kind string, parts ...string) outcome.ID {
	d.mac.Reset()
	d.add(kind)
	for _, p := range parts {
		d.add(p)
	}
	return d.sum()
}

func (d *digester) add(s string) {
	binary.BigEndian.PutUint32(d.len[:], uint32(len(s)))
	d.mac.Write(d.len[:])
	d.mac.Write([]byte(s))
}

func (d *digester) sum() outcome.ID { return outcome.ID(d.mac.Sum(d.buf[:0])) }

// sale names a sale; the empty key names none.
func (d *digester) sale(key string) outcome.ID {
	if key == "" {
		return outcome.ID{}
	}
	return d.of(digestSale, key)
}

// lines names the lines of an order.
func (d *digester) lines(namespace string, items []mapping.Item) []outcome.ID {
	if len(items) == 0 {
		return nil
	}
	out := make([]outcome.ID, len(items))
	for i, it := range items {
		d.mac.Reset()
		for _, s := range [...]string{digestLine, namespace, it.Customer, it.ID} {
			d.add(s)
		}
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(it.Quantity))
		d.mac.Write(n[:])
		out[i] = d.sum()
	}
	return out
}

// profileOf reads the profile that this service works for.
func (s *Service) profileOf(ctx context.Context) (*tenant.Profile, error) {
	var p *tenant.Profile
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		p, err = s.profileIn(ctx, tx)
		return err
	})
	return p, err
}

// profileIn reads it in a transaction. A profile that nobody made is refused
// everywhere: a name that is mistyped has no rules and no suppression list.
func (s *Service) profileIn(ctx context.Context, tx ledger.Tx) (*tenant.Profile, error) {
	p, err := tx.Tenants().Profile(ctx, s.profile)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "no profile %s", s.profile).WithFix("list profiles with `sluice profile list`, or add one")
	}
	return p, err
}

// Known refuses a profile that does not exist.
func (s *Service) Known(ctx context.Context) error {
	_, err := s.profileOf(ctx)
	return err
}

// holdOf is how long an outcome waits for its cancellation. A mapping may say more
// than the policy, never less; where neither says anything, an order waits a day.
func holdOf(policy *tenant.Policy, name string, said time.Duration, isSaid bool) time.Duration {
	by, err := time.ParseDuration(policy.HoldFor[name])
	switch {
	case err == nil && isSaid:
		return max(by, said)
	case err == nil:
		return by
	case isSaid:
		return said
	}
	return mapping.DefaultHold(name)
}

// leastLeft is what a hold must leave of the time in which Meta takes an event.
const leastLeft = 24 * time.Hour

// tooLong reports whether a hold leaves less than a day to send in.
func tooLong(hold time.Duration, source capi.ActionSource, window capi.OfflineWindow) bool {
	return hold > 0 && hold > capi.Window(source, window)-leastLeft
}

// eventOf is the event name of an outcome: what the mapping says itself, else the
// profile's policy, else the table.
func eventOf(policy *tenant.Policy, name, mapped string, said bool) string {
	if rule := policy.Events[name]; rule.EventName != "" && !said {
		return rule.EventName
	}
	return mapped
}

// sourceOf is the action source of an outcome that names none.
func sourceOf(policy *tenant.Policy, name string) capi.ActionSource {
	if rule := policy.Events[name]; rule.ActionSource != "" {
		return capi.ActionSource(rule.ActionSource)
	}
	switch name {
	case "payment_received", "closed_won":
		return capi.SystemGenerated
	}
	return capi.Website
}

// crm marks the events of a sales pipeline as Meta wants them; who keeps the
// pipeline (lead_event_source) only the business can say.
func crm(ev *capi.Event, name string) {
	pipeline := name == "closed_won" || name == "lead_created"
	if pipeline && ev.ActionSource == capi.SystemGenerated && ev.CustomData.EventSource == "" {
		ev.CustomData.EventSource = "crm"
	}
}

const purchase = "Purchase"
