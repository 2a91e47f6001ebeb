package capi_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"sluice/capi"
)

// fuzzNormalize checks what holds for every normaliser: no panic, an error with a
// known code or a value that is not empty and valid UTF-8, a hash for hashed
// fields, and the same value when it is normalised again.
func fuzzNormalize(f *testing.F, fields ...capi.Field) {
	f.Helper()
	known := map[string]bool{}
	for _, info := range capi.Codes() {
		known[info.Code] = true
	}
	f.Fuzz(func(t *testing.T, input, country string) {
		for _, field := range fields {
			opts := capi.NormalizeOptions{Now: vectorDay}
			n, err := capi.Normalize(field, input, country, opts)
			if err != nil {
				if !known[capi.CodeOf(err)] {
					t.Fatalf("%s: %v has no known code", field, err)
				}
				continue
			}
			if n.Value == "" || !utf8.ValidString(n.Value) {
				t.Fatalf("%s: %q becomes %q", field, input, n.Value)
			}
			if n.Warning != "" && !known[n.Warning] {
				t.Fatalf("%s: unknown warning %s", field, n.Warning)
			}
			if field.Hashed() != (n.SHA256 != "") || n.SHA256 != "" && len(n.SHA256) < 64 {
				t.Fatalf("%s: hash %q", field, n.SHA256)
			}
			if field == capi.FieldPhone {
				// A complete number no longer shows that it is one: a hint could
				// complete it again.
				country = ""
			}
			again, err := capi.Normalize(field, n.Value, country, opts)
			if err != nil || again.Value != n.Value || again.SHA256 != n.SHA256 {
				t.Fatalf("%s: %q becomes %q, then %q (%v)", field, input, n.Value, again.Value, err)
			}
		}
	})
}

func FuzzEmail(f *testing.F)      { fuzzNormalize(f, capi.FieldEmail) }
func FuzzPhone(f *testing.F)      { fuzzNormalize(f, capi.FieldPhone) }
func FuzzName(f *testing.F)       { fuzzNormalize(f, capi.FieldFirstName, capi.FieldLastName) }
func FuzzBirthDate(f *testing.F)  { fuzzNormalize(f, capi.FieldBirthDate) }
func FuzzGender(f *testing.F)     { fuzzNormalize(f, capi.FieldGender) }
func FuzzCity(f *testing.F)       { fuzzNormalize(f, capi.FieldCity) }
func FuzzState(f *testing.F)      { fuzzNormalize(f, capi.FieldState) }
func FuzzZip(f *testing.F)        { fuzzNormalize(f, capi.FieldZip) }
func FuzzCountry(f *testing.F)    { fuzzNormalize(f, capi.FieldCountry) }
func FuzzExternalID(f *testing.F) { fuzzNormalize(f, capi.FieldExternalID) }

func FuzzIdentifiers(f *testing.F) {
	fuzzNormalize(f, capi.FieldClientIPAddress, capi.FieldClientUserAgent, capi.FieldMadID, capi.FieldLeadID, capi.FieldFBLoginID,
		capi.FieldPageID, capi.FieldAnonID, capi.FieldCTWAClid, capi.FieldIGSID, capi.FieldSubscriptionID, capi.FieldFBC, capi.FieldFBP)
}

func FuzzCookie(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (capi.Cookie, error){capi.ParseFBC, capi.ParseFBP} {
			c, err := parse(s)
			if err == nil && c.String() != s {
				t.Fatalf("%q is written as %q", s, c.String())
			}
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		d, err := capi.ParseDecimal(s)
		if err != nil {
			if capi.CodeOf(err) == "" {
				t.Fatalf("%v has no code", err)
			}
			return
		}
		if again, err := capi.ParseDecimal(d.String()); err != nil || again != d {
			t.Fatalf("%q is %d, written as %s, read as %d (%v)", s, d, d, again, err)
		}
	})
}

// FuzzEvent feeds any text to everything that reads events. What parses and
// encodes must pass CheckWire and parse to the same bytes.
func FuzzEvent(f *testing.F) {
	enc, err := capi.NewEncoder(capi.Options{Now: testNow, AllowMissingUserAgent: true})
	if err != nil {
		f.Fatal(err)
	}
	check := capi.CheckOptions{Now: testNow, AllowMissingUserAgent: true}
	f.Fuzz(func(t *testing.T, json []byte) {
		_ = capi.CheckWire(json, check)
		_, _ = capi.ParseRequest(json)
		if capi.IsLegacy(json) {
			_, _ = capi.MigrateLegacy(json)
		}
		ev, _ := capi.ParseEvent(json)
		wire, report := enc.Append(nil, &ev)
		if report.Refused() {
			if len(wire) != 0 {
				t.Fatalf("refused and written: %s", wire)
			}
			return
		}
		if found := capi.CheckWire(wire, check); found != nil {
			t.Fatalf("CheckWire: %s\n%s", faultText(found), wire)
		}
		parsed, found := capi.ParseEvent(wire)
		if found != nil {
			t.Fatalf("ParseEvent: %s\n%s", faultText(found), wire)
		}
		if again, _ := enc.Append(nil, &parsed); !bytes.Equal(again, wire) {
			t.Fatalf("encodes otherwise when parsed:\n%s\n%s", wire, again)
		}
	})
}
