package writetool

import (
	"context"
	"errors"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mapping"
	"sluice/internal/source"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

var (
	planID   = tool.Text("plan_id", "Plan that a preview gave.").Max(100).Local()
	planHash = tool.Text("plan_hash", "Its plan_hash: proof that what was looked at is what is sent.").Max(128).Local()
	key      = tool.Text("idempotency_key", "Key of your own for this confirm, such as a UUID. The same key again answers from the ledger and sends nothing.").Max(255).Local()
)

// planMembers describe a plan in an answer.
const planMembers = "plan_id plan_hash profile dataset realm state expires_at:time counts:map value:map tiers:map events:map rejects:map skips:map " +
	"expiring:int requests:int warnings:map dropped_identifiers:map coverage:map lift:map samples:json next"

func (w *tools) planOf(ctx context.Context, s *Session, e *tool.Env) (*writeback.PlanView, error) {
	if s.Realm == "" {
		return nil, fault.New(fault.DestinationUnreached, "no Graph API is configured")
	}
	dataset, err := datasetOf(e)
	if err != nil {
		return nil, err
	}
	if err := s.connected(ctx, e, dataset); err != nil {
		return nil, err
	}
	samples := int(e.Args.Int("sample_size"))
	if samples == 0 {
		samples = 3
	}
	if name := e.Args.Str("source"); name != "" {
		return w.planSource(ctx, s, e, name, dataset, samples)
	}
	window := e.Args.Str("window_start")
	if end := e.Args.Str("window_end"); end != "" {
		if window == "" {
			return nil, tool.Bad("window_start", "it is missing beside window_end", "give both days")
		}
		window += ".." + end
	}
	if len(e.Args.Strings("outcomes")) == 0 {
		return nil, tool.Bad("outcomes", "it is missing", "name stored outcomes such as payment_received; `sluice outcomes stats` lists what is stored")
	}
	return s.Service.Preview(ctx, writeback.PreviewRequest{
		Stored: &writeback.Selection{Outcomes: e.Args.Strings("outcomes"), Window: window}, Filter: e.Args.Str("attribution_filter"),
		Dataset: dataset, Realm: s.Realm, Samples: samples, Origin: "agent", Progress: follow(e),
	})
}

func (s *Session) connected(ctx context.Context, e *tool.Env, dataset string) error {
	if s.Connected == nil {
		return nil
	}
	name := e.Args.Str("profile_id")
	if name == "" {
		name = tenant.Default
	}
	return s.Connected(ctx, writeback.Target{Profile: name, Realm: s.Realm, Dataset: dataset})
}

// planSource plans what a source of the configuration returns: a call can't make the
// server open files.
func (w *tools) planSource(ctx context.Context, s *Session, e *tool.Env, name, dataset string, samples int) (*writeback.PlanView, error) {
	if s.Source == nil {
		return nil, fault.New(fault.NotFound, "there is no source of that name").WithFix("`sources:` of sluice.yaml names them")
	}
	text := e.Args.Str("mapping")
	if text == "" {
		return nil, tool.Bad("mapping", "it is missing", "a source needs its mapping, as YAML or JSON: docs/mapping.md")
	}
	m, err := mapping.ParseAlone([]byte(text))
	if err != nil {
		return nil, err
	}
	how := m.Source()
	r, err := s.Source(ctx, name, source.Options{
		Columns: m.Columns(), Format: source.Format(how.Format), Delimiter: how.Delimiter, Quote: how.Quote,
		Encoding: source.Encoding(how.Encoding), NeedDigest: m.NeedsDigest(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return s.Service.Preview(ctx, writeback.PreviewRequest{
		Reader: r, Mapping: m, Dataset: dataset, Realm: s.Realm, Options: m.EncoderOptions(), Samples: samples, Progress: follow(e),
	})
}

// shownPlan is a plan as an agent reads it: the summary's members beside the plan's own.
func shownPlan(v *writeback.PlanView) (map[string]any, error) {
	m, err := asMap(v)
	if err != nil {
		return nil, err
	}
	summary, _ := m["summary"].(map[string]any)
	delete(m, "summary")
	delete(m, "events") // the summary's say it by name
	for _, name := range []string{
		"counts", "value", "tiers", "events", "rejects", "skips", "expiring", "requests", "warnings", "dropped_identifiers", "coverage", "lift", "samples",
	} {
		if value, ok := summary[name]; ok {
			m[name] = value
		}
	}
	return m, nil
}

func planAnswer(v *writeback.PlanView, next string) (*tool.Answer, error) {
	m, err := shownPlan(v)
	if err != nil {
		return nil, err
	}
	m["next"] = next
	return &tool.Answer{Data: m, Text: planText(v, next)}, nil
}

func rehearse(ctx context.Context, s *Session, e *tool.Env, plan string) (*writeback.Rehearsal, error) {
	level := writeback.Level(e.Args.Str("level"))
	code := e.Args.Str("test_event_code")
	if level == "" && code != "" {
		level = writeback.LiveTest
	}
	if err := s.ownsPlan(ctx, plan); err != nil {
		return nil, err
	}
	view, err := s.Service.Plan(ctx, plan)
	if err != nil {
		return nil, err
	}
	if err := s.connected(ctx, e, view.Dataset); err != nil {
		return nil, err
	}
	return s.Service.Rehearse(ctx, writeback.RehearseRequest{
		PlanID: plan, Level: level, TestCode: code, Acknowledged: e.Args.Bool("acknowledge_live_test"),
		TestDataset: e.Args.Str("test_dataset"), Progress: follow(e),
	})
}

const rehearsalMembers = "plan_id plan_hash level dataset requests:int events:int events_received:int ok:bool fbtrace_ids:list<string> messages:list<string> findings:json rules:map next"

func rehearsalAnswer(r *writeback.Rehearsal) (*tool.Answer, error) {
	m, err := asMap(r)
	if err != nil {
		return nil, err
	}
	next := "confirm with plan_id " + r.PlanID + ", plan_hash " + r.PlanHash + " and an idempotency_key of your own"
	if !r.OK {
		next = "mend what the findings name and preview again"
	}
	m["next"] = next
	a := &tool.Answer{Data: m}
	if r.Level == writeback.LiveTest {
		a.Notices = append(a.Notices, "Meta counts events of a live test; the confirm leaves them out")
	}
	return a, nil
}

const receiptMembers = "run_id plan_id status replayed:bool counts:map reasons:map events_received:int requests:int fbtrace_ids:list<string> audit_seq:int " +
	"started_at:time finished_at:time result error next"

// confirmed sends a plan. A caller that waits no longer is told the run that goes on.
func confirmed(ctx context.Context, s *Session, e *tool.Env) (*tool.Answer, error) {
	if err := needPlan(e, "call it with mode preview first (or wb_preview), then confirm with its plan_id and plan_hash"); err != nil {
		return nil, err
	}
	plan, hash := e.Args.Str("plan_id"), e.Args.Str("plan_hash")
	if hash == "" {
		return nil, fault.New(fault.PlanRequired, "confirm needs the plan_hash that the preview gave").WithFix("take plan_id and plan_hash from one preview")
	}
	if e.Args.Str("idempotency_key") == "" {
		return nil, fault.New(fault.IdempotencyRequired, "confirm needs an idempotency_key").WithFix("make one, such as a UUID, and keep it for retries of this confirm")
	}
	key := e.Args.Str("idempotency_key")
	done, begun, err := s.Service.Answered(ctx, key)
	if err != nil {
		return nil, err
	}
	r, err := s.Service.Confirm(ctx, writeback.ConfirmRequest{
		PlanID: plan, Hash: hash, Key: key, AcceptRejects: e.Args.Bool("accept_rejects"),
		FirstUpload: e.Args.Bool("first_upload"), Resume: begun == plan && done == nil, Wait: patience, Progress: follow(e),
	})
	return receiptAnswer(r, err)
}

func receiptAnswer(r *writeback.Receipt, err error) (*tool.Answer, error) {
	if err != nil && (r == nil || !errors.Is(err, fault.New(fault.NothingToSend, ""))) {
		if f, ok := fault.As(err); ok && r != nil {
			return nil, f.With("run_id", r.RunID).With("plan_id", r.PlanID).With("counts", r.Counts)
		}
		return nil, err
	}
	m, err := asMap(r)
	if err != nil {
		return nil, err
	}
	m["status"] = "finished"
	next := "nothing: wb_run_status shows it again"
	if r.Counts["unknown"]+r.Counts["retry_wait"] > 0 {
		m["status"], next = "open", "some events are not settled: call the same confirm again with the same key; it goes on where the ledger stands"
	} else if r.Counts["rejected"] > 0 {
		next = "wb_rejects names the rows that Meta refused"
	}
	m["next"] = next
	a := &tool.Answer{Data: m}
	if r.Replayed {
		a.Notices = append(a.Notices, "this confirm was done before: the answer is the ledger's, and nothing was sent")
	}
	return a, nil
}
