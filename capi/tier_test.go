package capi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

// TestVector28_tiers walks every combination of the five keys.
func TestVector28_tiers(t *testing.T) {
	t.Parallel()
	for set := range 1 << 5 {
		fbp, em, ph, ip, ua := set&1 != 0, set&2 != 0, set&4 != 0, set&8 != 0, set&16 != 0
		var keys capi.KeySet
		for f, in := range map[capi.Field]bool{capi.FieldFBP: fbp, capi.FieldEmail: em, capi.FieldPhone: ph, capi.FieldClientIPAddress: ip, capi.FieldClientUserAgent: ua} {
			if in {
				keys = keys.With(f)
			}
		}
		want := capi.TierWeak
		if (em || ph) && (ip || ua) {
			want = capi.TierGood
		}
		if fbp && em && ph && ip && ua {
			want = capi.TierGreat
		}
		if got := capi.CompatibilityTier(keys); got != want {
			t.Errorf("%s: %s, want %s", keys, got, want)
		}
		if keys.Sufficient() {
			if got := capi.ChannelTier(keys, capi.Website); got != want {
				t.Errorf("%s on a website: %s, want %s", keys, got, want)
			}
		}
	}
}

func TestChannelTier(t *testing.T) {
	t.Parallel()
	const (
		em, ph, fn, ln, zp, ct = capi.FieldEmail, capi.FieldPhone, capi.FieldFirstName, capi.FieldLastName, capi.FieldZip, capi.FieldCity
		db, country, madid     = capi.FieldBirthDate, capi.FieldCountry, capi.FieldMadID
	)
	tests := []struct {
		name string
		keys capi.KeySet
		want capi.Tier
	}{
		{"nobody", 0, capi.TierInvalid},
		{"only sets Meta refuses", capi.Keys(ct, zp, country, capi.FieldGender), capi.TierInvalid},
		{"lead id", capi.Keys(capi.FieldLeadID), capi.TierGreat},
		{"everything with zip", capi.Keys(em, ph, fn, ln, zp), capi.TierGreat},
		{"everything with city and country", capi.Keys(em, ph, fn, ln, ct, country), capi.TierGreat},
		{"city without country", capi.Keys(em, ph, fn, ln, ct), capi.TierGood},
		{"without phone", capi.Keys(em, fn, ln, zp), capi.TierGood},
		{"e-mail", capi.Keys(em), capi.TierGood},
		{"phone", capi.Keys(ph), capi.TierGood},
		{"advertising id", capi.Keys(madid), capi.TierGood},
		{"name, birth date and city", capi.Keys(fn, ln, db, ct), capi.TierGood},
		{"name and birth date", capi.Keys(fn, ln, db), capi.TierWeak},
		{"external id", capi.Keys(capi.FieldExternalID), capi.TierWeak},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, source := range []capi.ActionSource{capi.PhysicalStore, capi.PhoneCall, capi.SystemGenerated} {
				if got := capi.ChannelTier(tt.keys, source); got != tt.want {
					t.Errorf("%s: %s, want %s", source, got, tt.want)
				}
			}
		})
	}
}

func TestLift(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		keys   capi.KeySet
		source capi.ActionSource
		want   []capi.Field
	}{
		{"shop, external id", capi.Keys(capi.FieldExternalID), capi.PhysicalStore, []capi.Field{capi.FieldEmail}},
		{"shop, nothing", 0, capi.PhysicalStore, []capi.Field{capi.FieldEmail}},
		{"shop, good already", capi.Keys(capi.FieldPhone), capi.PhysicalStore, nil},
		{"website, e-mail only", capi.Keys(capi.FieldEmail), capi.Website, []capi.Field{capi.FieldClientUserAgent}},
		{"website, address only", capi.Keys(capi.FieldClientIPAddress), capi.Website, []capi.Field{capi.FieldEmail}},
		{"website, names", capi.Keys(capi.FieldFirstName, capi.FieldLastName), capi.Website, []capi.Field{capi.FieldClientUserAgent, capi.FieldEmail}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := capi.Lift(tt.keys, tt.source)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tier := capi.ChannelTier(tt.keys|capi.Keys(got...), tt.source); tier < capi.TierGood {
				t.Errorf("with %v it is still %s", got, tier)
			}
		})
	}
}

