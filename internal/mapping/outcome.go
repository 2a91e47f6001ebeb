package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/capi"
	"sluice/internal/suggest"
)

// defaultEvents are the outcomes that have a Meta event without saying so in the
// document.
var defaultEvents = []struct{ outcome, event string }{
	{"payment_received", "Purchase"},
	{"order_placed", "Purchase"},
	{"closed_won", "Purchase"},
	{"appointment_booked", "Schedule"},
	{"lead_created", "Lead"},
	{"checkout_started", "InitiateCheckout"},
	{"add_to_cart", "AddToCart"},
	{"add_payment_info", "AddPaymentInfo"},
	{"view_content", "ViewContent"},
	{"search", "Search"},
}

// defaultHold is how long an order waits for its cancellation unless the document
// says otherwise: half of the cancellations that come within a week come within a
// day, and they take back the largest orders.
const defaultHold = 24 * time.Hour

const eventPurchase = "Purchase"

// DefaultOutcomes returns the known outcomes in the order of the documentation.
func DefaultOutcomes() []string {
	out := make([]string, len(defaultEvents))
	for i, e := range defaultEvents {
		out[i] = e.outcome
	}
	return out
}

// outcomeRule says what a record stands for: an expression that names it, or
// rules of which the first that holds decides.
type outcomeRule struct {
	name     *expression
	rules    []rule
	fallback verdict
}

// verdict is what a rule says: an outcome, or a reason to leave the record out.
// The zero value says nothing.
type verdict struct {
	outcome, skip string
}

// rule holds when all its tests do.
type rule struct {
	value     *expression // of a column; nil for the order's value
	equals    []string
	notEquals []string
	prefix    []string
	suffix    []string
	contains  []string
	empty     *bool
	bounds    []bound
	locale    *locale
	verdict   verdict
}

// bound is a comparison with a number.
type bound struct {
	test  string // at_most, at_least, below, above
	limit number
}

// boundTests are the tests that compare numbers.
var boundTests = []string{"at_most", "at_least", "below", "above"}

func (b bound) holds(n number) bool {
	switch b.test {
	case "at_most":
		return n <= b.limit
	case "at_least":
		return n >= b.limit
	case "below":
		return n < b.limit
	}
	return n > b.limit
}

// dynamic reports whether outcomes come from the data.
func (o *outcomeRule) dynamic() bool { return o.name != nil && !o.name.isConstant() }

// named lists the outcomes that the document itself names.
func (o *outcomeRule) named() []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if o.name != nil && o.name.isConstant() {
		add(o.name.constant)
	}
	for _, r := range o.rules {
		add(r.verdict.outcome)
	}
	add(o.fallback.outcome)
	return out
}

// sendsPurchase reports whether every conversion surely is a Purchase or may be.
func (m *Mapping) sendsPurchase() bool {
	for _, event := range m.Outcomes() {
		if event == eventPurchase && !m.outcome.dynamic() {
			return true
		}
	}
	return false
}

func (d *decoder) outcomes(m *Mapping, keys map[string]cursor, need func(key, fix string) cursor) {
	m.events, m.eventsSaid, m.holdSaid = map[string]string{}, map[string]bool{}, map[string]time.Duration{}
	for _, e := range defaultEvents {
		m.events[e.outcome] = e.event
	}
	if c := keys["events"]; c.present() {
		d.eventNames(m, c)
	}
	if c := need("outcome", "say what a record stands for, for example `outcome: payment_received`"); c.present() {
		m.outcome = d.outcomeRule(m, c)
	}
	m.hold = map[string]time.Duration{"order_placed": defaultHold}
	if c := keys["hold"]; c.present() {
		d.holds(m, c)
	}
}

