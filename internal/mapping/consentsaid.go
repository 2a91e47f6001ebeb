package mapping

import (
	"strings"

	"sluice/capi"
)

// ConsentAnswers are what a record that comes without a mapping may say.
var ConsentAnswers = []string{"granted", "denied", "withdrawn", "measure_only", "unknown"}

// ConsentSaid decides about an event by an answer in plain words, as a mapping's
// `consent` does by a column: it returns the code of a skip, or "" when the event
// may be sent, and sets what the answer demands on the event. Country and state may
// be empty; then the strictest region counts. force asks for limited data use in the
// United States; where no country is said there, the event's own address counts.
func ConsentSaid(ev *capi.Event, said, country, state string, force bool) (skip string) {
	a := unknown
	switch said {
	case "granted":
		a = granted
	case "measure_only":
		a = measureOnly
	case "denied", "withdrawn":
		a = denied
	}
	normal := func(f capi.Field, s, country string) string {
		if strings.TrimSpace(s) == "" {
			return ""
		}
		n, err := capi.Normalize(f, s, country, capi.NormalizeOptions{})
		if err != nil || n.AlreadyHashed {
			return ""
		}
		return n.Value
	}
	cc := normal(capi.FieldCountry, country, "")
	st := ""
	if cc == "us" {
		st = normal(capi.FieldState, state, cc)
	}
	e := &eventParts{Event: *ev}
	var r consentRule
	skip = r.decide(e, signals{answer: a, country: cc, state: st, force: force})
	if force && cc == "" && skip == "" {
		first := func(list []string) string {
			if len(list) == 0 {
				return ""
			}
			return list[0]
		}
		if cc = normal(capi.FieldCountry, first(ev.UserData.Country), ""); cc == unitedStates {
			st = normal(capi.FieldState, first(ev.UserData.State), cc)
		}
		skip = r.decide(e, signals{answer: granted, country: cc, state: st, force: true})
	}
	ev.OptOut, ev.DataProcessing = e.OptOut, e.DataProcessing
	return skip
}
