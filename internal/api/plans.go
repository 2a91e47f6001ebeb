package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/source"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// page is a part of a list, and where the next part begins.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// pageSize bounds what one call lists.
func pageSize(limit int) (int, error) {
	if limit == 0 {
		limit = defaultPage
	}
	if limit > maxPage {
		return 0, fault.New(fault.Usage, "the parameter limit is at most %d", maxPage)
	}
	return limit, nil
}

type planList struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
	After   string `query:"after" json:"-" doc:"next of the page before"`
	Limit   int    `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

type planPath struct {
	Plan string `path:"plan" json:"-"`
}

type planPage struct {
	Plan  string `path:"plan" json:"-"`
	Code  string `query:"code" json:"-" doc:"only rejects with this code"`
	After int64  `query:"after" json:"-" doc:"next of the page before"`
	Limit int    `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

type eventList struct {
	Plan  string `path:"plan" json:"-"`
	From  int    `query:"from" json:"-" doc:"next of the page before"`
	Limit int    `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

// reject is a row that was not sent.
type reject struct {
	File   string              `json:"file"`
	Line   int64               `json:"line"`
	Stage  string              `json:"stage"`
	Code   string              `json:"code"`
	Field  string              `json:"field,omitempty"`
	Masked string              `json:"masked,omitempty"`
	Hint   string              `json:"hint,omitempty"`
	Record string              `json:"record,omitempty"`
	Labels []string            `json:"labels,omitempty"`
	Graph  *ledger.MetaRefusal `json:"graph,omitempty"`
}

type previewInput struct {
	Profile  string   `query:"profile" json:"-" doc:"the only one when absent"`
	Outcomes []string `json:"outcomes,omitempty" doc:"stored ones, such as payment_received"`
	Window   string   `json:"window,omitempty" doc:"of stored outcomes: today, yesterday, last-7-days or 2026-11-01..2026-11-07, in the profile's zone"`
	Source   string   `json:"source,omitempty" doc:"instead of outcomes: a named source of the server's sluice.yaml"`
	Mapping  string   `json:"mapping,omitempty" doc:"of a named source: the mapping document, as YAML or JSON"`
	Filter   string   `json:"filter,omitempty" doc:"all (default) or has_meta_touch"`
	Dataset  string   `json:"dataset"`
	Samples  int      `json:"samples,omitempty" doc:"masked events to show, at most 20; default 3"`
}

// maxSamples bounds the masked events of a preview.
const maxSamples = 20

type dryRunInput struct {
	Plan         string          `path:"plan" json:"-"`
	Level        writeback.Level `json:"level,omitempty" doc:"offline (default), sandbox, test_dataset or live_test"`
	TestDataset  string          `json:"test_dataset,omitempty" doc:"of level test_dataset; the connection's when absent"`
	TestCode     string          `json:"test_event_code,omitempty" doc:"of level live_test"`
	Acknowledged bool            `json:"acknowledge_live_test,omitempty" doc:"of level live_test: Meta counts these events"`
	Events       int             `json:"events,omitempty" doc:"of level live_test: how many of the oldest, at most 25"`
}

type confirmInput struct {
	Plan          string `path:"plan" json:"-"`
	Key           string `header:"Idempotency-Key" json:"-" doc:"needed; the same key again answers from the ledger"`
	Hash          string `json:"plan_hash" doc:"of the plan that was looked at"`
	AcceptRejects bool   `json:"accept_rejects,omitempty" doc:"send although more than 20 % of the rows were rejected"`
	AcceptDouble  bool   `json:"accept_double_count,omitempty" doc:"send several purchases that name no sale"`
	FirstUpload   bool   `json:"first_upload,omitempty" doc:"nothing was ever uploaded to this dataset before"`
	Canary        int    `json:"canary,omitempty" doc:"send this many events, oldest first, and wait for a yes"`
	Continue      bool   `json:"continue,omitempty" doc:"the yes: send the rest"`
	Resume        bool   `json:"resume,omitempty" doc:"go on with a run that ended early"`
	Wait          *int   `json:"wait,omitempty" doc:"seconds to wait for the receipt, 0 to 120, default 25"`
}

// confirmation is a receipt, or the state of a run that goes on.
type confirmation struct {
	Status string `json:"status" doc:"finished, running, or stopped: the server ended, the run goes on later"`
	*writeback.Receipt
	Running *writeback.RunRow `json:"running,omitempty"`
}

// defaultWait is how long a confirm is waited for, in seconds.
const (
	defaultWait = 25
	maxWait     = 120
)

// confirms leaves switch, role and connection to the confirm, which answers a
// finished key before it asks for them.
var confirms = need{
	scope: tenant.Write, role: tenant.Viewer,
	inside: "then write-back on, role admin (an operator's confirm waits for approval) and an active connection, unless the key is finished",
}

func plans() []operation {
	const tag = "plans"
	return []operation{
		op(http.MethodGet, "/plans", "listPlans", tag, "List a profile's plans and runs, newest first", looks, listPlans),
		op(http.MethodPost, "/plans", "preview", tag, "Plan stored outcomes: what would be sent and what not; nothing leaves the machine", operates, preview),
		op(http.MethodGet, "/plans/{plan}", "getPlan", tag, "A plan: counts, tiers, masked samples, warnings", looks,
			func(ctx context.Context, c *call, in *planPath) (*writeback.PlanView, error) {
				view, _, err := c.plan(ctx, in.Plan)
				return view, err
			}),
		op(http.MethodGet, "/plans/{plan}/run", "getRun", tag, "What became of a plan", looks,
			func(ctx context.Context, c *call, in *planPath) (writeback.RunRow, error) {
				_, s, err := c.plan(ctx, in.Plan)
				if err != nil {
					return writeback.RunRow{}, err
				}
				return s.RunOf(ctx, in.Plan)
			}),
		op(http.MethodGet, "/plans/{plan}/rejects", "listRejects", tag, "Rows that were not sent: where, why, what to do", looks, listRejects),
		op(http.MethodGet, "/plans/{plan}/events", "listEvents", tag, "The events of a plan with their states", looks, listEvents),
		op(http.MethodPost, "/plans/{plan}/dry-runs", "dryRun", tag, "Rehearse a plan", sends, dryRun),
		ownKey(op(http.MethodPost, "/plans/{plan}/confirms", "confirm", tag, "Send a plan, once", confirms, confirm)),
	}
}

// ownKey marks an operation that sees to its Idempotency-Key itself.
func ownKey(o operation) operation {
	o.ownKey = true
	return o
}

func listPlans(ctx context.Context, c *call, in *planList) (page[writeback.RunRow], error) {
	var out page[writeback.RunRow]
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	_, s, err := c.in(ctx, in.Profile)
	if err != nil {
		return out, err
	}
	if in.After != "" {
		if _, _, err := c.plan(ctx, in.After); err != nil {
			return out, err
		}
	}
	if out.Items, err = s.Browse(ctx, in.After, limit); len(out.Items) == limit {
		out.Next = out.Items[limit-1].PlanID
	}
	return out, err
}

func listRejects(ctx context.Context, c *call, in *planPage) (page[reject], error) {
	out := page[reject]{Items: []reject{}}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	_, s, err := c.plan(ctx, in.Plan)
	if err != nil {
		return out, err
	}
	rows, err := s.RejectPage(ctx, in.Plan, in.Code, in.After, limit)
	if err != nil {
		return out, err
	}
	for i := range rows {
		r := &rows[i]
		item := reject{File: r.File, Line: r.Line, Stage: r.Stage, Code: r.Code, Field: r.Field, Masked: r.Masked, Hint: r.Hint, Record: r.Record, Labels: r.Labels}
		if r.Meta.Code != 0 {
			item.Graph = &r.Meta
		}
		out.Items = append(out.Items, item)
	}
	if len(rows) == limit {
		out.Next = strconv.FormatInt(rows[limit-1].Seq, 10)
	}
	return out, nil
}

func listEvents(ctx context.Context, c *call, in *eventList) (page[writeback.EventRow], error) {
	var out page[writeback.EventRow]
	limit, err := pageSize(in.Limit)
	if err != nil {
		return out, err
	}
	_, s, err := c.plan(ctx, in.Plan)
	if err != nil {
		return out, err
	}
	next := 0
	if out.Items, next, err = s.EventPage(ctx, in.Plan, in.From, limit); next >= 0 {
		out.Next = strconv.Itoa(next)
	}
	return out, err
}

func preview(ctx context.Context, c *call, in *previewInput) (*writeback.PlanView, error) {
	if in.Samples < 0 || in.Samples > maxSamples {
		return nil, fault.New(fault.Usage, "/samples: 0 to %d", maxSamples)
	}
	if in.Samples == 0 {
		in.Samples = 3
	}
	if strings.Trim(in.Dataset, "0123456789") != "" || in.Dataset == "" {
		return nil, fault.New(fault.Usage, "/dataset: the dataset's id, digits only")
	}
	_, s, err := c.in(ctx, in.Profile)
	if err != nil {
		return nil, err
	}
	realm, err := c.api.o.Realm()
	if err != nil {
		return nil, err
	}
	if in.Source != "" {
		return c.previewSource(ctx, s, in, realm)
	}
	return s.Preview(ctx, writeback.PreviewRequest{
		Stored: &writeback.Selection{Outcomes: in.Outcomes, Window: in.Window}, Filter: in.Filter,
		Dataset: in.Dataset, Realm: realm, Samples: in.Samples,
	})
}

// previewSource plans what a named source returns. Only names of the configuration
// are read: a token must not make the server open files.
func (c *call) previewSource(ctx context.Context, s *writeback.Service, in *previewInput, realm string) (*writeback.PlanView, error) {
	if len(in.Outcomes) > 0 || in.Window != "" {
		return nil, fault.New(fault.Usage, "/source: a plan is over a source or over stored outcomes")
	}
	if in.Mapping == "" {
		return nil, fault.New(fault.Usage, "/mapping: a named source needs its mapping")
	}
	m, err := mapping.ParseAlone([]byte(in.Mapping))
	if err != nil {
		return nil, err
	}
	how := m.Source()
	reader, err := c.api.o.Source(ctx, s, in.Source, source.Options{
		Columns: m.Columns(), Format: source.Format(how.Format), Delimiter: how.Delimiter, Quote: how.Quote,
		Encoding: source.Encoding(how.Encoding), NeedDigest: m.NeedsDigest(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	return s.Preview(ctx, writeback.PreviewRequest{
		Reader: reader, Mapping: m, Filter: in.Filter, Dataset: in.Dataset, Realm: realm, Options: m.EncoderOptions(), Samples: in.Samples,
	})
}

func dryRun(ctx context.Context, c *call, in *dryRunInput) (*writeback.Rehearsal, error) {
	view, s, err := c.plan(ctx, in.Plan)
	if err != nil {
		return nil, err
	}
	if err := c.connected(ctx, view); err != nil {
		return nil, err
	}
	return s.Rehearse(ctx, writeback.RehearseRequest{
		PlanID: in.Plan, Level: in.Level, TestDataset: in.TestDataset, TestCode: in.TestCode, Acknowledged: in.Acknowledged, Events: in.Events,
	})
}

// connected is the last of the four preconditions.
func (c *call) connected(ctx context.Context, view *writeback.PlanView) error {
	k, err := c.Writeback.Connection(ctx, writeback.Target{Profile: view.Profile, Realm: view.Realm, Dataset: view.Dataset})
	if err != nil {
		return err
	}
	return tenant.Permit(c.caller, tenant.Need{Connection: true}, tenant.Facts{Connection: k})
}

// confirm sends a plan. The work belongs to the server and not to the call: a
// caller that goes away, or waits no longer, does not stop it.
func confirm(ctx context.Context, c *call, in *confirmInput) (outcome[confirmation], error) {
	var none outcome[confirmation]
	wait := defaultWait
	if in.Wait != nil {
		if wait = *in.Wait; wait < 0 || wait > maxWait {
			return none, fault.New(fault.Usage, "/wait: 0 to %d seconds", maxWait)
		}
	}
	if in.Key == "" {
		return none, fault.New(fault.IdempotencyRequired, "a confirm needs an Idempotency-Key")
	}
	if in.Hash == "" {
		return none, fault.New(fault.PlanRequired, "a confirm names the hash of the plan that was looked at: /plan_hash").
			WithFix("GET %s/plans/%s returns it", Root, in.Plan)
	}
	_, s, err := c.plan(ctx, in.Plan)
	if err != nil {
		return none, err
	}
	patience := time.Duration(wait) * time.Second
	return c.follow(ctx, in.Plan, patience, s, func(ctx context.Context) (*writeback.Receipt, error) {
		return s.Confirm(ctx, writeback.ConfirmRequest{
			PlanID: in.Plan, Hash: in.Hash, Key: in.Key, AcceptRejects: in.AcceptRejects, AcceptDoubleCount: in.AcceptDouble,
			FirstUpload: in.FirstUpload, Canary: in.Canary, Continue: in.Continue, Resume: in.Resume, Wait: patience,
		})
	})
}

// outcome is an answer that is final or under way.
type outcome[T any] struct {
	value T
	later bool
}

func (o outcome[T]) status() (any, int) {
	if o.later {
		return o.value, http.StatusAccepted
	}
	return o.value, http.StatusOK
}

// follow runs something that sends in the server's own time and waits for it.
func (c *call) follow(ctx context.Context, plan string, wait time.Duration, s *writeback.Service, send func(context.Context) (*writeback.Receipt, error)) (outcome[confirmation], error) {
	type result struct {
		receipt *writeback.Receipt
		err     error
	}
	done := make(chan result, 1)
	if err := c.api.work.Err(); err != nil {
		return outcome[confirmation]{}, fault.New(fault.StoreUnavailable, "the server is shutting down; nothing was sent").WithFix("call again")
	}
	c.api.running.Add(1)
	go func() {
		defer c.api.running.Done()
		r, err := send(c.api.work)
		done <- result{r, err}
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case r := <-done:
		if r.err != nil && c.api.work.Err() != nil {
			break // the server stopped it: the run says how far it came
		}
		if r.err != nil && fault.CodeOf(r.err) != fault.NothingToSend {
			if f, ok := fault.As(r.err); ok && r.receipt != nil {
				return outcome[confirmation]{}, f.With("run_id", r.receipt.RunID).With("plan_id", r.receipt.PlanID).With("counts", r.receipt.Counts)
			}
			return outcome[confirmation]{}, r.err
		}
		if r.receipt == nil {
			return outcome[confirmation]{}, r.err
		}
		status := "finished"
		if r.receipt.Error != "" {
			status = "stopped" // an earlier call heard why; it goes on with resume
		}
		return outcome[confirmation]{value: confirmation{Status: status, Receipt: r.receipt}}, nil
	case <-timer.C:
	case <-ctx.Done():
		return outcome[confirmation]{}, errors.Join(ctx.Err(), fmt.Errorf("the caller of confirm went away; the run goes on"))
	}
	row, err := s.RunOf(ctx, plan)
	status := "running"
	if c.api.work.Err() != nil {
		status = "stopped"
	}
	return outcome[confirmation]{value: confirmation{Status: status, Running: &row}, later: true}, err
}
