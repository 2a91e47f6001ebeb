package cli

import (
	"encoding/json"
	"io"

	"sluice/capi"
	"sluice/internal/fault"
)

// checkedJSON is the document of `payload --check --json`.
type checkedJSON struct {
	Kind     string            `json:"kind"` // request, event, legacy
	Events   int               `json:"events"`
	Faults   []capi.Fault      `json:"faults"`
	Migrated []json.RawMessage `json:"migrated,omitempty"` // of a legacy payload
	OK       bool              `json:"ok"`
}

// checkPayload judges a payload that somebody else built.
func (c *command) checkPayload(p *payloadFlags) error {
	text, err := c.readPayload(p.check)
	if err != nil {
		return err
	}
	if !json.Valid(text) {
		return fault.New(fault.SourceInvalid, "%s is not JSON", p.check).WithFix("pass a request {\"data\":[…]}, a list of events, or one event")
	}
	doc := &checkedJSON{Faults: []capi.Fault{}}
	if capi.IsLegacy(text) {
		err = c.migratePayload(p, text, doc)
	} else {
		c.judgePayload(p, text, doc)
	}
	if err != nil {
		return err
	}
	doc.OK = true
	for _, f := range doc.Faults {
		doc.OK = doc.OK && f.Effect != capi.Refuse
	}
	if err := c.print(doc, func(w io.Writer) { c.writeChecked(w, doc) }); err != nil {
		return err
	}
	if !doc.OK {
		return reported{fault.New(fault.PayloadInvalid, "Meta would refuse this payload")}
	}
	return nil
}

// judgePayload reads a request, or a single event, and applies the rules to the
// bytes of every event.
func (c *command) judgePayload(p *payloadFlags, text []byte, doc *checkedJSON) {
	doc.Kind = "request"
	var probe struct {
		Data json.RawMessage `json:"data"`
	}
	req, faults := capi.ParseRequest(text)
	if json.Unmarshal(text, &probe) != nil || probe.Data == nil {
		doc.Kind = "event"
		req, faults = capi.ParseData(append(append([]byte("["), text...), ']'))
		if len(text) > 0 && text[0] == '[' {
			req, faults = capi.ParseData(text)
		}
	}
	doc.Events = len(req.Raw)
	doc.Faults = append(doc.Faults, faults...)
	for _, raw := range req.Raw {
		doc.Faults = append(doc.Faults, capi.CheckWire(raw, capi.CheckOptions{Now: c.Now, AllowMissingUserAgent: p.noUA})...)
	}
}

// migratePayload turns an upload of the retired offline API into events.
func (c *command) migratePayload(p *payloadFlags, text []byte, doc *checkedJSON) error {
	doc.Kind = "legacy"
	events, faults := capi.MigrateLegacy(text)
	doc.Faults = append(doc.Faults, faults...)
	doc.Events = len(events)
	enc, err := capi.NewEncoder(capi.Options{Now: c.Now, DefaultCountry: p.country})
	if err != nil {
		return fault.New(fault.Usage, "%v", err)
	}
	for i := range events {
		data, report := enc.Append(nil, &events[i])
		doc.Faults = append(doc.Faults, report.Faults...)
		if !report.Refused() {
			doc.Migrated = append(doc.Migrated, data)
		}
	}
	return nil
}

func (c *command) writeChecked(w io.Writer, doc *checkedJSON) {
	c.writeFaults(w, doc.Faults)
	if doc.Kind == "legacy" {
		line(w, "%s", c.notice("This is an upload of the Offline Conversions API, which Meta retired on 2025-05-14. The same events for the Conversions API:"))
		for _, e := range doc.Migrated {
			line(w, "%s", e)
		}
	}
	if doc.OK {
		line(w, "%s %s", c.good("valid:"), plural(int64(doc.Events), "event"))
	}
}
