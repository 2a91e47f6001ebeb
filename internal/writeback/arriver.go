package writeback

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
)

// arriver turns mapped records into rows of the store. It serves one goroutine.
type arriver struct {
	in      *intake
	digest  *digester
	encoder *capi.Encoder
	at      time.Time // what the encoder takes for now
	event   []byte
	tagger  *privacy.Tagger
}

// arriver's encoder judges an event by its own time: how old it may be is a
// question for the day it is sent.
func (in *intake) arriver(ctx context.Context) (*arriver, error) {
	a := &arriver{in: in, digest: in.digester()}
	opts := in.options
	opts.Now = func() time.Time { return a.at }
	err := in.knowPeople(ctx)
	if err != nil {
		return nil, err
	}
	a.tagger = privacy.NewTagger(in.pepper)
	if a.encoder, err = capi.NewEncoder(opts); err != nil {
		return nil, fault.New(fault.MappingInvalid, "%v", err)
	}
	return a, nil
}

func (a *arriver) all(ctx context.Context, mapper *mapping.Mapper, m *mapping.Mapping, w work) ([]arrived, error) {
	if w.fault != nil {
		return []arrived{{reject: w.fault.reject, count: 1, row: outcome.Row{File: w.fault.file, Line: w.fault.line}}}, nil
	}
	out := make([]arrived, len(w.groups))
	for i, rows := range w.groups {
		if err := a.one(ctx, mapper, m, rows, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// one maps the rows of one record.
func (a *arriver) one(ctx context.Context, mapper *mapping.Mapper, m *mapping.Mapping, rows []mapping.Row, to *arrived) error {
	r := mapper.Map(rows)
	to.count, to.warns = len(rows), slices.Clone(r.Warnings)
	to.row.File, to.row.Line, to.row.Source = rows[0].File, rows[0].Line, a.in.source
	ns := m.Namespace()
	switch {
	case r.Kind == mapping.Skipped && r.Code == mapping.SkipCancellation && m.Cancels() && r.RecordID != "":
		a.cancellation(ns, r, to, slices.Sorted(maps.Keys(m.Outcomes())))
		return nil
	case r.Kind == mapping.Skipped:
		to.skip = r.Code
		if (r.Code == mapping.SkipConsentDenied || r.Code == mapping.SkipConsentUnknown) && r.RecordID != "" {
			to.withdraws, to.consent = a.digest.of(digestOutcome, r.Outcome, ns, r.RecordID, r.Occurrence), strings.TrimPrefix(r.Code, "consent_")
		}
		a.leftOut(m, r, to)
		return nil
	case r.Kind == mapping.Rejected:
		to.refuse("map", r.Reject.Code, r.Reject.Column, r.Reject.Masked, r.Reject.Hint, r.RecordID)
		a.leftOut(m, r, to)
		return nil
	}
	said, isSaid := m.HoldSaid(r.Outcome)
	rec := incoming{
		outcome: r.Outcome, namespace: ns, record: r.RecordID, occurrence: r.Occurrence, sale: r.SaleKey, consent: r.Consent,
		labelNames: m.LabelNames(), labels: slices.Clone(r.Labels), hold: -1, eventSaid: m.EventSaid(r.Outcome),
	}
	if isSaid {
		rec.hold = int64(said / time.Second)
	}
	for _, t := range r.Touches {
		rec.touches = append(rec.touches, outcome.Touch(t))
	}
	to.lines = a.digest.lines(ns, r.Items)
	ev := r.Event
	return a.store(ctx, &rec, &ev, to)
}

// leftOut keeps a record that does not become an event, without anything of it but
// its place and time: windows count it. One that no window or repeat could find again
// is not kept.
func (a *arriver) leftOut(m *mapping.Mapping, r *mapping.Result, to *arrived) {
	if r.RecordID == "" || r.Event.EventTime == 0 {
		return
	}
	ns, o := m.Namespace(), &to.row
	o.ID = a.digest.of(digestOutcome, r.Outcome, ns, r.RecordID, r.Occurrence)
	mapped, known := m.Outcomes()[r.Outcome]
	if known { // else it may be anything that a column holds
		o.Outcome = r.Outcome
	}
	o.EventID, o.EventName = r.Event.EventID, eventOf(a.in.policy, r.Outcome, mapped, m.EventSaid(r.Outcome))
	if o.EventID == "" {
		o.EventID = mapping.EventID(ns, r.Outcome, r.RecordID, r.Occurrence)
	}
	o.LabelNames, o.Labels = m.LabelNames(), slices.Clone(r.Labels)
	a.nothing(to, r.Event.EventTime)
}

// nothing makes a row of a record without an event.
func (a *arriver) nothing(to *arrived, at int64) {
	o := &to.row
	o.Profile, o.Time, o.Day, o.Hold, o.Lines = a.in.profile, at, dayOf(at), -1, 1
	if to.reject != nil {
		to.reject.Labels = o.Labels
		a.seal(to)
		return
	}
	o.State, o.Code = outcome.Skipped, to.skip
	o.Digest = a.digest.of(digestContent, "skipped", o.Code)
}

// cancellation names what the record takes back.
func (a *arriver) cancellation(ns string, r *mapping.Result, to *arrived, outcomes []string) {
	c := &outcome.Cancellation{ID: a.digest.of(digestRecord, "cancellation", ns, r.RecordID), At: r.Event.EventTime}
	if r.TakesBack != "" {
		c.Target = a.digest.of(digestRecord, ns, r.TakesBack)
		for _, o := range outcomes {
			to.targets = append(to.targets, a.digest.of(digestOutcome, o, ns, r.TakesBack, ""))
			c.Lines = append(c.Lines, a.digest.of(digestRepeated, o, ns, r.TakesBack))
		}
	} else {
		c.Lines = a.digest.lines(ns, r.Items)
	}
	to.cancel = c
}

// incoming is what a record says beside its event.
type incoming struct {
	outcome, namespace, record, occurrence string
	sale, consent                          string
	labelNames, labels                     []string
	touches                                []outcome.Touch
	hold                                   int64
	eventSaid                              bool
}

// store hashes, encodes and seals the event of a record.
func (a *arriver) store(ctx context.Context, rec *incoming, ev *capi.Event, to *arrived) error {
	o := &to.row
	o.ID = a.digest.of(digestOutcome, rec.outcome, rec.namespace, rec.record, rec.occurrence)
	to.target, to.only = a.digest.of(digestRecord, rec.namespace, rec.record), a.digest.of(digestRecord, rec.namespace, rec.record, rec.outcome)
	if rec.occurrence != "" {
		to.repeated = a.digest.of(digestRepeated, rec.outcome, rec.namespace, rec.record)
	}
	ev.EventName = eventOf(a.in.policy, rec.outcome, ev.EventName, rec.eventSaid)
	ev.CustomData.Currency = strings.ToUpper(strings.TrimSpace(ev.CustomData.Currency))
	if ev.EventID == "" {
		ev.EventID = mapping.EventID(rec.namespace, rec.outcome, rec.record, rec.occurrence)
	}
	crm(ev, rec.outcome)
	o.Profile, o.Outcome, o.State, o.Time, o.Day = a.in.profile, rec.outcome, outcome.Open, ev.EventTime, dayOf(ev.EventTime)
	o.EventID, o.EventName, o.ActionSource = ev.EventID, ev.EventName, string(ev.ActionSource)
	o.Value, o.Currency, o.Hold = int64(ev.CustomData.Value.Value), ev.CustomData.Currency, rec.hold
	if ev.EventName == purchase {
		o.Sale = a.digest.sale(rec.sale)
	}
	o.Rank, o.Consent, o.Lines = outcome.Rank(a.in.policy.SaleRank, rec.outcome), rec.consent, max(1, len(to.lines))
	o.LabelNames, o.Labels = rec.labelNames, rec.labels
	o.Touches = len(rec.touches)
	o.MetaTouch = ev.UserData.FBC != "" || slices.ContainsFunc(rec.touches, func(t outcome.Touch) bool { return t.Meta() })
	if strings.ContainsRune(ev.EventID, 0) {
		to.refuse("map", "bad_event_id", "event_id", "", "the event id holds a NUL character; mend the column it comes from", rec.record)
		a.seal(to)
		return nil
	}
	// An event is as old as it is: only one of the future is judged by the clock.
	if a.at = time.Unix(ev.EventTime, 0); a.at.After(a.in.now) {
		a.at = a.in.now
	}
	data, report := a.encoder.Append(a.event[:0], ev)
	a.event, o.Keys = data[:0], uint64(report.Keys)
	if bad := firstRefusal(report); bad != nil {
		to.refuse("validate", bad.Code, bad.Path, "", bad.Message+"; "+bad.Fix, rec.record)
		a.seal(to)
		return nil
	}
	to.faults = append(to.faults, report.Faults...)
	tags := a.tagger.Of(nil, data)
	if a.in.list.Any(tags) {
		// What is stored of it from before must not be sent either.
		id, place := o.ID, outcome.Row{
			ID: o.ID, Outcome: o.Outcome, EventID: o.EventID, EventName: o.EventName, File: o.File, Line: o.Line, Source: o.Source,
			LabelNames: o.LabelNames, Labels: o.Labels,
		}
		at := o.Time
		*to = arrived{row: place, skip: SkipSuppressed, withdraws: id, consent: SkipSuppressed, warns: to.warns, count: to.count}
		a.nothing(to, at)
		return nil
	}
	o.Subjects = privacy.Join(tags)
	a.digestOf(to, data, rec)
	var err error
	if o.Payload, err = a.in.vault.seal(ctx, o.Day, o.ID, data); err != nil {
		return err
	}
	if len(rec.touches) == 0 {
		return nil
	}
	trail, err := json.Marshal(rec.touches)
	if err != nil {
		return err
	}
	o.Trail, err = a.in.vault.seal(ctx, o.Day, o.ID, trail)
	return err
}

// seal turns a row whose event was refused into a reject that windows find.
func (a *arriver) seal(to *arrived) {
	o := &to.row
	o.State, o.Code, o.Field, o.Hint, o.Sale = outcome.Rejected, to.reject.Code, to.reject.Field, to.reject.Hint, outcome.ID{}
	o.Digest = a.digest.of(digestContent, "rejected", o.Code, o.Field)
}

// digestOf tells two versions of one outcome apart.
func (a *arriver) digestOf(to *arrived, data []byte, rec *incoming) {
	d, o := a.digest, &to.row
	d.mac.Reset()
	d.add(digestContent)
	d.mac.Write(data)
	d.add(string(o.Sale[:]))
	d.add(strconv.FormatInt(o.Hold, 10))
	d.add(rec.consent)
	for i, name := range o.LabelNames {
		d.add(name)
		d.add(o.Labels[i])
	}
	for _, t := range rec.touches {
		for _, s := range [...]string{t.Channel, t.Source, t.CampaignID, t.AdID, t.ClickID, strconv.FormatInt(t.Time, 10)} {
			d.add(s)
		}
	}
	o.Digest = d.sum()
}

func (a *arrived) refuse(stage, code, field, masked, hint, record string) {
	a.reject = &ledger.Reject{
		File: a.row.File, Line: a.row.Line, Stage: stage, Code: code, Field: field, Masked: masked, Hint: hint,
		Record: recordDigest(record), Labels: a.row.Labels,
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
