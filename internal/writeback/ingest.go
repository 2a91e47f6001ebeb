package writeback

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/mapping"
	"sluice/internal/outcome"
)

// IngestRequest is a push of outcomes as JSON documents, from the API, a webhook or
// a pipe.
type IngestRequest struct {
	Items     []json.RawMessage
	Namespace string // of items that name none; empty: api
	Source    string // name of where they come from
	Options   capi.Options
}

// maxIngest bounds one push.
const maxIngest = 5000

// defaultNamespace is the namespace of pushed outcomes that name none.
const defaultNamespace = "api"

// What became of one pushed outcome.
const (
	ItemNew       = "new"
	ItemRepeated  = "repeated"  // known, and said the same
	ItemChanged   = "changed"   // known, and said something else
	ItemCancelled = "cancelled" // it took an outcome back
	ItemPending   = "pending"   // a cancellation that came before its outcome
	ItemWithdrawn = "withdrawn" // it took consent back
	ItemSkipped   = "skipped"   // consent forbids to keep it
	ItemRejected  = "rejected"
)

// ItemResult is the answer to one item, in the order of the items.
type ItemResult struct {
	Index   int        `json:"index"`
	Status  string     `json:"status"`
	Outcome string     `json:"outcome,omitempty"`
	EventID string     `json:"event_id,omitempty"`
	Error   *ItemError `json:"error,omitempty"`
}

// ItemError says why an item was not taken. It repeats no value.
type ItemError struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// IngestResult is what became of a push.
type IngestResult struct {
	Items  []ItemResult `json:"items"`
	Counts *Intake      `json:"counts"`
}

// Ingest takes outcomes into the profile's store. Each item is judged by itself; an
// item that says the same again changes nothing. It returns after the commit.
func (s *Service) Ingest(ctx context.Context, req IngestRequest) (*IngestResult, error) {
	if len(req.Items) > maxIngest {
		return nil, fault.New(fault.TooLarge, "a push holds at most %d outcomes", maxIngest)
	}
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	in := &intake{
		Service: s, policy: &profile.Policy, options: req.Options, source: req.Source, total: newIntake(), vault: s.vault(),
		now: s.now().UTC().Truncate(time.Millisecond), seen: map[outcome.ID]int{},
	}
	a, err := in.arriver(ctx)
	if err != nil {
		return nil, err
	}
	p := &pusher{in: in, arriver: a, namespace: req.Namespace, results: make([]ItemResult, len(req.Items))}
	if p.namespace == "" {
		p.namespace = defaultNamespace
	}
	for i, raw := range req.Items {
		p.results[i].Index = i
		if err := p.item(ctx, i, raw); err != nil {
			return nil, err
		}
	}
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	if err := s.noteIntake(ctx, in.total, "outcomes.push", nil); err != nil {
		return nil, err
	}
	return &IngestResult{Items: p.results, Counts: in.total}, nil
}

// pusher walks through the items of one push.
type pusher struct {
	in        *intake
	arriver   *arriver
	namespace string
	results   []ItemResult
	places    []int // of the pending rows among the items
}

func (p *pusher) refuse(i int, code, field, message string) {
	p.results[i].Status, p.results[i].Error = ItemRejected, &ItemError{code, field, message}
	p.in.total.Rejected++
	p.in.total.Rejects[code]++
}

