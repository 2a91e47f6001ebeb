package capi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/capi"
)

// normalizeCases go beyond the vectors: edges of each rule, and what the fast
// paths must not get wrong.
var normalizeCases = []struct {
	field, country, input string
	want                  string // normalised value, or error code after "!"
	warning               string
}{
	{"em", "", "A\u0301nna@Example.com", "ánna@example.com", ""},
	{"em", "", "anna@sub_domain.example.com", "anna@sub_domain.example.com", ""},
	{"em", "", "anna@-example.com", "!invalid_email", ""},
	{"em", "", "anna@example-.com", "!invalid_email", ""},
	{"em", "", "anna@example..com", "!invalid_email", ""},
	{"em", "", "anna@.example.com", "!invalid_email", ""},
	{"em", "", "anna@example.com.", "!invalid_email", ""},
	{"em", "", "anna@example.c", "!invalid_email", ""},
	{"em", "", "@example.com", "!invalid_email", ""},
	{"em", "", "anna@", "!invalid_email", ""},
	{"em", "", "anna\x00@example.com", "!invalid_email", ""},
	{"em", "", "an\u200bna@example.com", "!invalid_email", ""},
	{"em", "", "anna@exämple.com,berta@example.com", "!invalid_email", ""},
	{"em", "", "anna@exämple", "!invalid_email", ""},
	{"em", "", "anna@परीक्षा.example", "anna@परीक्षा.example", ""},
	{"em", "", "\u00a0anna@example.com\u200b", "anna@example.com", ""},
	{"em", "", "\xff@example.com", "!invalid_utf8", ""},
	{"em", "", strings.Repeat("a", 4097), "!too_long", ""},

	{"ph", "gb", "07700 900123", "447700900123", ""},
	{"ph", "United Kingdom", "07700 900123", "447700900123", ""},
	{"ph", "gb", "447700900123", "447700900123", ""},
	{"ph", "gb", "+1 (650) 555-0123", "16505550123", ""},
	{"ph", "gb", "0044 (0)7700 900123", "447700900123", ""},
	{"ph", "gb", "44 (0)7700 900123", "447700900123", ""},
	{"ph", "", "+44 07700 900123", "4407700900123", "phone_trunk_zero"},
	{"ph", "", "+39 06 1234 5678", "390612345678", ""},
	{"ph", "", "+39 (0)6 1234 5678", "390612345678", ""},
	{"ph", "it", "390612345678", "390612345678", ""},
	{"ph", "it", "3912345678", "393912345678", ""},
	{"ph", "ru", "8 (912) 345-67-89", "79123456789", ""},
	{"ph", "hu", "06 20 123 4567", "36201234567", ""},
	{"ph", "ci", "01 23 45 67 89", "2250123456789", ""},
	{"ph", "de", "4930901820", "494930901820", "phone_ambiguous"},
	{"ph", "de", "00 49 30 901820", "4930901820", ""},
	{"ph", "us", "1-650-555-0123", "16505550123", ""},
	{"ph", "us", "06505550123", "!phone_length", ""},
	{"ph", "us", "011442079460958", "442079460958", ""},
	{"ph", "ca", "011 44 (0)20 7946 0958", "442079460958", ""},
	{"ph", "gb", "011 4420 7946 095", "!phone_length", ""},
	{"ph", "au", "0011 44 20 7946 0958", "442079460958", ""},
	{"ph", "au", "+61 491 570 006", "61491570006", ""},
	{"ph", "gb", "+44 020 7946 0958", "4402079460958", "phone_trunk_zero"},
	{"ph", "", "+49 030 901820", "49030901820", "phone_trunk_zero"},
	{"ph", "", "+44 20 7946 0958 (ext 12)", "442079460958", ""},
	{"ph", "", "+44 20 7946 0958 (ext. 12 )", "442079460958", ""},
	{"ph", "", "+44 20 7946 0958 ext: 12", "442079460958", ""},
	{"ph", "", "+44 20 7946 0958 extension: 12", "442079460958", ""},
	{"ph", "", "+44 20 7946 0958 extn. :12", "442079460958", ""},
	{"ph", "", "+44 20 7946 0958 (x12)", "442079460958", ""},
	{"ph", "", "+44 20 (7946 0958)", "442079460958", ""},
	{"country", "", "TÜRKİYE", "tr", ""},
	{"country", "", "İtaly", "it", ""},
	{"country", "", "NARNİA", "!country_unknown", ""},
	{"fn", "", "❤\ufe0f", "!empty", ""},
	{"fn", "", "\u0301", "!empty", ""},
	{"fn", "", "Zoë ❤\ufe0f", "zoë\ufe0f", ""},
	{"ln", "", "Ⅷ", "ⅷ", ""},
	{"ct", "", "☎\ufe0f", "!empty", ""},
	{"ph", "ca", "(416) 555-0123 x12", "14165550123", ""},
	{"ph", "gb", "020 7946 0958 extension 123456", "442079460958", ""},
	{"ph", "gb", "020 7946 0958;ext=7", "442079460958", ""},
	{"ph", "gb", "020 7946 0958 #7", "442079460958", ""},
	{"ph", "gb", "020 7946 0958 ext. 1234567", "!phone_length", ""},
	{"ph", "", "+123456", "!phone_length", ""},
	{"ph", "", "+1234567", "1234567", ""},
	{"ph", "", "+123456789012345", "123456789012345", ""},
	{"ph", "", "+1234567890123456", "!phone_length", ""},
	{"ph", "", "1234567", "1234567", "phone_assumed_international"},
	{"ph", "", "123456", "!phone_length", ""},
	{"ph", "aq", "1234567", "1234567", "phone_assumed_international"},
	{"ph", "Narnia", "020 7946 0958", "!phone_missing_country_code", ""},
	{"ph", "", "+", "!phone_no_digits", ""},
	{"ph", "", "+000000000", "!phone_no_digits", ""},
	{"ph", "gb", "٠٧٧٠٠ ٩٠٠١٢٣", "447700900123", ""},
	{"ph", "gb", "０７７００９００１２３", "447700900123", ""},

	{"fn", "", "𝐌𝐚𝐫𝐲", "𝐌𝐚𝐫𝐲", ""},
	{"fn", "", "İpek", "i̇pek", ""},
	{"fn", "", "😀", "!empty", ""},
	{"fn", "", "Anne\u00adMarie", "annemarie", ""},
	{"ln", "", "d41d8cd9-8f00b204e9800998ecf8427e", "!md5_not_supported", ""},
	{"ln", "", "62a14e44 f765419d 10fea993 67361a72 7c12365e 2520f322 18d505ed 9aa0f62f", digest, ""},

	{"db", "", "2000-02-29", "20000229", ""},
	{"db", "", "1900-02-29", "!dob_invalid", ""},
	{"db", "", "2026-11-21", "20261121", ""},
	{"db", "", "2026-11-22", "!dob_out_of_range", ""},
	{"db", "", "20261122", "!dob_out_of_range", ""},
	{"db", "", "1990-13-02", "19900213", ""},
	{"db", "", "13/14/1990", "!dob_invalid", ""},
	{"db", "", "03/03/1990", "19900303", ""},
	{"db", "", "03/04/1990", "19900304", "dob_ambiguous"},
	{"db", "", "1990 - 2 - 3", "19900203", ""},
	{"db", "", "1990-02-03 14:00:00+01:00", "19900203", ""},
	{"db", "", "1990-02-03 noon: now", "!dob_invalid", ""},
	{"db", "", "1990-02-1990", "!dob_invalid", ""},
	{"db", "", "1-1990-2", "!dob_invalid", ""},
	{"db", "", "199-02-03", "!dob_invalid", ""},
	{"db", "", "1990-02", "!dob_invalid", ""},
	{"db", "", "1990-02-03-04", "!dob_invalid", ""},
	{"db", "", "1990", "!dob_invalid", ""},
	{"db", "", "0", "!dob_invalid", ""},

	{"ge", "", "Woman", "f", ""}, {"ge", "", "man", "m", ""}, {"ge", "", "Mr", "!gender_unsupported", ""}, {"ge", "", "x", "!gender_unsupported", ""},
	{"ct", "", "O'Fallon, IL", "ofallonil", ""}, {"ct", "", "ʻEwa Beach", "ʻewabeach", ""},
	{"st", "", "Georgia", "ga", ""}, {"st", "ge", "Tbilisi", "tbilisi", ""}, {"st", "us", "DC", "dc", ""}, {"st", "us", "xx", "!us_state_unknown", ""}, {"st", "", "xx", "xx", ""},
	{"st", "", "!", "!empty", ""},
	{"zp", "us", "94035–1234", "94035", ""}, {"zp", "us", "9403512345", "!us_zip_invalid", ""}, {"zp", "", "94035 1234", "94035", ""}, {"zp", "de", "10115 ", "10115", ""},
	{"zp", "", "1", "!zip_invalid", ""}, {"zp", "", "A_1", "!zip_invalid", ""}, {"zp", "jp", "〒100-0001", "!zip_invalid", ""}, {"zp", "", "１０１", "１０１", ""},
	{"zp", "us", "abcde", "!us_zip_invalid", ""},

	{"client_ip_address", "", "[2001:db8::1]", "!ip_invalid", ""}, {"client_ip_address", "", "203.0.113.7:443", "!ip_invalid", ""},
	{"client_ip_address", "", "fe80::1%eth0", "!ip_invalid", ""}, {"client_ip_address", "", "::1", "::1", "ip_private"},
	{"client_ip_address", "", "::ffff:10.0.0.1", "::ffff:10.0.0.1", "ip_private"}, {"client_ip_address", "", "0.0.0.0", "0.0.0.0", "ip_private"},
	{"madid", "", "AECE52E703EE455AB3C4E57283966239", "!madid_invalid", ""}, {"madid", "", "AECE52E7-03EE-455A-B3C4-E5728396623G", "!madid_invalid", ""},
	{"madid", "", "AECE52E7-03EE-455A-B3C4-E57283966239", "AECE52E7-03EE-455A-B3C4-E57283966239", ""},
	{"lead_id", "", "123456789012345", "123456789012345", ""}, {"lead_id", "", "123456789012345678", "!lead_id_invalid", ""},
	{"lead_id", "", "012345678901234", "!lead_id_invalid", ""},
	{"page_scoped_user_id", "", "x", "!not_numeric", ""}, {"ig_sid", "", "١٢٣", "!not_numeric", ""},
	{"fbp", "", digest, "!hashed_not_allowed", ""}, {"client_user_agent", "", digest, "!hashed_not_allowed", ""},
	{"client_user_agent", "", "  curl/8 ", "curl/8", ""},
	{"fi", "", "m", "!not_hashed", ""}, {"fi", "", strings.ToUpper(digest), digest, ""},
}

