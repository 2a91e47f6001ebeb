package schedule

import (
	"fmt"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
)

// MaxAuthorization is the longest an authorisation lasts.
const MaxAuthorization = 90 * 24 * time.Hour

// Authorization is what an owner or admin has signed for: inside its terms a window
// confirms itself.
type Authorization struct {
	By        string    `json:"signed_by"`
	At        time.Time `json:"signed_at"`
	Expires   time.Time `json:"expires_at"`
	Source    string    `json:"source_digest"`
	Mapping   string    `json:"mapping_digest"` // empty for stored outcomes
	Outcomes  []string  `json:"outcomes"`       // that may be sent
	Dataset   string    `json:"dataset"`
	Realm     string    `json:"realm"`
	MaxEvents int       `json:"max_events_per_run"`
	// MaxValue is decimal text per currency; a currency that is not named may not
	// be sent.
	MaxValue     map[string]string `json:"max_value_per_run"`
	MinGoodShare float64           `json:"min_good_share"` // of the planned events: tiers good and great
	Policy       string            `json:"policy_digest"`
}

// Check refuses terms that are open.
func (a *Authorization) Check() error {
	switch {
	case a.MaxEvents < 1:
		return fault.New(fault.Usage, "an authorisation needs the most events one run may send").WithFix("pass --max-events")
	case len(a.MaxValue) == 0:
		return fault.New(fault.Usage, "an authorisation needs the most value one run may send, per currency").WithFix("pass --max-value GBP=50000")
	case a.MinGoodShare < 0 || a.MinGoodShare > 1:
		return fault.New(fault.Usage, "the least share of good events is 0 to 1")
	case !a.Expires.After(a.At) || a.Expires.Sub(a.At) > MaxAuthorization:
		return fault.New(fault.Usage, "an authorisation ends after 1 to 90 days").WithFix("pass --days 90 or less")
	}
	for currency, text := range a.MaxValue {
		if v, err := capi.ParseDecimal(text); err != nil || v <= 0 || len(currency) != 3 {
			return fault.New(fault.Usage, "a value cap is a currency and an amount").WithFix("write --max-value GBP=50000")
		}
	}
	return nil
}

// Facts are what a window's plan is judged by.
type Facts struct {
	Source, Mapping, Policy string
	Dataset, Realm          string
	Outcomes                []string
	Events                  int
	Value                   map[string]capi.Decimal
	Good                    int // events of tier good or great
}

// Outside lists why a plan is not covered; empty: it is. A nil authorisation covers
// nothing.
func (a *Authorization) Outside(f Facts, now time.Time) []string {
	if a == nil {
		return []string{"nobody has signed a standing authorisation"}
	}
	var why []string
	say := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	if !now.Before(a.Expires) {
		say("the authorisation ended on %s", a.Expires.UTC().Format(dayLayout))
	}
	if f.Mapping != a.Mapping {
		say("the mapping was edited after it was authorised")
	}
	if f.Source != a.Source {
		say("the source was changed after it was authorised")
	}
	if f.Policy != a.Policy {
		say("the profile's policy was changed after the schedule was authorised")
	}
	if f.Dataset != a.Dataset || f.Realm != a.Realm {
		say("it would go to another dataset than the authorised one")
	}
	for _, o := range f.Outcomes {
		if !slices.Contains(a.Outcomes, o) {
			say("outcome %s is not authorised", o)
		}
	}
	if f.Events > a.MaxEvents {
		say("%d events are more than the authorised %d", f.Events, a.MaxEvents)
	}
	for currency, v := range f.Value {
		most, err := capi.ParseDecimal(a.MaxValue[currency])
		switch {
		case a.MaxValue[currency] == "" && v != 0:
			say("no value in %s is authorised", currency)
		case err == nil && v > most:
			say("%s %s is more than the authorised %s", currency, v, most)
		}
	}
	if share := float64(f.Good) / float64(max(1, f.Events)); f.Events > 0 && share < a.MinGoodShare {
		say("%.0f %% of the events are of tier good or great, less than the authorised %.0f %%", 100*share, 100*a.MinGoodShare)
	}
	slices.Sort(why)
	return why
}