func (p *pusher) item(ctx context.Context, i int, raw json.RawMessage) error {
	p.in.total.Rows++
	doc, bad := readItem(raw)
	if bad != nil {
		p.refuse(i, bad.Code, bad.Field, bad.Message)
		return nil
	}
	if doc.namespace == "" {
		doc.namespace = p.namespace
	}
	p.results[i].Outcome = doc.outcome
	if doc.cancels != "" {
		return p.cancel(ctx, i, doc)
	}
	a := arrived{count: 1}
	a.row.Source = p.in.source
	id := p.arriver.digest.of(digestOutcome, doc.outcome, doc.namespace, doc.record, doc.occurrence)
	if code := mapping.ConsentSaid(&doc.event, doc.consent, doc.region, doc.state, p.in.policy.ForceLDU); code != "" {
		a.skip, a.withdraws, a.consent = code, id, doc.consent
		p.results[i].Status = ItemSkipped
		p.in.total.Skipped++
		p.in.total.Skips[code]++
		p.leftOut(doc, &a, id)
		return p.add(ctx, i, &a)
	}
	name := eventOf(p.in.policy, doc.outcome, mapping.DefaultEvent(doc.outcome), false)
	if name == "" {
		p.refuse(i, mapping.RejectUnmappedOutcome, "outcome", "the outcome has no Meta event; known are "+strings.Join(mapping.DefaultOutcomes(), ", ")+", and those of the profile's policy")
		return nil
	}
	doc.event.EventName = name
	if doc.event.ActionSource == "" {
		doc.event.ActionSource = sourceOf(p.in.policy, doc.outcome)
	}
	rec := incoming{
		outcome: doc.outcome, namespace: doc.namespace, record: doc.record, occurrence: doc.occurrence, sale: doc.sale,
		consent: doc.consent, touches: doc.touches, hold: -1,
	}
	for _, k := range slices.Sorted(maps.Keys(doc.labels)) {
		rec.labelNames, rec.labels = append(rec.labelNames, k), append(rec.labels, doc.labels[k])
	}
	if name == purchase && !doc.event.CustomData.Value.Set {
		p.refuse(i, mapping.RejectMissingValue, "value", "a purchase needs a value and a currency")
		a.refuse("map", mapping.RejectMissingValue, "value", "", "a purchase needs a value and a currency", doc.record)
		p.leftOut(doc, &a, id)
		return p.add(ctx, i, &a)
	}
	if doc.event.CustomData.OrderID == "" && name == purchase {
		doc.event.CustomData.OrderID = doc.record
	}
	if err := p.arriver.store(ctx, &rec, &doc.event, &a); err != nil {
		return err
	}
	if a.skip != "" {
		p.results[i].Status = ItemSkipped
		p.in.total.Skipped++
		p.in.total.Skips[a.skip]++
		return p.add(ctx, i, &a)
	}
	p.results[i].EventID = a.row.EventID
	if a.reject != nil {
		p.refuse(i, a.reject.Code, a.reject.Field, a.reject.Hint)
	}
	return p.add(ctx, i, &a)
}

// leftOut keeps an item that does not become an event, so that windows count it.
func (p *pusher) leftOut(doc *pushed, a *arrived, id outcome.ID) {
	o := &a.row
	o.ID, o.EventID, o.EventName = id, doc.event.EventID, eventOf(p.in.policy, doc.outcome, mapping.DefaultEvent(doc.outcome), false)
	if o.EventName != "" { // else the name may be anything
		o.Outcome = doc.outcome
	}
	if o.EventID == "" {
		o.EventID = mapping.EventID(doc.namespace, doc.outcome, doc.record, doc.occurrence)
	}
	for _, k := range slices.Sorted(maps.Keys(doc.labels)) {
		o.LabelNames, o.Labels = append(o.LabelNames, k), append(o.Labels, doc.labels[k])
	}
	p.arriver.nothing(a, doc.event.EventTime)
}

