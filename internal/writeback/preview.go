package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/secret"
	"sluice/internal/source"
)

// sendMargin is how long before the end of its window an event counts as expired:
// a request that is queued and retried must still arrive inside it.
const sendMargin = 30 * time.Minute

// planLife is how long a plan can be confirmed.
const planLife = 24 * time.Hour

// PreviewRequest is one preview.
type PreviewRequest struct {
	Reader   source.Reader
	Mapping  *mapping.Mapping
	Dataset  string
	Options  capi.Options // Now, Margin and the mapping's choices are filled in
	Samples  int          // 3 when zero
	Progress func(Progress)
}

// Progress is where a long step stands.
type Progress struct {
	Phase       string // reading, sorting, planning, checking, claiming, sending
	Done, Total int64
	Bytes       int64 // of the input, when reading
	TotalBytes  int64
	Counts      map[string]int64
}

// Preview reads the input once and freezes what would be sent. Nothing leaves the
// process. The same input, mapping and clock give the same plan.
func (s *Service) Preview(ctx context.Context, req PreviewRequest) (*PlanView, error) {
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	p := &planner{
		Service: s, mapping: req.Mapping, reader: req.Reader, dataset: req.Dataset, now: now,
		samples: req.Samples, progress: req.Progress, summary: newSummary(), tempDir: s.dir("tmp"),
		buffers: make(buffers, 2*runtime.GOMAXPROCS(0)+2),
		files:   newInterner(), kinds: newInterner(), labels: req.Mapping.LabelNames(),
	}
	if p.samples == 0 {
		p.samples = 3
	}
	if p.progress == nil {
		p.progress = func(Progress) {}
	}
	p.options = req.Options
	p.summary.Strict7 = req.Options.OfflineWindow == capi.OfflineStrict7
	p.options.Now = func() time.Time { return now }
	p.options.Margin = sendMargin
	if err := os.MkdirAll(p.tempDir, 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	view, err := p.build(ctx)
	if err != nil {
		p.discard(context.WithoutCancel(ctx))
		return nil, err
	}
	return view, nil
}

// planner builds one plan.
type planner struct {
	*Service
	mapping  *mapping.Mapping
	reader   source.Reader
	options  capi.Options
	dataset  string
	now      time.Time
	samples  int
	progress func(Progress)
	tempDir  string

	buffers  buffers
	plan     *ledger.Plan
	payload  *frozen.Writer
	sealed   bool
	summary  *Summary
	files    *interner
	kinds    *interner
	labels   []string // names
	rejects  []ledger.Reject
	hashed   int // identifiers that arrived hashed
	keyed    int // keys that were written
	outliers outliers
}

func (p *planner) build(ctx context.Context) (*PlanView, error) {
	key := secret.NewDataKey()
	sealer, err := frozen.NewSealer(key)
	if err != nil {
		return nil, err
	}
	if err := p.begin(ctx, key); err != nil {
		return nil, err
	}
	byKey := extsort.New(p.tempDir, 0)
	defer func() { _ = byKey.Close() }()
	if err := p.collect(ctx, sealer, byKey); err != nil {
		return nil, err
	}
	if err := p.payload.Close(); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the plan's payload can't be written").Wrap(err)
	}
	p.sealed = true
	byTime := extsort.New(p.tempDir, 0)
	defer func() { _ = byTime.Close() }()
	if err := p.dedupe(ctx, byKey, byTime); err != nil {
		return nil, err
	}
	root, count, err := p.lay(ctx, byTime)
	if err != nil {
		return nil, err
	}
	if p.summary.Counts.Rows == 0 {
		return nil, fault.New(fault.SourceEmpty, "the input has no records")
	}
	p.warn()
	return p.freeze(ctx, root, count)
}

// begin creates the plan row and its payload file. The file's random name is also
// what its wrapped key is bound to.
func (p *planner) begin(ctx context.Context, key []byte) error {
	file := ids.New("pf", p.now) + ".frozen"
	if err := os.MkdirAll(p.dir("plans"), 0o700); err != nil {
		return fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	w, err := frozen.Create(filepath.Join(p.dir("plans"), file))
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be written").Wrap(err)
	}
	p.payload = w
	p.plan = &ledger.Plan{Dataset: p.dataset, CreatedAt: p.now, ExpiresAt: p.now.Add(planLife), File: file, WrappedKey: p.keys.Wrap(key, file)}
	return p.store.Do(ctx, func(tx ledger.Tx) error { return tx.Plans().Create(ctx, p.plan) })
}

