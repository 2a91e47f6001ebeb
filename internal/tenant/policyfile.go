package tenant

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/strictjson"
)

// ParsePolicy reads a policy document strictly: a member that does not exist, comes
// twice or has the wrong type is refused by name, and every wrong value is listed.
func ParsePolicy(text []byte) (Policy, error) {
	var p Policy
	if err := strictjson.Unmarshal(text, &p); err != nil {
		return Policy{}, fault.New(fault.PolicyInvalid, "%v", err)
	}
	return p, p.Check()
}

// Check refuses a policy whose values mean nothing, naming each of them.
func (p Policy) Check() error {
	if problems := p.problems(); len(problems) > 0 {
		return fault.New(fault.PolicyInvalid, "%s", strings.Join(problems, "; ")).With("problems", problems)
	}
	return nil
}

// problems lists what no policy may say, each with its member.
func (p Policy) problems() (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for name, n := range map[string]int{
		"/max_events_per_run": p.MaxEventsPerRun, "/max_events_per_day": p.MaxEventsPerDay, "/agent_max_events": p.AgentMaxEvents,
		"/ledger_days": p.LedgerDays, "/reject_days": p.RejectDays,
	} {
		if n < 0 {
			say("%s: must be 0 or more", name)
		}
	}
	for name, values := range map[string]map[string]string{"/max_value_per_run": p.MaxValuePerRun, "/max_value_per_day": p.MaxValuePerDay} {
		for currency, value := range values {
			if len(currency) != 3 || strings.ToUpper(currency) != currency {
				say("%s: the names are ISO 4217 currencies such as GBP", name)
			} else if !isAmount(value) {
				say("%s/%s: must be an amount such as 25000 or 25000.50", name, currency)
			}
		}
	}
	for name, choice := range map[string]struct {
		value string
		of    []string
	}{
		"/require_dry_run": {p.RequireDryRun, []string{"", "none", "offline", "sandbox", "test_dataset"}},
		"/unknown_policy":  {p.UnknownPolicy, []string{"", ResendWithinHalfWindow, HoldUnknown}},
		"/unknown_consent": {p.UnknownConsent, []string{"", "skip", "hold"}},
	} {
		if !slices.Contains(choice.of, choice.value) {
			say("%s: must be one of %s", name, strings.Join(choice.of[1:], ", "))
		}
	}
	for outcome, text := range p.HoldFor {
		if d, err := time.ParseDuration(text); err != nil || d < 0 {
			say("/hold_for/%s: must be a duration such as 24h", outcome)
		}
	}
	for _, outcome := range slices.Sorted(maps.Keys(p.Events)) {
		if p.Events[outcome] == (EventRule{}) {
			say("/events/%s: needs event_name or action_source", outcome)
		}
	}
	slices.Sort(out)
	return out
}

// isAmount accepts plain decimal text above zero with at most four places.
func isAmount(s string) bool {
	whole, frac, point := strings.Cut(s, ".")
	digits := whole + frac
	if whole == "" || (point && frac == "") || len(frac) > 4 || len(digits) > 18 {
		return false
	}
	return strings.Trim(digits, "0123456789") == "" && strings.Trim(digits, "0") != ""
}
