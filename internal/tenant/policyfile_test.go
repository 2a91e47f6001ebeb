package tenant

import (
	"strings"
	"testing"

	"sluice/internal/fault"
)

func TestParsePolicyNamesTheMember(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`: "",
		`{"max_value_per_run":{"GBP":"250000.50"},"hold_for":{"order_placed":"24h"},"unknown_policy":"hold"}`: "",
		`{"max_evnts_per_run":1}`:                "/max_evnts_per_run:",
		`{"Four_Eyes":true}`:                     "/Four_Eyes:",
		`{"four_eyes":"yes"}`:                    "/four_eyes:",
		`{"four_eyes":true,"four_eyes":false}`:   "/four_eyes: the member comes more than once",
		`{"events":{"order_placed":{"name":1}}}`: "/events/order_placed/name:",
		`{"max_events_per_day":-1}`:              "/max_events_per_day:",
		`{"max_value_per_day":{"gbp":"1"}}`:      "/max_value_per_day:",
		`{"max_value_per_day":{"GBP":"1,5"}}`:    "/max_value_per_day/GBP:",
		`{"max_value_per_day":{"GBP":"0"}}`:      "/max_value_per_day/GBP:",
		`{"require_dry_run":"live_test"}`:        "/require_dry_run:",
		`{"hold_for":{"order_placed":"1 day"}}`:  "/hold_for/order_placed:",
		`{"events":{"order_placed":{}}}`:         "/events/order_placed:",
		`[]`:                                     "type",
		`{} {}`:                                  "something follows",
	} {
		_, err := ParsePolicy([]byte(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (fault.CodeOf(err) != fault.PolicyInvalid || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want it to name %s", text, err, want)
		}
	}
}

func TestRolesCoverThoseBelow(t *testing.T) {
	t.Parallel()
	for i, have := range Roles {
		for j, need := range Roles {
			if have.Covers(need) != (i <= j) {
				t.Errorf("%s covers %s: %v", have, need, have.Covers(need))
			}
		}
	}
	if Role("root").Covers(Viewer) || Owner.Covers("root") {
		t.Error("a role that does not exist covers or is covered")
	}
}