func (d *decoder) eventNames(m *Mapping, c cursor) {
	if c.kind != objectNode {
		d.fault(c, "write `events: {outcome: EventName}`", "events: expected outcomes with event names, found %s", c.said())
		return
	}
	for _, e := range c.members {
		if !codePattern.MatchString(e.key) {
			d.keyFault(c, e, "use lower-case letters, digits and `_`", "outcome %q has other characters", clip(e.key))
			continue
		}
		name, ok := d.text(c.at(e), "an event name")
		if !ok {
			continue
		}
		if problem := eventNameProblem(name); problem != "" {
			d.fault(c.at(e), "use a name of at most 50 characters", "event name %q %s", clip(name), problem)
			continue
		}
		if near := standardNearMiss(name); near != "" {
			d.fault(c.at(e), fmt.Sprintf("write %q", near), "event name %q differs from a standard event by case or spaces; Meta would count it as another event", clip(name))
			continue
		}
		m.events[e.key], m.eventsSaid[e.key] = name, true
	}
}

func eventNameProblem(name string) string {
	if utf8.RuneCountInString(name) > 50 {
		return "is too long"
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "has control characters"
	}
	return ""
}

// standardNearMiss returns the standard event that a name misses by case, spaces
// or separators only.
func standardNearMiss(name string) string {
	fold := func(s string) string {
		return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(s))
	}
	for _, e := range capi.StandardEvents() {
		if e.Name != name && fold(e.Name) == fold(name) {
			return e.Name
		}
	}
	return ""
}

// outcomeRule reads the three forms: a name, an expression, or rules.
func (d *decoder) outcomeRule(m *Mapping, c cursor) (o outcomeRule) {
	if c.kind == scalarNode {
		o.name = &expression{target: "outcome", constant: d.outcome(m, c)}
		return o
	}
	has := func(key string) bool {
		return c.kind == objectNode && slices.ContainsFunc(c.members, func(m member) bool { return m.key == key })
	}
	if has("column") || has("columns") || has("const") {
		o.name, _ = d.expression(c, "outcome", bareColumn)
		return o
	}
	keys := d.object(c, "default", "when")
	if keys == nil {
		return o
	}
	if f, ok := keys["default"]; ok {
		o.fallback = d.verdict(m, f)
	}
	w, ok := keys["when"]
	switch {
	case !ok && !keys["default"].present():
		d.fault(c, "write `outcome: order_placed`, or `{default: …, when: […]}`", "the outcome is not given")
	case ok && w.kind != listNode:
		d.fault(w, "write a list of rules", "`when` must be a list, found %s", w.said())
	case ok:
		for i := range w.items {
			o.rules = append(o.rules, d.rule(m, w.item(i)))
		}
	}
	return o
}

// verdict reads `order_placed` or `{skip: reason}`.
func (d *decoder) verdict(m *Mapping, c cursor) (v verdict) {
	if c.kind == scalarNode {
		v.outcome = d.outcome(m, c)
		return v
	}
	if s, ok := d.object(c, "skip")["skip"]; ok {
		v.skip = d.code(s, "a reason to skip")
	}
	return v
}

// outcome reads the name of an outcome that has an event.
func (d *decoder) outcome(m *Mapping, c cursor) string {
	s, ok := d.text(c, "an outcome")
	if !ok {
		return ""
	}
	if _, known := m.events[s]; !known {
		names := slices.Sorted(maps.Keys(m.events))
		fix := "name its Meta event: `events: {" + clip(s) + ": …}`; known outcomes: " + strings.Join(names, ", ")
		if near := suggest.Closest(s, names); near != "" {
			fix = fmt.Sprintf("did you mean %q? Else name its Meta event under `events`", near)
		}
		d.fault(c, fix, "outcome %q has no Meta event", clip(s))
	}
	return s
}

var ruleKeys = []string{"column", "field", "equals", "in", "not_in", "prefix", "suffix", "contains", "empty", "at_most", "at_least", "below", "above", "locale", "transforms", "outcome", "skip"}

