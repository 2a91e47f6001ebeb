package writeback

import (
	"context"
	"os"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/source"
)

// ImportRequest is one import into the outcome store.
type ImportRequest struct {
	Reader   source.Reader
	Mapping  *mapping.Mapping
	Source   string       // name of where it comes from; empty: a file
	Options  capi.Options // the mapping's choices; the clock is filled in
	Progress func(Progress)
	// Rejected is told every row that can't become an event, in no order.
	Rejected func(*ledger.Reject) error
}

// Intake is what became of the rows of an import or push:
// Rows = New + Repeated + Changed + Rejected + Skipped + Cancellations.
type Intake struct {
	Rows          int   `json:"rows"`
	Lines         int64 `json:"lines,omitempty"`
	New           int   `json:"new"`
	Repeated      int   `json:"repeated"` // known, and said the same
	Changed       int   `json:"changed"`  // known, and said something else: drift
	Rejected      int   `json:"rejected"`
	Skipped       int   `json:"skipped"`
	Cancellations int   `json:"cancellations"`
	// Cancelled and Withdrawn count stored outcomes that rows of this import took back.
	Cancelled int `json:"cancelled"`
	Withdrawn int `json:"withdrawn"`
	// Unmatched counts cancellations that found no order.
	Unmatched int `json:"unmatched"`

	Outcomes map[string]int   `json:"outcomes"` // of the rows that were stored
	Rejects  map[string]int   `json:"rejects"`
	Skips    map[string]int   `json:"skips"`
	Warnings map[string]*Note `json:"warnings,omitempty"`
	Notes    []source.Note    `json:"notes,omitempty"`
}

func newIntake() *Intake {
	return &Intake{Outcomes: map[string]int{}, Rejects: map[string]int{}, Skips: map[string]int{}, Warnings: map[string]*Note{}}
}

// Import reads the input once into the profile's outcome store. Identifiers are
// hashed before anything is written; the same input again changes nothing.
func (s *Service) Import(ctx context.Context, req ImportRequest) (*Intake, error) {
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir("tmp"), 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	in := &intake{
		Service: s, policy: &profile.Policy, options: req.Options, source: req.Source, rejected: req.Rejected, progress: req.Progress,
		total: newIntake(), vault: s.vault(), now: s.now().UTC().Truncate(time.Millisecond),
	}
	in.planner = &planner{Service: s, mapping: req.Mapping, reader: req.Reader, tempDir: s.dir("tmp"), now: in.now}
	in.options.Margin = 0
	if err := in.run(ctx); err != nil {
		return nil, typed(err)
	}
	in.total.Notes = req.Reader.Notes()
	if in.total.Rows == 0 {
		return nil, fault.New(fault.SourceEmpty, "the input has no records")
	}
	digest := req.Mapping.Digest()
	return in.total, s.noteIntake(ctx, in.total, "outcomes.import", digest[:])
}

// noteIntake leaves a record of what came in.
func (s *Service) noteIntake(ctx context.Context, n *Intake, op string, mappingDigest []byte) error {
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Audit().Append(ctx, s.now(), audit.Record{
			Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: op, EventCount: n.Rows, Result: "ok", AppVersion: s.version,
			MappingDigest: hexOf(mappingDigest),
			CountsByState: map[string]int{
				"new": n.New, "repeated": n.Repeated, "changed": n.Changed, "rejected": n.Rejected, "skipped": n.Skipped,
				"cancellations": n.Cancellations, "cancelled": n.Cancelled, "withdrawn": n.Withdrawn,
			},
		})
		return err
	})
}

// OutcomeQuery chooses stored outcomes as a person says it.
type OutcomeQuery struct {
	Outcomes []string
	Window   string // see outcome.ParseWindow; empty: all time
	Zone     string // that cuts the days; empty: the profile's
	State    string
	Limit    int
}

