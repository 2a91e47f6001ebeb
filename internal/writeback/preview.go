package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/crash"
	"sluice/internal/extsort"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/privacy"
	"sluice/internal/secret"
	"sluice/internal/source"
	"sluice/internal/tenant"
)

// sendMargin is how long before the end of its window an event counts as expired:
// a request that is queued and retried must still arrive inside it.
const sendMargin = 30 * time.Minute

// planLife is how long a plan can be confirmed.
const planLife = 24 * time.Hour

// PreviewRequest is one preview: over an input with its mapping, or over stored
// outcomes.
type PreviewRequest struct {
	Stored   *Selection
	Filter   string // FilterAll when empty
	Reader   source.Reader
	Mapping  *mapping.Mapping
	Dataset  string
	Realm    string       // graph.Client.Realm of where it will be sent
	Options  capi.Options // Now, Margin and the mapping's choices are filled in
	Samples  int          // masked events to show
	Progress func(Progress)
	Only     map[Place]bool // a re-drive: only the records at these places, see RejectedPlaces
	Origin   string         // who asks: a schedule's window; empty: a person
	// Remarks adds warnings once the whole input was read.
	Remarks func() map[string]*Note
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
	if err := s.Known(ctx); err != nil {
		return nil, err
	}
	if err := s.sweep(ctx); err != nil {
		return nil, err
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	p := &planner{
		Service: s, mapping: req.Mapping, reader: req.Reader, dataset: req.Dataset, realm: req.Realm, now: now,
		samples: req.Samples, progress: req.Progress, only: req.Only, remarks: req.Remarks, origin: req.Origin, summary: newSummary(), tempDir: s.dir("tmp"),
		buffers: make(buffers, 2*runtime.GOMAXPROCS(0)+2),
		files:   newInterner(), kinds: newInterner(),
		beside: beside{unsold: map[string]int{}, sold: map[string]int{}, stored: map[string]int{}},
	}
	defer p.beside.close()
	switch req.Filter {
	case "", FilterAll:
	case FilterMetaTouch:
		p.onlyMeta, p.summary.Filter = true, req.Filter
	default:
		return nil, fault.New(fault.Usage, "the filter is not one").WithFix("write all or has_meta_touch")
	}
	if req.Stored != nil {
		var err error
		if p.stored, err = s.selection(ctx, req.Stored); err != nil {
			return nil, err
		}
		p.summary.Window = p.stored.window
		if p.origin == "" {
			if err := s.knownOutcomes(ctx, req.Stored.Outcomes); err != nil {
				return nil, err
			}
			p.origin = p.stored.origin()
		}
	} else {
		p.labels = req.Mapping.LabelNames()
	}
	p.summary.Redrive = req.Only != nil
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
		return nil, typed(err)
	}
	return view, nil
}

// typed gives the errors of a full disk their code.
func typed(err error) error {
	if errors.Is(err, extsort.ErrSpill) {
		return fault.New(fault.StoreUnavailable, "the state directory's tmp folder can't be used").Wrap(err)
	}
	return err
}