// freeze gives the plan its id and hash. A plan with the same content already
// exists when the same input is previewed twice: that one is kept.
func (p *planner) freeze(ctx context.Context, root [32]byte, count int) (*PlanView, error) {
	hash, err := p.hash(root, count)
	if err != nil {
		return nil, err
	}
	p.plan.Hash, p.plan.ID, p.plan.Events = hex.EncodeToString(hash[:]), ids.FromDigest("pl", hash), count
	if p.plan.Summary, err = json.Marshal(p.summary); err != nil {
		return nil, err
	}
	kinds := make([]ledger.Kind, len(p.kinds.names))
	for i, s := range p.kinds.names {
		kinds[i] = decodeKind(i, s)
	}
	var existing *ledger.Plan
	err = p.store.Do(ctx, func(tx ledger.Tx) error {
		same, err := tx.Plans().ByID(ctx, p.plan.ID)
		switch {
		case err == nil:
			existing = same
			return tx.Plans().SetExpires(ctx, same.No, p.plan.ExpiresAt)
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		if err := tx.Plans().Freeze(ctx, p.plan, kinds, p.files.names, p.labels); err != nil {
			return err
		}
		_, err = tx.Audit().Append(ctx, p.now, audit.Record{
			Actor: p.actor, Via: p.via, Op: "preview", Dataset: p.dataset, Plan: p.plan.ID, PlanHash: p.plan.Hash,
			EventCount: count, ValueBy: valueText(p.summary.Value), Result: "ok", AppVersion: p.version,
			CountsByState: map[string]int{
				"planned": p.summary.Counts.Planned, "held": p.summary.Counts.Held, "rejected": p.summary.Counts.Rejected,
				"skipped": p.summary.Counts.Skipped, "expired": p.summary.Counts.Expired,
			},
			MappingDigest: p.mappingDigest(),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if existing != nil {
		p.discard(ctx)
		existing.ExpiresAt = p.plan.ExpiresAt
		p.plan = existing
	}
	return p.Plan(ctx, p.plan.ID)
}

func (p *planner) mappingDigest() string {
	d := p.mapping.Digest()
	return hex.EncodeToString(d[:])
}

// hash binds the plan to everything that decided its content.
func (p *planner) hash(root [32]byte, count int) ([32]byte, error) {
	source := p.reader.Digest()
	raw, err := json.Marshal(map[string]any{
		"schema": "wb-plan-1", "workspace": "default", "profile": "default", "dataset_id": p.dataset,
		"mapping_digest": p.mappingDigest(), "source_digest": hex.EncodeToString(source[:]),
		"count": count, "root": hex.EncodeToString(root[:]),
	})
	if err != nil {
		return [32]byte{}, err
	}
	value := jsontext.Value(raw)
	if err := value.Canonicalize(); err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(value), nil
}

// discard removes what an unfinished or superseded plan left behind.
func (p *planner) discard(ctx context.Context) {
	if p.payload != nil {
		if p.sealed {
			_ = os.Remove(filepath.Join(p.dir("plans"), p.plan.File))
		} else {
			p.payload.Abort()
		}
	}
	if p.plan != nil && p.plan.No != 0 {
		if err := p.store.Do(ctx, func(tx ledger.Tx) error { return tx.Plans().Delete(ctx, p.plan.No) }); err != nil {
			p.log.Warn("an unfinished plan could not be removed; the next preview tries again", "plan", p.plan.No)
		}
	}
}

// sweep removes plans whose preview died. Their age keeps it away from previews
// that are running in other processes.
func (s *Service) sweep(ctx context.Context) error {
	var dead []ledger.Plan
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		dead, err = tx.Plans().Abandoned(ctx, s.now().Add(-6*time.Hour))
		return err
	})
	for i := range dead {
		if err == nil {
			_ = os.Remove(filepath.Join(s.dir("plans"), dead[i].File))
			err = s.store.Do(ctx, func(tx ledger.Tx) error { return tx.Plans().Delete(ctx, dead[i].No) })
		}
	}
	return err
}