// add keeps one row; the same outcome twice in one push is told apart.
func (p *pusher) add(ctx context.Context, i int, a *arrived) error {
	id := a.row.ID
	if a.skip != "" {
		id = a.withdraws
	}
	if _, waits := p.in.seen[id]; waits {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	p.in.seen[id] = len(p.in.pending)
	p.in.pending, p.places = append(p.in.pending, *a), append(p.places, i)
	return nil
}

func (p *pusher) flush(ctx context.Context) error {
	pending := p.in.pending
	if err := p.in.flush(ctx); err != nil {
		return err
	}
	for j := range pending {
		r := &p.results[p.places[j]]
		switch {
		case r.Status == ItemRejected:
		case pending[j].status != "":
			r.Status = pending[j].status
		}
	}
	p.places = p.places[:0]
	return nil
}

// cancel takes back what an item names, after everything that came before it.
func (p *pusher) cancel(ctx context.Context, i int, doc *pushed) error {
	if err := p.flush(ctx); err != nil {
		return err
	}
	d := p.arriver.digest
	j := cancelJob{Cancellation: outcome.Cancellation{
		ID:     d.of(digestRecord, "cancellation", doc.namespace, doc.record, doc.cancels, doc.outcome),
		Target: d.of(digestRecord, doc.namespace, doc.cancels), At: doc.event.EventTime,
	}}
	names := []string{doc.outcome}
	if doc.outcome != "" {
		j.Target = d.of(digestRecord, doc.namespace, doc.cancels, doc.outcome)
	} else {
		names = slices.Compact(slices.Sorted(func(yield func(string) bool) {
			for _, o := range mapping.DefaultOutcomes() {
				if !yield(o) {
					return
				}
			}
			for o := range p.in.policy.Events {
				if !yield(o) {
					return
				}
			}
		}))
	}
	for _, o := range names {
		j.targets = append(j.targets, d.of(digestOutcome, o, doc.namespace, doc.cancels, ""))
		j.Lines = append(j.Lines, d.of(digestRepeated, o, doc.namespace, doc.cancels))
	}
	hit, cancelled, err := p.in.takeOne(ctx, j)
	if err != nil {
		return err
	}
	p.in.total.Cancellations++
	p.in.total.Cancelled += cancelled
	p.results[i].Status = ItemCancelled
	switch {
	case cancelled == 0 && hit:
		p.results[i].Status = ItemRepeated
	case !hit:
		p.results[i].Status = ItemPending
		p.in.total.Unmatched++
	}
	return nil
}

// pushed is one pushed item after reading.
type pushed struct {
	outcome, record, occurrence, namespace string
	sale, consent, region, state, cancels  string
	touches                                []outcome.Touch
	labels                                 map[string]string
	event                                  capi.Event
}

// itemTexts are the members that are texts of their own; the others belong to the
// event, in the form Meta documents.
var itemTexts = map[string]func(*pushed) *string{
	"outcome": func(d *pushed) *string { return &d.outcome }, "record_id": func(d *pushed) *string { return &d.record },
	"occurrence": func(d *pushed) *string { return &d.occurrence }, "namespace": func(d *pushed) *string { return &d.namespace },
	"sale_key": func(d *pushed) *string { return &d.sale }, "consent": func(d *pushed) *string { return &d.consent },
	"region": func(d *pushed) *string { return &d.region }, "region_state": func(d *pushed) *string { return &d.state },
	"cancels": func(d *pushed) *string { return &d.cancels },
}

const badItem = "bad_item"

// readItem reads an item strictly: what is not known is refused by name.
func readItem(raw []byte) (*pushed, *ItemError) {
	doc := &pushed{}
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if kind := dec.PeekKind(); kind != '{' {
		return nil, &ItemError{badItem, "", "an outcome is one JSON object"}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, &ItemError{badItem, "", "the object is not JSON"}
	}
	var event, custom []byte
	var value, currency []byte
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, &ItemError{badItem, "", "a member comes twice, or is not JSON"}
		}
		key := name.String()
		v, err := dec.ReadValue()
		if err != nil {
			return nil, &ItemError{badItem, key, "the member is not JSON"}
		}
		switch text, isText := itemTexts[key]; {
		case isText:
			if bad := readText(v, text(doc)); bad {
				return nil, &ItemError{badItem, key, "the member must be a text"}
			}
		case key == "value":
			value = bytes.Clone(v)
		case key == "currency":
			currency = bytes.Clone(v)
		case key == "custom_data":
			custom = bytes.Clone(v)
		case key == "labels":
			if json.Unmarshal(v, &doc.labels) != nil || len(doc.labels) > 8 {
				return nil, &ItemError{badItem, key, "labels are at most 8 names with texts"}
			}
		case key == "touches":
			strict := json.NewDecoder(bytes.NewReader(v))
			strict.DisallowUnknownFields()
			if strict.Decode(&doc.touches) != nil || len(doc.touches) > 100 {
				return nil, &ItemError{badItem, key, "touches are at most 100 objects of ts, channel, source, campaign_id, ad_id, click_id"}
			}
		case key == "event_name":
			return nil, &ItemError{badItem, key, "the outcome decides the event's name"}
		case key == "event_time":
			if t, ok := unixOf(v); ok {
				v = jsontext.Value(strconv.FormatInt(t, 10))
			}
			fallthrough
		default:
			event = appendMember(event, key, v)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, &ItemError{badItem, "", "the object is not JSON"}
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, &ItemError{badItem, "", "something follows the object"}
	}
	var bad *ItemError
	if custom, bad = withMoney(custom, value, currency); bad != nil {
		return nil, bad
	}
	if custom != nil {
		event = appendMember(event, "custom_data", custom)
	}
	ev, faults := capi.ParseEvent(append(append([]byte{'{'}, event...), '}'))
	for _, f := range faults {
		return nil, &ItemError{f.Code, f.Path, f.Message + "; " + f.Fix}
	}
	doc.event = ev
	return doc, doc.check()
}