// query turns it into the store's terms.
func (s *Service) query(ctx context.Context, q OutcomeQuery) (outcome.Query, *outcome.Window, error) {
	out := outcome.Query{Profile: s.profile, Outcomes: q.Outcomes, State: outcome.State(q.State), Limit: q.Limit}
	profile, err := s.profileOf(ctx)
	if err != nil {
		return out, nil, err
	}
	if q.Window == "" {
		return out, nil, nil
	}
	name := q.Zone
	if name == "" {
		name = profile.Timezone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return out, nil, fault.New(fault.Usage, "the time zone %s is not known", name)
	}
	w, err := outcome.ParseWindow(q.Window, zone, s.now())
	if err != nil {
		return out, nil, err
	}
	out.From, out.To = w.From.Unix(), w.To.Unix()
	return out, &w, nil
}

// StoredOutcome is a stored outcome as it is listed. It holds no identifier.
type StoredOutcome struct {
	Outcome      string            `json:"outcome"`
	EventID      string            `json:"event_id,omitempty"`
	EventName    string            `json:"event_name,omitempty"`
	EventTime    int64             `json:"event_time"`
	ArrivedAt    time.Time         `json:"arrived_at"`
	Value        string            `json:"value"`
	Currency     string            `json:"currency,omitempty"`
	ActionSource string            `json:"action_source,omitempty"`
	State        outcome.State     `json:"state"`
	Code         string            `json:"code,omitempty"`
	CancelledAt  int64             `json:"cancelled_at,omitempty"`
	Changes      int               `json:"changes,omitempty"`
	MetaTouch    bool              `json:"has_meta_touch,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
	Source       string            `json:"source,omitempty"`
	File         string            `json:"file,omitempty"`
	Line         int64             `json:"line,omitempty"`
}

// Outcomes calls fn for stored outcomes, oldest first.
func (s *Service) Outcomes(ctx context.Context, q OutcomeQuery, fn func(*StoredOutcome) error) error {
	chosen, _, err := s.query(ctx, q)
	if err != nil {
		return err
	}
	return s.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Outcomes().Each(ctx, chosen, func(o *outcome.Row) error {
			shown := StoredOutcome{
				Outcome: o.Outcome, EventID: o.EventID, EventName: o.EventName, EventTime: o.Time, ArrivedAt: o.ArrivedAt,
				Value: capi.Decimal(o.Value).String(), Currency: o.Currency, ActionSource: o.ActionSource, State: o.State, Code: o.Code,
				CancelledAt: o.CancelledAt, Changes: o.Changes, MetaTouch: o.MetaTouch, Source: o.Source, File: o.File, Line: o.Line,
			}
			for i, name := range o.LabelNames {
				if shown.Labels == nil {
					shown.Labels = map[string]string{}
				}
				shown.Labels[name] = o.Labels[i]
			}
			return fn(&shown)
		})
	})
}

// OutcomeStat is one line of the overview of a profile's outcomes.
type OutcomeStat struct {
	Outcome  string        `json:"outcome"`
	State    outcome.State `json:"state"`
	Currency string        `json:"currency,omitempty"`
	Count    int           `json:"count"`
	Value    string        `json:"value"`
	Oldest   int64         `json:"oldest_event_time"`
	Newest   int64         `json:"newest_event_time"`
	NoSale   int           `json:"without_sale_key"`
}

// OutcomeStats counts stored outcomes by outcome, state and currency.
func (s *Service) OutcomeStats(ctx context.Context, q OutcomeQuery) ([]OutcomeStat, error) {
	chosen, _, err := s.query(ctx, q)
	if err != nil {
		return nil, err
	}
	stats := []OutcomeStat{}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Outcomes().Stats(ctx, chosen)
		for _, n := range list {
			stats = append(stats, OutcomeStat{n.Outcome, n.State, n.Currency, n.Count, capi.Decimal(n.Value).String(), n.Oldest, n.Newest, n.NoSale})
		}
		return err
	})
	return stats, err
}