// TestSufficientExamples are the examples of Meta's rule in both directions.
func TestSufficientExamples(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		keys capi.KeySet
		want bool
	}{
		"e-mail":             {capi.Keys(capi.FieldEmail), true},
		"both names":         {capi.Keys(capi.FieldFirstName, capi.FieldLastName), true},
		"name and agent":     {capi.Keys(capi.FieldFirstName, capi.FieldClientUserAgent), true},
		"address":            {capi.Keys(capi.FieldClientIPAddress), true},
		"external id":        {capi.Keys(capi.FieldExternalID), true},
		"browser id":         {capi.Keys(capi.FieldFBP), true},
		"nothing":            {0, false},
		"place and gender":   {capi.Keys(capi.FieldGender, capi.FieldCity, capi.FieldState, capi.FieldCountry), false},
		"birth date":         {capi.Keys(capi.FieldBirthDate), false},
		"first name":         {capi.Keys(capi.FieldFirstName), false},
		"last name, gender":  {capi.Keys(capi.FieldLastName, capi.FieldGender), false},
		"agent":              {capi.Keys(capi.FieldClientUserAgent), false},
		"birth date, gender": {capi.Keys(capi.FieldBirthDate, capi.FieldGender), true},
	} {
		if got := tt.keys.Sufficient(); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	s := capi.Keys(capi.FieldZip, capi.FieldEmail, capi.FieldAnonID)
	if got, want := s.String(), "anon_id,em,zp"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if diff := cmp.Diff([]capi.Field{capi.FieldAnonID, capi.FieldEmail, capi.FieldZip}, s.Fields()); diff != "" {
		t.Error(diff)
	}
	if s.Len() != 3 || !s.Has(capi.FieldEmail) || s.Without(capi.FieldEmail).Has(capi.FieldEmail) || !s.Contains(capi.Keys(capi.FieldZip)) || s.Contains(capi.Keys(capi.FieldPhone)) {
		t.Error("set operations disagree")
	}
	if capi.KeySet(0).String() != "" || capi.KeySet(0).Names() == nil {
		t.Error("the empty set has no names, but a list of none")
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	previous := ""
	for _, f := range capi.Fields() {
		if f.String() <= previous {
			t.Errorf("%s is not after %s: the bytes would not be canonical", f, previous)
		}
		previous = f.String()
		if back, ok := capi.ParseField(f.String()); !ok || back != f {
			t.Errorf("%s is read as %s", f, back)
		}
	}
	for name, want := range map[string]capi.Field{"email": capi.FieldEmail, "phone": capi.FieldPhone, "gen": capi.FieldGender, "zip": capi.FieldZip, "extern_id": capi.FieldExternalID} {
		if f, ok := capi.ParseField(name); !ok || f != want {
			t.Errorf("%s is read as %s", name, f)
		}
	}
	if _, ok := capi.ParseField("EM"); ok {
		t.Error("names are case-sensitive")
	}
	if got := capi.Field(200).String(); got != "unknown" {
		t.Errorf("a field out of range is called %s", got)
	}
}

// TestUserDataAdd puts a value into every field and finds it again.
func TestUserDataAdd(t *testing.T) {
	t.Parallel()
	var u capi.UserData
	for _, f := range capi.Fields() {
		if got := u.Values(f); len(got) != 0 {
			t.Errorf("%s has %q before anything was added", f, got)
		}
		u.Add(f, "first "+f.String())
		u.Add(f, "second "+f.String())
		want := []string{"second " + f.String()}
		if f.Hashed() {
			want = []string{"first " + f.String(), "second " + f.String()}
		}
		if diff := cmp.Diff(want, u.Values(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	u.Add(capi.Field(200), "x")
}