// planner builds one plan.
type planner struct {
	*Service
	mapping  *mapping.Mapping
	reader   source.Reader
	options  capi.Options
	dataset  string
	realm    string
	now      time.Time
	samples  int
	progress func(Progress)
	only     map[Place]bool
	tempDir  string

	buffers  buffers
	open     []RunRow // runs that ended early
	plan     *ledger.Plan
	payload  *frozen.Writer
	sealed   bool
	summary  *Summary
	files    *interner
	kinds    *interner
	labels   []string // names
	beside   beside   // what the records say about each other
	stored   *stored  // in place of reader and mapping
	onlyMeta bool     // only what has a touch of Meta
	rejects  []ledger.Reject
	hashed   int // identifiers that arrived hashed
	keyed    int // keys that were written
	outliers outliers
	guard    *guard
	remarks  func() map[string]*Note
	left     []left // records that are not in the plan, not written yet
	leftNo   int
	origin   string
	parts    []privacy.Part // of the subject index, not written yet
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
	if err := p.guardPlan(ctx, key); err != nil {
		return nil, err
	}
	byKey := extsort.New(p.tempDir, 0)
	defer func() { _ = byKey.Close() }()
	if err := p.gather(ctx, sealer, byKey); err != nil {
		return nil, err
	}
	if err := p.storeIndex(ctx, true); err != nil {
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
	root, count, samples, err := p.lay(ctx, byTime)
	if err != nil {
		return nil, err
	}
	if err := p.show(ctx, samples, key); err != nil {
		return nil, err
	}
	if p.summary.Counts.Rows == 0 {
		return nil, p.empty()
	}
	if p.open, err = p.OpenRuns(ctx, p.realm, p.dataset); err != nil {
		return nil, err
	}
	p.warn()
	return p.freeze(ctx, root, count)
}

// gather brings every record in, from the input or the store, and settles what they
// say about each other.
func (p *planner) gather(ctx context.Context, sealer *frozen.Sealer, byKey *extsort.Sorter) error {
	if p.stored != nil {
		err := p.store.View(ctx, func(tx ledger.Tx) (err error) {
			p.labels, err = p.stored.labelsOf(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		if err := p.collectStored(ctx, sealer, byKey); err != nil {
			return err
		}
	} else if err := p.collect(ctx, sealer, byKey); err != nil {
		return err
	}
	if err := p.matchCancels(); err != nil {
		return err
	}
	return p.matchSales(ctx)
}

func (p *planner) empty() error {
	if p.stored != nil {
		return fault.New(fault.NothingToSend, "no stored outcome of these types lies in the window %s", p.stored.window).
			WithFix("`sluice outcomes stats` shows what there is")
	}
	return fault.New(fault.SourceEmpty, "the input has no records")
}

func (p *planner) sourceDigest() [32]byte {
	if p.stored != nil {
		return [32]byte(p.stored.sum.Sum(nil))
	}
	return p.reader.Digest()
}

// show reads the chosen samples back from the payload, masked.
func (p *planner) show(ctx context.Context, samples []frozen.Ref, key []byte) error {
	r, err := p.openPayload(ctx, p.plan, key)
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be read").Wrap(err)
	}
	defer func() { _ = r.Close() }()
	load, err := r.Load(nil, nil)
	if err != nil {
		return err
	}
	for _, ref := range samples {
		event, err := load.Append(nil, ref)
		if err != nil {
			return err
		}
		shown, err := mask(event)
		if err != nil {
			return err
		}
		p.summary.Samples = append(p.summary.Samples, shown)
	}
	return nil
}

// begin creates the plan row and its payload. The payload's random name is also
// what its wrapped key is bound to.
func (p *planner) begin(ctx context.Context, key []byte) error {
	file := ids.New("pf", p.now) + ".frozen"
	to, err := p.store.Payloads().Create(ctx, file)
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be written").Wrap(err)
	}
	w, err := frozen.Create(to)
	if err != nil {
		to.Abort()
		return fault.New(fault.StoreUnavailable, "the plan's payload can't be written").Wrap(err)
	}
	p.payload = w
	p.plan = &ledger.Plan{Dataset: p.dataset, Realm: p.realm, CreatedAt: p.now, ExpiresAt: p.now.Add(planLife), File: file, WrappedKey: p.keys.Wrap(key, file), Profile: p.profile, MappingDigest: p.mappingDigest(), Origin: p.origin}
	return p.store.Do(ctx, func(tx ledger.Tx) error {
		policy, err := p.policyOf(ctx, tx)
		if err != nil {
			return err
		}
		p.plan.PolicyDigest = policyDigest(&tenant.Profile{Policy: policy})
		return tx.Plans().Create(ctx, p.plan)
	})
}

// freeze gives the plan its id and hash. The same input previewed twice is the same
// plan, as long as that one can still be confirmed; after that it is a new
// generation of it.
func (p *planner) freeze(ctx context.Context, root [32]byte, count int) (*PlanView, error) {
	var err error
	p.plan.Events = count
	if p.plan.Summary, err = json.Marshal(p.summary); err != nil {
		return nil, err
	}
	kinds := make([]ledger.Kind, len(p.kinds.names))
	for i, s := range p.kinds.names {
		kinds[i] = decodeKind(i, s)
	}
	var same *ledger.Plan
	crash.Point("C0")
	err = p.store.Do(ctx, func(tx ledger.Tx) error {
		if err := p.stillAllowed(ctx, tx); err != nil {
			return err
		}
		if same, err = p.name(ctx, tx, root, count); err != nil {
			return err
		}
		shown := p.plan
		if same != nil {
			shown = same
			same.ExpiresAt = p.plan.ExpiresAt
			if err := tx.Plans().SetExpires(ctx, same.No, same.ExpiresAt); err != nil {
				return err
			}
		} else if err := tx.Plans().Freeze(ctx, p.plan, kinds, p.files.names, p.labels); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, p.now, p.record(shown))
		return err
	})
	if err != nil {
		return nil, err
	}
	crash.Point("C1")
	if same == nil {
		return viewOf(p.plan)
	}
	p.discard(context.WithoutCancel(ctx))
	// The content is the same; ages and what is about to expire are today's.
	same.Summary = p.plan.Summary
	return viewOf(same)
}

// name finds the first generation of the plan that is free, or a ready plan with
// the same content whose payload is there.
func (p *planner) name(ctx context.Context, tx ledger.Tx, root [32]byte, count int) (*ledger.Plan, error) {
	for generation := 0; ; generation++ {
		hash, err := p.hash(root, count, generation)
		if err != nil {
			return nil, err
		}
		p.plan.Hash, p.plan.ID = hex.EncodeToString(hash[:]), ids.FromDigest("pl", hash)
		same, err := tx.Plans().ByID(ctx, p.plan.ID)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		case same.State == ledger.PlanReady:
			if payload, err := p.Service.payload(ctx, same); err == nil {
				return same, payload.Close()
			}
		}
	}
}