func (d *pushed) check() *ItemError {
	switch {
	case d.record == "":
		return &ItemError{mapping.RejectMissingRecordID, "record_id", "record_id is what tells this outcome from all others; send the business's own number"}
	case d.cancels != "":
		return nil
	case d.outcome == "":
		return &ItemError{mapping.RejectUnmappedOutcome, "outcome", "say what happened, for example payment_received"}
	case d.event.EventTime == 0:
		return &ItemError{mapping.RejectMissingEventTime, "event_time", "send Unix seconds, or a time with its offset"}
	}
	if d.consent == "" {
		d.consent = "unknown"
	}
	if !slices.Contains(mapping.ConsentAnswers, d.consent) {
		return &ItemError{badItem, "consent", "consent is one of " + strings.Join(mapping.ConsentAnswers, ", ")}
	}
	for name := range d.labels {
		if len(name) > 64 {
			return &ItemError{badItem, "labels", "the name of a label has at most 64 characters"}
		}
	}
	return nil
}

// readText reads a text, or a whole number that stands for one.
func readText(v jsontext.Value, to *string) (bad bool) {
	switch v.Kind() {
	case '"':
		return json.Unmarshal(v, to) != nil
	case '0':
		*to = string(v)
		return strings.ContainsAny(*to, ".eE")
	}
	return true
}

// unixOf reads a time with its offset.
func unixOf(v jsontext.Value) (int64, bool) {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.Unix(), err == nil
}

func appendMember(to []byte, key string, v []byte) []byte {
	if len(to) > 0 {
		to = append(to, ',')
	}
	to, err := jsontext.AppendQuote(to, key)
	if err != nil {
		to = append(to, `""`...) // an unknown member either way
	}
	return append(append(to, ':'), v...)
}

// withMoney puts the short members value and currency into custom_data; there is one
// place for each.
func withMoney(custom, value, currency []byte) ([]byte, *ItemError) {
	if value == nil && currency == nil {
		return custom, nil
	}
	var members []byte
	if value != nil {
		members = appendMember(members, "value", value)
	}
	if currency != nil {
		members = appendMember(members, "currency", currency)
	}
	inner := bytes.TrimSpace(custom)
	if len(inner) == 0 {
		return append(append([]byte{'{'}, members...), '}'), nil
	}
	if inner[0] != '{' {
		return nil, &ItemError{badItem, "custom_data", "custom_data is an object"}
	}
	rest := bytes.TrimSpace(inner[1 : len(inner)-1])
	if len(rest) > 0 {
		members = append(members, ',')
	}
	return append(append(append([]byte{'{'}, members...), rest...), '}'), nil
}
