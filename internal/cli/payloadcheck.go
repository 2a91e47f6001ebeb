package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
	"sluice/internal/fault"
)

// checkedJSON is the document of `payload --check --json`.
type checkedJSON struct {
	Kind     string            `json:"kind"` // request, list, event, legacy
	Events   int               `json:"events"`
	Faults   []capi.Fault      `json:"faults"`
	Migrated []json.RawMessage `json:"migrated,omitempty"` // of a legacy payload
	OK       bool              `json:"ok"`
	JudgedBy string            `json:"judged_by"` // always "sluice": what it would send itself
}

// checkPayload judges a payload that somebody else built.
func (c *command) checkPayload(p *payloadFlags) error {
	text, err := c.readPayload(p.check)
	if err != nil {
		return err
	}
	name := p.check
	if name == "-" {
		name = "standard input"
	}
	if err := wellFormed(name, text); err != nil {
		return err
	}
	doc := &checkedJSON{Faults: []capi.Fault{}, JudgedBy: "sluice"}
	if capi.IsLegacy(text) {
		err = c.migratePayload(p, text, doc)
	} else {
		c.judgePayload(p, text, doc)
	}
	if err != nil {
		return err
	}
	doc.Faults = tidy(doc.Faults)
	doc.OK = true
	for _, f := range doc.Faults {
		doc.OK = doc.OK && f.Effect != capi.Refuse
	}
	if err := c.print(doc, func(w io.Writer) { c.writeChecked(w, doc) }); err != nil {
		return err
	}
	if !doc.OK {
		return reported{fault.New(fault.PayloadInvalid, "Sluice would not send this payload")}
	}
	return nil
}

