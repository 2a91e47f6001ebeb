package mapping

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/capi"
)

// Mapper turns rows into results by one Mapping. It is not safe for concurrent
// use; several mappers may share a Mapping.
type Mapper struct {
	m      *Mapping
	zone   zone
	result Result
	event  eventParts

	rows     []Row // the rows of the call, in the order of their places
	id       []byte
	users    [][]string
	contents []capi.Content
	ids      []string
	labels   []string
	props    []capi.Property
	// countries remembers normalised country names; there are few.
	countries map[string]string

	amount money
	trace  *tracer // while explaining

	limitAll bool // see ForceLimitedDataUse

	taken   []Item
	touched []Touch
}

// money is the value of the order at hand, worked out when first asked for.
type money struct {
	done   bool
	set    bool
	value  capi.Decimal
	reject Reject
}

// NewMapper returns a mapper for m.
func NewMapper(m *Mapping) *Mapper {
	p := &Mapper{m: m, zone: zone{location: m.time.location}, countries: map[string]string{}}
	p.users = make([][]string, len(m.user))
	return p
}

// Key returns the record id of a row: what groups rows into orders. It is empty
// when a part of the id is missing, and for mappings without an id.
func (p *Mapper) Key(values []string) string {
	return p.joinID(p.m.id, func(e *expression) string { return p.eval(e, values) })
}

// joinID joins the parts of an id so that different parts never give one text: a
// backslash before every slash and backslash, a slash between parts. An id of one
// part is taken as it is.
func (p *Mapper) joinID(parts []*expression, value func(*expression) string) string {
	if len(parts) == 1 {
		return value(parts[0])
	}
	b := p.id[:0]
	for i, e := range parts {
		v := value(e)
		if v == "" {
			return ""
		}
		if i > 0 {
			b = append(b, '/')
		}
		for j := range len(v) {
			if v[j] == '/' || v[j] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, v[j])
		}
	}
	p.id = b
	return string(b)
}

// Map maps the rows of one order: one row, unless the mapping is Grouped. The
// rows may come in any order.
func (p *Mapper) Map(rows []Row) *Result {
	p.begin(rows)
	r := &p.result
	for i, l := range p.m.labels {
		p.labels[i] = p.pick(l.value)
	}
	r.Labels = p.labels
	r.RecordID = p.recordID()

	v := p.verdict()
	r.Outcome = v.outcome
	switch {
	case v.skip != "":
		p.skip(v.skip)
	case v.outcome == "" || p.m.events[v.outcome] == "":
		p.refuse(RejectUnmappedOutcome, p.m.outcome.name, v.outcome, "add a rule under `outcome`, or the outcome under `events`")
	case !p.consent():
	case p.identify() && p.when() && p.worth() && p.where():
		p.describe()
		r.Kind = Mapped
	}
	if r.Kind != Mapped && p.event.EventTime == 0 {
		p.dated()
	}
	r.Event = p.event.Event
	return r
}

// dated reads the time of a record that does not become an event, so that it can be
// counted on its day. That it can't be read changes nothing about the record.
func (p *Mapper) dated() {
	r := &p.result
	kind, reject, warnings := r.Kind, r.Reject, len(r.Warnings)
	if !p.when() {
		p.event.EventTime = 0
	}
	r.Kind, r.Reject = kind, reject
	r.Warnings, r.WarningColumns = r.Warnings[:warnings], r.WarningColumns[:warnings]
}

// begin forgets the last order.
func (p *Mapper) begin(rows []Row) {
	p.rows = append(p.rows[:0], rows...)
	if len(rows) > 1 && !slices.IsSortedFunc(p.rows, byPlace) {
		slices.SortStableFunc(p.rows, byPlace)
	}
	p.result = Result{Kind: Rejected, Lines: len(rows), Warnings: p.result.Warnings[:0], WarningColumns: p.result.WarningColumns[:0]}
	p.event = eventParts{}
	p.amount = money{}
	if p.labels == nil {
		p.labels = make([]string, len(p.m.labels))
	}
}

// byPlace orders rows by where they stand in the input, which makes the result
// independent of the order in which they arrive.
func byPlace(a, b Row) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
}

func (p *Mapper) warn(code, column string) {
	p.trace.warned(code, column)
	r := &p.result
	for i, w := range r.Warnings {
		if w == code && r.WarningColumns[i] == column {
			return
		}
	}
	r.Warnings, r.WarningColumns = append(r.Warnings, code), append(r.WarningColumns, column)
}

// refuse rejects the order. It returns false, for use in a chain.
func (p *Mapper) refuse(code string, e *expression, value, hint string) bool {
	j := Reject{Code: code, Hint: hint}
	if e != nil {
		j.Column = e.label()
	}
	if value != "" {
		j.Masked = Mask(value)
	}
	p.result.Kind, p.result.Reject = Rejected, j
	return false
}