func (p *planner) record(shown *ledger.Plan) audit.Record {
	n := p.summary.Counts
	return audit.Record{
		Actor: p.actor(), Via: p.caller.Via, Profile: p.profile, Op: "preview", Dataset: p.dataset, Realm: p.realm, Plan: shown.ID, PlanHash: shown.Hash,
		EventCount: shown.Events, ValueBy: valueText(p.summary.Value), Result: "ok", AppVersion: p.version,
		CountsByState: map[string]int{"planned": n.Planned, "held": n.Held, "rejected": n.Rejected, "skipped": n.Skipped, "expired": n.Expired},
		MappingDigest: p.mappingDigest(),
	}
}

func (p *planner) mappingDigest() string {
	if p.stored != nil {
		return ""
	}
	d := p.mapping.Digest()
	return hex.EncodeToString(d[:])
}

// hash binds the plan to everything that decided its content.
func (p *planner) hash(root [32]byte, count, generation int) ([32]byte, error) {
	source := p.sourceDigest()
	raw, err := json.Marshal(map[string]any{
		"schema": "wb-plan-1", "workspace": "default", "profile": p.profile, "dataset_id": p.dataset,
		"mapping_digest": p.mappingDigest(), "source_digest": hex.EncodeToString(source[:]),
		"count": count, "root": hex.EncodeToString(root[:]), "realm": p.realm, "generation": generation, "policy_digest": p.plan.PolicyDigest,
		"strict_window": p.summary.Strict7, "allow_missing_ua": p.options.AllowMissingUserAgent,
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

// discard removes what an unfinished or superseded plan left behind: its row first,
// which is refused when it has a run, then its file.
func (p *planner) discard(ctx context.Context) {
	if p.payload != nil && !p.sealed {
		p.payload.Abort()
	}
	if p.plan == nil || p.plan.No == 0 {
		return
	}
	if err := p.remove(ctx, p.plan); err != nil {
		p.log.Warn("an unfinished plan could not be removed; a later preview tries again", "plan", p.plan.No, "error", err)
	}
}

// remove deletes a plan that has no run, some thousand rows at a time.
func (s *Service) remove(ctx context.Context, p *ledger.Plan) error {
	for done := false; !done; {
		err := s.store.Do(ctx, func(tx ledger.Tx) (err error) {
			done, err = tx.Plans().Delete(ctx, p.No)
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.store.Payloads().Remove(ctx, p.File)
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
			err = s.remove(ctx, &dead[i])
		}
	}
	return err
}