// wellFormed returns a fault with the place where text stops being JSON.
func wellFormed(name string, text []byte) error {
	var syntax *json.SyntaxError
	var any json.RawMessage
	if err := json.Unmarshal(text, &any); !errors.As(err, &syntax) {
		return nil
	}
	what := "is not JSON"
	at := max(0, min(int(syntax.Offset), len(text))-1) // the byte that can't stand there
	if strings.HasPrefix(syntax.Error(), "unexpected end") {
		what = "ends in the middle of its JSON"
		at = len(bytes.TrimRight(text, " \t\r\n"))
	}
	row := 1 + bytes.Count(text[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(text[:at], '\n')
	return fault.New(fault.SourceInvalid, "%s %s: line %d, column %d (byte %d)", name, what, row, column, at).
		WithFix("pass a request {\"data\":[…]}, a list of events, or one event").
		With("line", row).With("column", column).With("byte", at)
}

// judgePayload reads a request, a list or a single event and applies the rules to
// the bytes of every event.
func (c *command) judgePayload(p *payloadFlags, text []byte, doc *checkedJSON) {
	opts := capi.CheckOptions{Now: c.Now, AllowMissingUserAgent: p.noUA}
	var body struct {
		Data json.RawMessage `json:"data"`
	}
	var elements []json.RawMessage
	var req capi.Request
	switch err := json.Unmarshal(text, &body); {
	case err == nil && body.Data != nil:
		doc.Kind = "request"
		req, doc.Faults = capi.ParseRequest(text)
		doc.Faults = namingDuplicates(text, doc.Faults)
		_ = json.Unmarshal(body.Data, &elements) // a string that holds the list: req has read it
	case json.Unmarshal(text, &elements) == nil:
		doc.Kind = "list"
		req, doc.Faults = capi.ParseData(text)
		doc.Faults = namingDuplicates(slices.Concat([]byte(`{"data":`), text, []byte("}")), doc.Faults)
	default:
		doc.Kind, doc.Events = "event", 1
		doc.Faults = judgeEvent(text, opts)
		return
	}
	for i, raw := range req.Raw {
		if raw != nil {
			doc.Faults = append(doc.Faults, below(i, namingDuplicates(raw, capi.CheckWire(raw, opts)))...)
		}
	}
	// A key that stands twice ends the strict reading of the request; the events
	// behind it are judged all the same.
	for i := len(req.Raw); i < min(len(elements), capi.MaxEvents); i++ {
		doc.Faults = append(doc.Faults, below(i, judgeEvent(elements[i], opts))...)
	}
	doc.Events = max(len(req.Raw), len(elements))
}

// judgeEvent applies the rules of form and those of content to one event.
func judgeEvent(raw []byte, opts capi.CheckOptions) []capi.Fault {
	_, faults := capi.ParseEvent(raw)
	return namingDuplicates(raw, append(faults, capi.CheckWire(raw, opts)...))
}

// below places the faults of an event below its place in the list.
func below(i int, faults []capi.Fault) []capi.Fault {
	at := "data[" + strconv.Itoa(i) + "]"
	for k := range faults {
		faults[k].Path = strings.TrimSuffix(at+"."+faults[k].Path, ".")
	}
	return faults
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
		doc.Faults = append(doc.Faults, below(i, slices.Clone(report.Faults))...)
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
		return
	}
	line(w, "%s", c.dim("Judged by what Sluice itself would send, which is stricter than Meta in places (it takes eur for EUR, for example)."))
}

// vague are codes that say less than any other code at the same place.
var vague = map[string]bool{"unknown_key": true, "wrong_type": true, "empty": true, "bad_text": true}

// tidy makes one list of what two judges found: every fault once, the more specific
// where they differ, with advice for somebody who has a payload and no mapping.
func tidy(faults []capi.Fault) []capi.Fault {
	specific := map[string]bool{}
	for _, f := range faults {
		if !vague[f.Code] {
			specific[f.Path] = true
		}
	}
	place := map[[2]string]int{}
	out := []capi.Fault{} // a list in JSON, also when it is empty
	for _, f := range faults {
		if vague[f.Code] && specific[f.Path] {
			continue
		}
		f.Fix = payloadFix(f.Code, f.Fix)
		key := [2]string{f.Path, f.Code}
		if at, seen := place[key]; seen {
			out[at].Effect = max(out[at].Effect, f.Effect)
			continue
		}
		place[key] = len(out)
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b capi.Fault) int { return eventOf(a.Path) - eventOf(b.Path) })
	return out
}

// eventOf returns which event of a request a path is in, -1 for the request itself.
func eventOf(path string) int {
	index, _, _ := strings.Cut(strings.TrimPrefix(path, "data["), "]")
	if n, err := strconv.Atoi(index); err == nil && strings.HasPrefix(path, "data[") {
		return n
	}
	return -1
}

// namingDuplicates places every duplicate_key at the key that stands twice first in
// text; the judges only say in which object it is.
func namingDuplicates(text []byte, faults []capi.Fault) []capi.Fault {
	for i := range faults {
		if faults[i].Code != capi.CodeDuplicateKey {
			continue
		}
		if key := duplicateKey(text); key != "" {
			faults[i].Path = key
		}
	}
	return faults
}

// duplicateKey returns the path of the first key that stands twice in one object, ""
// when there is none.
func duplicateKey(text []byte) string {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	err := dec.SkipValue()
	var at *jsontext.SyntacticError
	if !errors.Is(err, jsontext.ErrDuplicateName) || !errors.As(err, &at) {
		return ""
	}
	var path strings.Builder
	for token := range at.JSONPointer.Tokens() {
		switch n, err := strconv.Atoi(token); {
		case err == nil && n >= 0:
			path.WriteString("[" + strconv.Itoa(n) + "]")
		case !looksLikeKey(token):
			path.WriteString(".?") // a mistaken export can have anything there
		default:
			path.WriteString("." + token)
		}
	}
	return strings.TrimPrefix(path.String(), ".")
}

func looksLikeKey(name string) bool {
	const longest = 64
	return len(name) > 0 && len(name) <= longest && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
