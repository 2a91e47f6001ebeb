package writeback

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// tagPrefix begins the upload_tag of everything Sluice sends:
// sluice:<store>:<run>.
const tagPrefix = "sluice:"

// uploadsBack is how far the upload history matters: the oldest event Meta takes,
// and its deduplication of seven days.
const uploadsBack = 69 * 24 * time.Hour

// uploadPages bounds what one confirm reads of the history, in pages of 500.
const uploadPages = 10

// historian is a destination that remembers uploads.
type historian interface {
	Uploads(ctx context.Context, dataset string, since time.Time, pages int) (list []graph.Upload, more bool, err error)
}

// only makes sure that no other ledger has sent, or will send, what this plan holds.
func (c *confirm) only(ctx context.Context) error {
	if c.plan.Events == 0 {
		return nil
	}
	if err := c.forked(ctx); err != nil {
		return err
	}
	return c.firstUpload(ctx)
}

// forked refuses a confirm when there may be a second ledger for the same dataset:
// this store is older than what it exported, or the dataset holds uploads that it
// does not know. Nothing has been sent when it refuses.
func (c *confirm) forked(ctx context.Context) error {
	if err := c.behind(ctx); err != nil {
		return err
	}
	strangers, err := c.strangers(ctx, c.to, Target{c.plan.Profile, c.plan.Realm, c.plan.Dataset})
	if err != nil {
		return err
	}
	return strangers.fault(c.plan.Dataset)
}

// behind refuses when the store lacks what its last exported checkpoint signed: a
// backup was restored, and what was sent since is missing in it.
func (s *Service) behind(ctx context.Context) error {
	if s.anchors.File == "" {
		return nil
	}
	last, err := audit.File{Path: s.anchors.File}.Last(s.store.ID())
	if err != nil {
		return notExported(err)
	}
	if last == nil {
		return nil
	}
	return s.store.View(ctx, func(tx ledger.Tx) error {
		stored, err := tx.Audit().LastCheckpoint(ctx)
		if err != nil {
			return err
		}
		missing := numberOf(stored) < last.Checkpoint.No
		for _, h := range last.Checkpoint.Heads {
			found := false
			err := tx.Audit().Range(ctx, h.Chain, h.Size, h.Size, func(l audit.Link) error {
				found = l.Hash == h.Hash
				return nil
			})
			if err != nil {
				return err
			}
			missing = missing || !found
		}
		if !missing {
			return nil
		}
		return fault.New(fault.LedgerForked, "this ledger is older than its exported checkpoint %d of %s: a backup was restored, or its log was changed", last.Checkpoint.No, last.Checkpoint.TS).
			WithFix("bring back the newer ledger; or record what it sent with `sluice adopt`, then `sluice audit checkpoints reset --reason TEXT`").
			With("cause", "checkpoint").With("checkpoint", last.Checkpoint.No)
	})
}

// strangers are uploads of a dataset that this ledger did not make.
type strangers struct {
	stores []string // other stores that no admin has accepted
	runs   []string // runs of this store that it does not know
}

// strangers reads the dataset's upload history. Only store events leave uploads, so
// a dataset without them, or a token that may not read them, proves nothing.
func (s *Service) strangers(ctx context.Context, to Destination, at Target) (found strangers, err error) {
	h, ok := to.(historian)
	if !ok {
		return found, nil
	}
	uploads, more, err := h.Uploads(ctx, at.Dataset, s.now().Add(-uploadsBack), uploadPages)
	if err != nil {
		var e *graph.Error
		if errors.As(err, &e) && (e.Class == graph.Config || e.Class == graph.Content) {
			s.log.Warn("the upload history can't be read", "dataset", at.Dataset, "error", e)
			return found, nil
		}
		return found, deliver.Stopped(err)
	}
	if more {
		s.log.Warn("the upload history is longer than what is read", "dataset", at.Dataset)
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		known, err := knownStores(ctx, tx, at)
		if err != nil {
			return err
		}
		for _, u := range uploads {
			store, run, ok := splitTag(u.Tag)
			switch {
			case !ok, slices.Contains(known, store), slices.Contains(known, run), slices.Contains(found.stores, store):
			case store != s.store.ID():
				found.stores = append(found.stores, store)
			default:
				_, err := tx.Runs().ByID(ctx, run)
				if errors.Is(err, ledger.ErrNotFound) {
					found.runs = append(found.runs, run)
				} else if err != nil {
					return err
				}
			}
		}
		return nil
	})
	return found, err
}

