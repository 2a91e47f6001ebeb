package mapping

import (
	"io/fs"
	"regexp"
	"slices"

	"sluice/capi"
)

// version is the only version of the document there is.
const version = "1"

// documentKeys are the keys of a document, in the order the documentation has.
var documentKeys = []string{
	"version", "namespace", "dataset", "source",
	"id", "occurrence", "event_id",
	"outcome", "events", "hold",
	"time", "value", "currency", "order_id",
	"action_source", "event_source_url", "referrer_url", "messaging_channel",
	"user", "default_country", "hashed",
	"lines", "custom", "labels", "store_code", "store_page_id", "brand_page_id",
	"consent", "opt_out", "sale_key", "cancels", "touches", "app_data", "original_event_data", "attribution_data", "lookups",
}

// Parse reads a document. name is what messages call it; files holds the lookup
// files beside it and may be nil.
//
// The error is a *fault.Error with code mapping_invalid. Its detail "faults" is a
// []Fault with everything that is wrong, in the order of the document; see
// FaultsOf.
func Parse(name string, src []byte, files fs.FS) (*Mapping, error) {
	tree, faults := parseTree(src)
	if tree == nil {
		return nil, invalid(name, faults)
	}
	d := &decoder{faults: faults, files: files}
	m := d.document(cursor{node: tree})
	d.placeholders(cursor{node: tree})
	if err := invalid(name, d.faults); err != nil {
		return nil, err
	}
	m.columns = d.columns
	m.digest = digestOf(tree, d)
	return m, nil
}

func (d *decoder) document(c cursor) *Mapping {
	m := &Mapping{}
	keys := d.object(c, documentKeys...)
	if keys == nil {
		return m
	}
	need := func(key, fix string) cursor {
		k, ok := keys[key]
		if !ok {
			d.fault(cursor{c.node, "/" + key}, fix, "key %q is missing", key)
		}
		return k
	}
	if v := need("version", "add `version: 1`"); v.present() && (v.kind != scalarNode || v.text != version) {
		d.fault(v, "write `version: 1`", "version %s is not known", v.said())
	}
	d.decodeTables(keys["lookups"])
	d.identity(m, keys, need)
	d.source(m, keys["source"])
	d.outcomes(m, keys, need)
	if t := need("time", "name the column that says when it happened: `time: {column: …, zone: Europe/London}`"); t.present() {
		m.time = d.time(t)
	}
	d.money(m, keys)
	if a := need("action_source", "say where the sale happened, for example `action_source: physical_store`: sending it asserts that it is true"); a.present() {
		m.actionSource = d.actionSource(a)
	}
	d.textRules(m, keys)
	if u := need("user", "map at least one identifier: `user: {em: email}`"); u.present() {
		d.user(m, u, keys)
	}
	if l := keys["lines"]; l.present() {
		m.lines = d.lineRules(l)
		if len(m.id) == 0 && keys["id"].node == nil {
			d.fault(l, "add `id:` with the column that all lines of an order share", "`lines` needs an id to bring the lines of an order together")
		}
	}
	d.custom(m, keys["custom"])
	d.labels(m, keys["labels"])
	if k := need("consent", "write `consent: {column: …, granted: [yes]}`, or `consent: granted` if everybody in this data has agreed"); k.present() {
		m.consent = d.consent(k)
	}
	if o := keys["opt_out"]; o.present() {
		m.optOut, _ = d.expression(o, "opt_out", bareColumn)
	}
	if s := keys["sale_key"]; s.present() {
		m.saleKey, _ = d.expression(s, "sale_key", bareColumn)
	}
	d.cancels(m, keys["cancels"])
	d.touches(m, keys["touches"])
	for _, object := range []string{"app_data", "original_event_data", "attribution_data"} {
		d.further(m, object, keys[object])
	}
	d.unusedTables(keys["lookups"])
	d.crossChecks(m, keys, c)
	return m
}

var namespacePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$`)

func (d *decoder) identity(m *Mapping, keys map[string]cursor, need func(key, fix string) cursor) {
	if n := need("namespace", "name the shop and the kind of record, for example `namespace: shop-uk/orders`; it must never change, as it is part of every event id"); n.present() {
		if s, ok := d.text(n, "namespace"); ok {
			if m.namespace = s; !namespacePattern.MatchString(s) {
				d.fault(n, "use letters, digits, `.`, `_`, `-` and `/`, at most 100 characters", "namespace %q has other characters", clip(s))
			}
		}
	}
	if v := keys["dataset"]; v.present() {
		if s, ok := d.text(v, "dataset"); ok {
			if m.dataset = s; digitsOnly(s) != s {
				d.fault(v, "copy the dataset id from Events Manager, in quotes", "dataset %q is not a number", clip(s))
			}
		}
	}
	if v := keys["id"]; v.present() {
		m.id = d.expressions(v, "id", bareColumn)
		d.constantID(v, m.id)
	}
	if v := keys["occurrence"]; v.present() {
		m.occurrence, _ = d.expression(v, "occurrence", bareColumn)
	}
	if v := keys["event_id"]; v.present() {
		m.eventID, _ = d.expression(v, "event_id", bareColumn)
	}
	for _, e := range append([]*expression{m.occurrence, m.eventID}, m.id...) {
		if e != nil {
			e.idLike = true
		}
	}
}

// constantID refuses an id that is the same for every row.
func (d *decoder) constantID(c cursor, id []*expression) {
	for _, e := range id {
		if !e.isConstant() {
			return
		}
	}
	if len(id) > 0 {
		d.fault(c, "name the column that holds the order number", "the id is the same for every row")
	}
}

func (d *decoder) source(m *Mapping, c cursor) {
	if !c.present() {
		return
	}
	keys := d.object(c, "format", "delimiter", "quote", "encoding")
	if v, ok := keys["format"]; ok {
		m.source.Format, _ = d.choice(v, "format", "csv", "tsv", "jsonl", "parquet")
	}
	if v, ok := keys["encoding"]; ok {
		m.source.Encoding, _ = d.choice(v, "encoding", "utf-8", "windows-1252", "latin-1")
	}
	one := func(key string) byte {
		v, ok := keys[key]
		if !ok {
			return 0
		}
		switch {
		case v.kind == scalarNode && (v.text == "tab" || v.text == `\t`):
			return '\t'
		case v.kind != scalarNode || len(v.text) != 1 || v.text[0] >= 0x80 || v.text == "\n":
			d.fault(v, `write one character in quotes, such as ";", or tab`, "%s is not one ASCII character", key)
			return 0
		}
		return v.text[0]
	}
	m.source.Delimiter, m.source.Quote = one("delimiter"), one("quote")
}

func (d *decoder) unusedTables(c cursor) {
	if !c.present() || c.kind != objectNode {
		return
	}
	for _, t := range c.members {
		if !d.used[t.key] {
			d.keyFault(c, t, "use it with `lookup: "+clip(t.key)+"`, or remove it", "lookup table %q is not used", clip(t.key))
		}
	}
}

// crossChecks are rules between keys.
func (d *decoder) crossChecks(m *Mapping, keys map[string]cursor, c cursor) {
	if len(d.faults) > 0 {
		return // half a document would only give faults that follow from others
	}
	if m.lines == nil && m.value.sum {
		d.fault(keys["value"], "add `lines: {quantity: …, item_price: …}`", "the value is the sum of lines, but no lines are mapped")
	}
	if m.value.sum && m.lines != nil && m.lines.price == nil {
		d.fault(keys["lines"], "add `item_price`", "the value is the sum of lines, but lines have no price")
	}
	if m.value.absent() && m.sendsPurchase() {
		d.fault(cursor{c.node, "/value"}, "add `value: column`, or `value: {sum: lines}`", "key \"value\" is missing: Meta refuses a Purchase without one")
	}
	if !m.value.absent() && m.currency == nil {
		d.fault(keys["value"], "add `currency: GBP`, or `currency: {column: …}`", "there is a value but no currency")
	}
	if m.actionSource.isConstant() && capi.ActionSource(m.actionSource.constant) == capi.Website && !m.sets("event_source_url") {
		d.fault(keys["action_source"], "add `event_source_url: https://…`, or the column that holds it", "website events need `event_source_url`")
	}
	d.checkHolds(m, keys["hold"])
}

// sets reports whether a text of the event is mapped.
func (m *Mapping) sets(target string) bool {
	for _, t := range m.texts {
		if t.value.target == target {
			return true
		}
	}
	return false
}

var actionSources = []string{
	string(capi.Website), string(capi.App), string(capi.PhysicalStore), string(capi.PhoneCall), string(capi.Chat),
	string(capi.EmailSource), string(capi.SystemGenerated), string(capi.BusinessMessaging), string(capi.Other),
}

func (d *decoder) actionSource(c cursor) *expression {
	if c.kind == scalarNode {
		s, ok := d.choice(c, "action_source", actionSources...)
		if !ok {
			return nil
		}
		return &expression{target: "action_source", constant: s}
	}
	e, _ := d.expression(c, "action_source", bareConstant)
	return e
}

var codePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

func (d *decoder) code(c cursor, what string) string {
	s, ok := d.text(c, what)
	if ok && !codePattern.MatchString(s) {
		d.fault(c, "use lower-case letters, digits and `_`, for example zero_value", "%s %q has other characters", what, clip(s))
	}
	return s
}

// DocumentKeys lists the keys of a document, for its documentation and completion.
func DocumentKeys() []string { return slices.Clone(documentKeys) }

// UserKeys lists every name of a customer key.
func UserKeys() []string { return userNames() }