func TestNormalizeCases(t *testing.T) {
	t.Parallel()
	for _, tt := range normalizeCases {
		t.Run(tt.field+"/"+tt.country+"/"+tt.input[:min(len(tt.input), 40)], func(t *testing.T) {
			t.Parallel()
			field, ok := capi.ParseField(tt.field)
			if !ok {
				t.Fatalf("no field %s", tt.field)
			}
			got, err := capi.Normalize(field, tt.input, tt.country, capi.NormalizeOptions{Now: vectorDay})
			if code, wrong := strings.CutPrefix(tt.want, "!"); wrong {
				if capi.CodeOf(err) != code {
					t.Fatalf("got %+v, %v; want %s", got, err, code)
				}
				return
			}
			if err != nil || got.Value != tt.want || got.Warning != tt.warning {
				t.Fatalf("got %+v, %v; want %q, warning %q", got, err, tt.want, tt.warning)
			}
		})
	}
}

func TestNormalizeExternalID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode      capi.ExternalIDMode
		in, value string
		hashed    bool
	}{
		{capi.ExternalIDSHA256, " AbC 1 ", "AbC 1", true},
		{capi.ExternalIDSHA256Lower, " AbC\u00a01 ", "abc1", true},
		{capi.ExternalIDRaw, " AbC 1 ", "AbC 1", false},
		{capi.ExternalIDRaw, strings.ToUpper(digest), strings.ToUpper(digest), false},
	}
	for _, tt := range tests {
		got, err := capi.Normalize(capi.FieldExternalID, tt.in, "", capi.NormalizeOptions{ExternalID: tt.mode})
		if err != nil || got.Value != tt.value || (got.SHA256 != "") != tt.hashed {
			t.Errorf("%s: got %+v, %v; want %q", tt.mode, got, err, tt.value)
		}
	}
}

// TestNormalizeErrorIsAFault: an error carries its sentence and its remedy.
func TestNormalizeErrorIsAFault(t *testing.T) {
	t.Parallel()
	_, err := capi.Normalize(capi.FieldEmail, "secret-person", "", capi.NormalizeOptions{Now: time.Now})
	var normalizeErr *capi.NormalizeError
	if !errors.As(err, &normalizeErr) {
		t.Fatalf("%T", err)
	}
	f := normalizeErr.Fault()
	if f.Code != capi.CodeInvalidEmail || f.Effect != capi.Drop || f.Message == "" || strings.Contains(err.Error()+f.Message+f.Fix, "secret") {
		t.Errorf("%+v", f)
	}
	if capi.CodeOf(nil) != "" {
		t.Error("no error has a code")
	}
}