func (p *Mapper) skip(code string) {
	p.result.Kind, p.result.Code = Skipped, code
	if code == SkipCancellation {
		p.cancellation()
	}
}

// eval returns the value of an expression on one row.
func (p *Mapper) eval(e *expression, row []string) string {
	raw := e.raw(row)
	v := raw
	p.trace.begin()
	if e.idLike && spreadsheetDamage(v) {
		if v = p.damaged(e, v); v == "" {
			p.traced(e, row, raw, "")
			return ""
		}
	}
	missed := false
	for i := range e.steps {
		t := &e.steps[i]
		if v == "" && !t.empty {
			continue
		}
		var code string
		if v, code = t.apply(v); code == WarnLookupMissed {
			missed = true
		} else if code != "" {
			p.warn(code, e.label())
		}
		if p.trace != nil {
			p.trace.step(e, t.name, v)
		}
	}
	// A default behind the lookup is the answer to a miss.
	if missed && v == "" {
		p.warn(WarnLookupMissed, e.label())
	}
	p.traced(e, row, raw, v)
	return v
}

// spreadsheetDamage is a quick look for what damaged examines.
func spreadsheetDamage(s string) bool {
	return len(s) > 2 && s[0]-'0' <= 9 && strings.IndexByte(s, '.') >= 0 || strings.Contains(s, "E+") || strings.Contains(s, "e+")
}

// damaged warns of an id that went through a spreadsheet or data frame, and drops
// it where it can no longer be right.
func (p *Mapper) damaged(e *expression, v string) string {
	phone := e.target == "user."+capi.FieldPhone.String()
	switch {
	case isScientific(v) && phone:
		p.warn(WarnScientificPhone, e.label())
		return ""
	case isScientific(v) && e.personal:
		p.warn(WarnScientificID, e.label())
		return ""
	case isFloatID(v) && !e.has("strip_dot_zero"):
		p.warn(WarnFloatIDs, e.label())
		if phone {
			return "" // the zero behind the point would become a digit of the number
		}
	}
	return v
}

// pick returns the value of an expression for the whole order: that of the first
// row that has one. Rows that say something else are warned of.
func (p *Mapper) pick(e *expression) string {
	if e == nil {
		return ""
	}
	v := p.eval(e, p.rows[0].Values)
	if len(p.rows) == 1 || e.isConstant() {
		return v
	}
	from := 0
	for i := 1; i < len(p.rows); i++ {
		if e.same(p.rows[from].Values, p.rows[i].Values) {
			continue
		}
		other := p.eval(e, p.rows[i].Values)
		switch {
		case other == "" || other == v:
		case v == "":
			v, from = other, i
		default:
			p.warn(WarnConflictingColumns, e.label())
		}
	}
	return v
}

// recordID forms the business's id of the order.
func (p *Mapper) recordID() string {
	if !p.m.NeedsDigest() {
		return p.joinID(p.m.id, p.pick)
	}
	const hex = "0123456789abcdef"
	b := append(p.id[:0], "row:"...)
	for _, c := range p.rows[0].Digest {
		b = append(b, hex[c>>4], hex[c&0xf])
	}
	if n := p.rows[0].Ordinal; n > 0 {
		b = strconv.AppendInt(append(b, ':'), int64(n), 10)
	}
	p.id = b
	return string(b)
}

// verdict applies the outcome rules.
func (p *Mapper) verdict() verdict {
	o := &p.m.outcome
	if o.name != nil {
		return verdict{outcome: p.pick(o.name)}
	}
	for i := range o.rules {
		if p.holds(&o.rules[i]) {
			return o.rules[i].verdict
		}
	}
	return o.fallback
}

func (p *Mapper) holds(r *rule) bool {
	if r.value == nil {
		a := p.money()
		// Four places are all that a value has, so nothing is lost here.
		const unit = numberUnit / 10_000
		return a.set && a.value <= math.MaxInt64/unit && a.value >= math.MinInt64/unit && r.within(number(a.value)*unit)
	}
	v := p.pick(r.value)
	if len(r.bounds) > 0 {
		n, problem := r.locale.parse(v)
		if problem != "" {
			if v != "" {
				p.warn(WarnUnparseableNumber, r.value.label())
			}
			return false
		}
		if !r.within(n) {
			return false
		}
	}
	return r.matches(v)
}

func (r *rule) within(n number) bool {
	for _, b := range r.bounds {
		if !b.holds(n) {
			return false
		}
	}
	return true
}

// matches applies the tests of text.
func (r *rule) matches(v string) bool {
	some := func(list []string, test func(string, string) bool) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return test(v, s) })
	}
	return (r.empty == nil || *r.empty == (v == "")) &&
		(len(r.equals) == 0 || slices.Contains(r.equals, v)) &&
		!slices.Contains(r.notEquals, v) &&
		some(r.prefix, strings.HasPrefix) && some(r.suffix, strings.HasSuffix) && some(r.contains, strings.Contains)
}