// splitTag reads a tag of ours. A person may have chosen any other one.
func splitTag(tag string) (store, run string, ok bool) {
	rest, ok := strings.CutPrefix(tag, tagPrefix)
	if !ok {
		return "", "", false
	}
	store, run, ok = strings.Cut(rest, ":")
	return store, run, ok && store != "" && run != ""
}

// knownStores are the stores and runs that an admin has accepted for a dataset.
func knownStores(ctx context.Context, tx ledger.Tx, at Target) ([]string, error) {
	conn, err := tx.Tenants().Connection(ctx, at.Profile, at.Realm, at.Dataset)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return conn.KnownStores, nil
}

func (f strangers) fault(dataset string) error {
	switch {
	case len(f.runs) > 0:
		return fault.New(fault.LedgerForked, "dataset %s holds uploads of this store that this ledger does not know (%s): a backup was restored", dataset, f.runs[0]).
			WithFix("bring back the newer ledger; or record what it sent with `sluice adopt`, then `sluice connect accept-store %s self --reason TEXT`", dataset).
			With("cause", "uploads").With("runs", f.runs)
	case len(f.stores) > 0:
		return fault.New(fault.LedgerForked, "dataset %s holds uploads of another ledger (%s)", dataset, f.stores[0]).
			WithFix("send from one ledger only; or, when the two never send the same event, `sluice connect accept-store %s %s --reason TEXT`", dataset, f.stores[0]).
			With("cause", "uploads").With("stores", f.stores)
	default:
		return nil
	}
}

// self stands for the runs of this store that it does not know.
const self = "self"

// AcceptStore records that an admin accepts the uploads of another store to a
// dataset; "self" stands for the uploads of this store that it lost. It returns what
// was accepted.
func (s *Service) AcceptStore(ctx context.Context, to Destination, at Target, store, reason string) ([]string, error) {
	if err := s.admin(reason); err != nil {
		return nil, err
	}
	accepted := []string{store}
	if store == self {
		// The lost runs are named one by one: what another restored backup sends later is
		// news again.
		found, err := s.strangers(ctx, to, at)
		if err != nil {
			return nil, err
		}
		if accepted = found.runs; len(accepted) == 0 {
			return nil, fault.New(fault.NotFound, "dataset %s holds no upload of this store that it does not know", at.Dataset)
		}
	} else if !strings.HasPrefix(store, "st_") {
		return nil, fault.New(fault.Usage, "a store's id begins with st_").WithFix("the id stands in the ledger_forked error, and after `sluice:` in the upload_tag in Events Manager")
	}
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		conn, err := tx.Tenants().Connection(ctx, at.Profile, at.Realm, at.Dataset)
		if errors.Is(err, ledger.ErrNotFound) {
			// Without a credential of its own: the environment's goes on being used.
			conn = &tenant.Connection{
				ID: ids.New("conn", tx.Now()), Profile: at.Profile, Dataset: at.Dataset, Realm: at.Realm, State: tenant.ConnActive, CreatedAt: tx.Now(),
			}
		} else if err != nil {
			return err
		}
		for _, id := range accepted {
			if !slices.Contains(conn.KnownStores, id) {
				conn.KnownStores = append(conn.KnownStores, id)
			}
		}
		if err := tx.Tenants().PutConnection(ctx, conn); err != nil {
			return err
		}
		_, err = tx.Audit().Append(ctx, tx.Now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Op: "connection.accept_store", Object: strings.Join(accepted[:min(20, len(accepted))], " "), Profile: at.Profile, Dataset: at.Dataset, Realm: at.Realm,
			Reason: reason, Result: "ok", AppVersion: s.version,
		})
		return err
	})
	return accepted, err
}