func (d *decoder) rule(m *Mapping, c cursor) (r rule) {
	keys := d.object(c, ruleKeys...)
	if keys == nil {
		return r
	}
	switch {
	case keys["column"].present() == keys["field"].present():
		d.fault(c, "write `column: name`, or `field: value` for the value of the order", "a rule tests one column, or the value")
	case keys["field"].present():
		d.choice(keys["field"], "field", "value")
	default:
		if name, ok := d.text(keys["column"], "column"); ok {
			r.value = &expression{target: "outcome"}
			d.addColumn(r.value, name)
		}
	}
	if t, ok := keys["transforms"]; ok && r.value != nil {
		r.value.steps = d.transforms(t)
	}
	tests := d.tests(&r, keys)
	if tests == 0 {
		d.fault(c, "add one of equals, in, not_in, prefix, suffix, contains, empty, at_most, at_least, below, above", "the rule has no test")
	}
	if keys["field"].present() && (r.textTests() > 0 || r.empty != nil) {
		d.fault(c, "use at_most, at_least, below or above", "the value of an order is compared as a number")
	}
	switch {
	case keys["outcome"].present() == keys["skip"].present():
		d.fault(c, "add `outcome: …`, or `skip: reason`", "the rule says neither or both of an outcome and a skip")
	case keys["skip"].present():
		r.verdict.skip = d.code(keys["skip"], "a reason to skip")
	default:
		r.verdict.outcome = d.outcome(m, keys["outcome"])
	}
	return r
}

// textTests counts the tests that compare text.
func (r *rule) textTests() int {
	return len(r.equals) + len(r.notEquals) + len(r.prefix) + len(r.suffix) + len(r.contains)
}

// tests reads the tests of a rule and returns how many there are.
func (d *decoder) tests(r *rule, keys map[string]cursor) (n int) {
	r.locale = plainLocale
	if l, ok := keys["locale"]; ok {
		if got, ok := d.locale(l); ok {
			r.locale = got
		}
	}
	for _, t := range []struct {
		key string
		to  *[]string
	}{{"equals", &r.equals}, {"in", &r.equals}, {"not_in", &r.notEquals}, {"prefix", &r.prefix}, {"suffix", &r.suffix}, {"contains", &r.contains}} {
		if c, ok := keys[t.key]; ok {
			n++
			*t.to = append(*t.to, d.texts(c, t.key)...)
		}
	}
	if c, ok := keys["empty"]; ok {
		n++
		v := d.flag(c, "empty")
		r.empty = &v
	}
	for _, test := range boundTests {
		c, ok := keys[test]
		if !ok {
			continue
		}
		n++
		s, ok := d.text(c, test)
		if !ok {
			continue
		}
		limit, problem := plainLocale.parse(s)
		if problem != "" {
			d.fault(c, "write it with a point and without grouping", "%s: %q is not a number", test, clip(s))
			continue
		}
		r.bounds = append(r.bounds, bound{test, limit})
	}
	return n
}

func (d *decoder) holds(m *Mapping, c cursor) {
	if c.kind != objectNode {
		d.fault(c, "write `hold: {order_placed: 24h}`", "hold: expected outcomes with durations, found %s", c.said())
		return
	}
	for _, h := range c.members {
		if _, ok := m.events[h.key]; !ok {
			names := slices.Sorted(maps.Keys(m.events))
			d.keyFault(c, h, "known outcomes: "+strings.Join(names, ", "), "outcome %q is not known", clip(h.key))
			continue
		}
		s, ok := d.text(c.at(h), "a hold")
		if !ok {
			continue
		}
		t, err := time.ParseDuration(s)
		if s == "0" {
			t, err = 0, nil
		}
		if err != nil || t < 0 {
			d.fault(c.at(h), "write hours or minutes, such as 24h or 90m; 0 sends at once", "%q is not a duration", clip(s))
			continue
		}
		m.hold[h.key], m.holdSaid[h.key] = t, t
	}
}

// checkHolds refuses a hold that leaves less than a day to send in.
func (d *decoder) checkHolds(m *Mapping, c cursor) {
	if !c.present() || !m.actionSource.isConstant() {
		return
	}
	window := capi.Window(capi.ActionSource(m.actionSource.constant), capi.OfflineWindow(0))
	for _, h := range c.members {
		if t := m.hold[h.key]; t > window-24*time.Hour {
			d.keyFault(c, h, fmt.Sprintf("hold for at most %d h", int((window-24*time.Hour).Hours())), "a hold of %s leaves less than a day of the %d days in which Meta takes the event", t, int(window.Hours()/24))
		}
	}
}
