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
}

// consent decodes `consent:`.
func (d *decoder) consent(c cursor) (r consentRule) {
	if c.kind == scalarNode {
		_, r.assumed = d.choice(c, "consent", "granted")
		return r
	}
	e, keys := d.expression(c, "consent", bareColumn, "granted", "denied", "measure_only", "region", "state")
	r.value = e
	for _, l := range []struct {
		key string
		to  *[]string
	}{{"granted", &r.granted}, {"denied", &r.denied}, {"measure_only", &r.measure}} {
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

// decide returns the code of a skip, or "" when the event may be sent; it sets what
// the answer demands on the event. country and state are in the form of capi.
func (r *consentRule) decide(e *eventParts, a answer, country, state string) (skip string) {
	if a == measureOnly {
		e.OptOut = capi.Some(true)
		return ""
	}
	if a == granted {
		return ""
	}
	if number, ok := limitedDataUse[state]; ok && country == "us" && a == denied {
		e.ldu = capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(int64(limitedDataUseCountry)), State: capi.Some(number)}
		e.DataProcessing = &e.ldu
		return ""
	}
	switch {
	case a == denied:
		return SkipConsentDenied
	case country == "" || strictRegions[country]:
		return SkipConsentUnknown
	}
	return ""
}
