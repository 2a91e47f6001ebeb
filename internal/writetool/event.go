package writetool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mapping"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

// send puts one event through plan, offline dry run and confirm. The same event again
// gets the first answer, with duplicate: true, and nothing is sent.
func (w *tools) send(ctx context.Context, e *tool.Env, a *eventArgs, dataset, testCode string, acknowledged bool) (*tool.Answer, error) {
	need := looks
	need.Scope = sends.Scope
	s, err := w.session(ctx, e, need)
	if err != nil {
		return nil, err
	}
	if err := s.connected(ctx, e, dataset); err != nil {
		return nil, err
	}
	sum, err := digest(map[string]any{
		"dataset": dataset, "name": a.name, "at": a.at, "source": a.source, "url": a.url, "event_id": a.eventID, "user": a.user, "custom": a.custom, "test": testCode,
	})
	if err != nil {
		return nil, err
	}
	if a.record == "" {
		a.record = sum
	}
	key := "event:" + sum
	if r, plan, err := s.Service.Answered(ctx, key); err != nil || plan != "" {
		return w.again(ctx, s, e, key, plan, r, err)
	}
	view, err := w.planOne(ctx, s, a, dataset)
	if err != nil {
		return nil, err
	}
	if view.Summary.Counts.Planned == 0 {
		return nil, notPlanned(ctx, s, view)
	}
	if testCode != "" {
		r, err := s.Service.Rehearse(ctx, writeback.RehearseRequest{PlanID: view.ID, Level: writeback.LiveTest, TestCode: testCode, Acknowledged: acknowledged})
		if err != nil {
			return nil, err
		}
		answer, err := rehearsalAnswer(r)
		if err == nil {
			answer.Data.(map[string]any)["duplicate"] = false
		}
		return answer, err
	}
	r, err := s.Service.Confirm(ctx, writeback.ConfirmRequest{
		PlanID: view.ID, Hash: view.Hash, Key: key, FirstUpload: e.Args.Bool("first_upload"), Wait: patience, Progress: follow(e),
	})
	answer, err := receiptAnswer(r, err)
	if err != nil {
		return nil, err
	}
	return refused(ctx, s, view.ID, answer)
}

// again answers an event that was sent before, or goes on with one that broke off.
func (w *tools) again(ctx context.Context, s *Session, e *tool.Env, key, plan string, r *writeback.Receipt, err error) (*tool.Answer, error) {
	if err == nil && r == nil {
		r, err = s.Service.Confirm(ctx, writeback.ConfirmRequest{PlanID: plan, Key: key, Resume: true, FirstUpload: e.Args.Bool("first_upload"), Wait: patience})
	}
	answer, err := receiptAnswer(r, err)
	if err != nil {
		return nil, err
	}
	answer.Data.(map[string]any)["duplicate"] = true
	return answer, nil
}

// refused makes an error of an event that Meta refused; one that was delivered is an
// answer.
func refused(ctx context.Context, s *Session, plan string, a *tool.Answer) (*tool.Answer, error) {
	m := a.Data.(map[string]any)
	m["duplicate"] = false
	counts, _ := m["counts"].(map[string]any)
	if n, _ := counts["rejected"].(json.Number); n != "" && n != "0" {
		return nil, rejectedFault(ctx, s, plan, fault.MetaRefused, "Meta refused the event")
	}
	return a, nil
}

func (w *tools) planOne(ctx context.Context, s *Session, a *eventArgs, dataset string) (*writeback.PlanView, error) {
	built, err := a.build()
	if err != nil {
		return nil, err
	}
	m, err := mapping.ParseAlone(built.mapping)
	if err != nil {
		return nil, unbuilt(err)
	}
	r, err := source.Open(ctx, []string{"-"}, source.Options{
		Stdin: bytes.NewReader(built.lines), Format: source.Format("jsonl"), Columns: m.Columns(), NeedDigest: m.NeedsDigest(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return s.Service.Preview(ctx, writeback.PreviewRequest{
		Reader: r, Mapping: m, Dataset: dataset, Realm: s.Realm, Options: m.EncoderOptions(), Samples: 1, Origin: "agent",
	})
}

// unbuilt is a fault of the mapping that was made of an event, as one of its arguments.
func unbuilt(err error) error {
	f, ok := fault.As(err)
	if !ok || f.Code != fault.MappingInvalid {
		return err
	}
	_, what, _ := strings.Cut(f.Message, " ") // without the place in a document that nobody wrote
	return fault.New(fault.PayloadInvalid, "the event can't be made: %s", what).WithFix("correct the argument it names").Wrap(err)
}

// notPlanned says why an event can't be sent.
func notPlanned(ctx context.Context, s *Session, v *writeback.PlanView) error {
	switch {
	case v.Summary.Counts.Rejected > 0:
		return rejectedFault(ctx, s, v.ID, fault.PayloadInvalid, "the event would be refused")
	case v.Summary.Counts.Expired > 0:
		return fault.New(fault.PayloadInvalid, "event_time: it is too long ago for Meta (62 days for physical_store, 7 for all others)").WithFix("send events within their window")
	}
	for reason := range v.Summary.Skips {
		return fault.New(fault.DoneAlready, "the event was left out: %s", reason).WithFix("the ledger holds this event already: wb_run_status shows its run")
	}
	return fault.New(fault.PayloadInvalid, "the event can't be sent").WithFix("see wb_rejects with plan_id %s", v.ID)
}

func rejectedFault(ctx context.Context, s *Session, plan string, code fault.Code, what string) error {
	rows, err := s.Service.RejectPage(ctx, plan, "", 0, 1)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.New(code, "%s", what).With("plan_id", plan)
	}
	r := &rows[0]
	f := fault.New(code, "%s: %s (%s)", what, r.Code, r.Field).With("reject", r.Code).With("field", r.Field).With("plan_id", plan)
	if r.Hint != "" {
		f = f.WithFix("%s", r.Hint)
	}
	if r.Meta.Code != 0 {
		f = f.With("code", r.Meta.Code).With("subcode", r.Meta.Subcode)
	}
	return f
}

// digest is the SHA-256 of a value's canonical JSON (RFC 8785), hex.
func digest(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}
