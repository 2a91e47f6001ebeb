package mapping

import (
	"slices"
	"strings"

	"sluice/capi"
)

// consentRule decides whether a conversion may be sent at all. It follows the
// strictest rule that can apply: where the region is not known, that of the EEA.
type consentRule struct {
	assumed bool // `consent: granted`: the business vouches for every row
	value   *expression
	granted []string
	denied  []string
	measure []string // "measure only": sent, but not for optimisation
	region  *expression
	state   *expression
	sale    *expression // opted out of sale and sharing
}

// consent decodes `consent:`.
func (d *decoder) consent(c cursor) (r consentRule) {
	if c.kind == scalarNode {
		_, r.assumed = d.choice(c, "consent", "granted")
		return r
	}
	e, keys := d.expression(c, "consent", bareColumn, "granted", "denied", "withdrawn", "measure_only", "region", "state", "opt_out_of_sale")
	r.value = e
	for _, l := range []struct {
		key string
		to  *[]string
	}{{"granted", &r.granted}, {"denied", &r.denied}, {"withdrawn", &r.denied}, {"measure_only", &r.measure}} {
		v, ok := keys[l.key]
		if !ok {
			continue
		}
		for _, s := range d.texts(v, l.key) {
			*l.to = append(*l.to, strings.ToLower(trimSpace(s)))
		}
	}
	if e != nil && len(r.granted) == 0 && len(r.denied) == 0 {
		d.fault(c, "add `granted: [yes]` and `denied: [no]` with the values of the column", "which values mean consent is not said")
	}
	for _, s := range r.granted {
		if slices.Contains(r.denied, s) || slices.Contains(r.measure, s) {
			d.fault(c, "list each value once", "consent value %q has two meanings", clip(s))
		}
	}
	if v, ok := keys["region"]; ok {
		r.region, _ = d.expression(v, "consent.region", bareColumn)
	}
	if v, ok := keys["state"]; ok {
		r.state, _ = d.expression(v, "consent.state", bareColumn)
	}
	if v, ok := keys["opt_out_of_sale"]; ok {
		r.sale, _ = d.expression(v, "consent.opt_out_of_sale", bareColumn)
	}
	return r
}

// answer is what a person said.
type answer uint8

const (
	unknown answer = iota
	granted
	measureOnly
	denied
)

// String names the answer.
func (a answer) String() string {
	return [...]string{unknown: "unknown", granted: "granted", measureOnly: "measure_only", denied: "denied"}[a]
}

// answer reads one value of the consent column.
func (r *consentRule) answer(s string) answer {
	s = strings.ToLower(s)
	switch {
	case s == "":
		return unknown
	case slices.Contains(r.denied, s):
		return denied
	case slices.Contains(r.measure, s):
		return measureOnly
	case slices.Contains(r.granted, s):
		return granted
	}
	return unknown
}

// strictRegions need a recorded yes: the EEA, the United Kingdom and Switzerland.
var strictRegions = map[string]bool{
	"at": true, "be": true, "bg": true, "hr": true, "cy": true, "cz": true, "dk": true, "ee": true, "fi": true, "fr": true,
	"de": true, "gr": true, "hu": true, "ie": true, "it": true, "lv": true, "lt": true, "lu": true, "mt": true, "nl": true,
	"pl": true, "pt": true, "ro": true, "sk": true, "si": true, "es": true, "se": true, "is": true, "li": true, "no": true,
	"gb": true, "ch": true,
}

// limitedDataUse are the states whose residents may opt out of sale and sharing,
// with Meta's numbers. Source: Meta, Data Processing Options.
var limitedDataUse = map[string]int64{
	"ca": 1000, "co": 1001, "ct": 1002, "fl": 1003, "or": 1004, "tx": 1005, "mt": 1006,
	"de": 1007, "ne": 1008, "nh": 1009, "nj": 1010, "mn": 1011, "md": 1012, "ri": 1013,
}

// limitedDataUseCountry is Meta's number of the United States.
const limitedDataUseCountry = 1

// signals is what a decision goes by. country and state are in the form of capi.
type signals struct {
	answer         answer
	optedOut       bool // of sale and sharing
	country, state string
	force          bool // limited data use for everybody in the United States
}

// decide returns the code of a skip, or "" when the event may be sent; it sets what
// the answer demands on the event.
func (r *consentRule) decide(e *eventParts, s signals) (skip string) {
	number, limited := limitedDataUse[s.state]
	limited = limited && s.country == unitedStates
	refused := s.answer == denied
	switch {
	case s.answer == measureOnly:
		e.OptOut = capi.Some(true)
		refused = s.optedOut && !limited
	case (refused || s.optedOut) && limited:
		refused = false
	case s.optedOut:
		// Where no state's rule turns it into limited data use it is a plain no.
		refused = true
	case s.answer == unknown && (s.country == "" || strictRegions[s.country]):
		return SkipConsentUnknown
	}
	switch {
	case refused:
		return SkipConsentDenied
	case limited && (s.answer == denied || s.optedOut || s.force):
		e.limit(limitedDataUseCountry, number)
	case s.force && s.country == unitedStates:
		e.limit(0, 0) // no number for this state: Meta locates
	}
	return ""
}

const unitedStates = "us"

// limit asks for limited data use.
func (e *eventParts) limit(country, state int64) {
	e.ldu = capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(country), State: capi.Some(state)}
	e.DataProcessing = &e.ldu
}

// ForceLimitedDataUse makes the mapper ask for limited data use on every event of
// the United States.
func (p *Mapper) ForceLimitedDataUse(on bool) { p.limitAll = on }

// consent decides whether the order may be sent; of several answers in its rows
// the strictest counts.
func (p *Mapper) consent() bool {
	c := &p.m.consent
	s := signals{answer: unknown, force: p.limitAll}
	if c.assumed {
		p.result.Consent = "assumed"
		s.answer = granted
		if !s.force {
			return true
		}
	} else {
		for i := range p.rows {
			s.answer = max(s.answer, c.answer(p.eval(c.value, p.rows[i].Values)))
		}
		p.result.Consent = s.answer.String()
	}
	if c.sale != nil {
		for i := range p.rows {
			yes, _ := truth(p.eval(c.sale, p.rows[i].Values))
			s.optedOut = s.optedOut || yes
		}
	}
	if c.region != nil {
		s.country = p.country(p.pick(c.region))
	} else if s.force {
		s.country = p.country(p.address(capi.FieldCountry))
	}
	if s.country == unitedStates && (s.answer == denied || s.optedOut || s.force) {
		s.state = p.homeState()
	}
	if code := c.decide(&p.event, s); code != "" {
		p.result.Occurrence = p.pick(p.m.occurrence)
		p.skip(code)
		return false
	}
	return true
}

// homeState is the state that consent is judged by: its own column, else that of
// the address.
func (p *Mapper) homeState() string {
	raw := ""
	if p.m.consent.state != nil {
		raw = p.pick(p.m.consent.state)
	} else {
		raw = p.address(capi.FieldState)
	}
	n, err := capi.Normalize(capi.FieldState, raw, unitedStates, capi.NormalizeOptions{})
	if err != nil || n.AlreadyHashed {
		return ""
	}
	return n.Value
}

// address is the first value of a customer key.
func (p *Mapper) address(field capi.Field) string {
	for i := range p.m.user {
		if p.m.user[i].field != field {
			continue
		}
		for _, e := range p.m.user[i].values {
			if v := p.pick(e); v != "" {
				return v
			}
		}
	}
	return ""
}
