package nodesdk_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

// SDK and capi must hash one plain input alike wherever both follow Meta's
// documents. Left out are inputs where SDK 24 leaves them, or they are silent:
// inner spaces and punctuation of names, postcodes cut at a dash, states and
// countries by name, dots in phone numbers, and external_id, which it never hashes.
func TestHashesEqualTheSDKs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		user map[string]string
	}{
		{"a documented e-mail address", map[string]string{"em": "John_Smith@gmail.com"}},
		{"e-mail with space and capitals", map[string]string{"em": "  Ada.Miller+news@Example.COM "}},
		{"US phone", map[string]string{"ph": "+1 (212) 555-0142", "country": "US"}},
		{"UK phone", map[string]string{"ph": "+44 7700 900123", "country": "gb"}},
		{"phone with leading zeros", map[string]string{"ph": "0044 7700 900123", "country": "GB"}},
		{"first and last name", map[string]string{"fn": "Mary", "ln": " SMITH "}},
		{"name with diacritics", map[string]string{"fn": "Valéry", "ln": "Müller"}},
		{"name in another script", map[string]string{"fn": "정", "ln": "Иванова"}},
		{"date of birth", map[string]string{"db": "19970216", "em": "db@example.com"}},
		{"gender, spelled out", map[string]string{"ge": "Female", "em": "ge@example.com"}},
		{"gender, initial", map[string]string{"ge": "M", "em": "ge@example.com"}},
		{"city with a space", map[string]string{"ct": "New York", "st": "NY", "country": "US", "ln": "Smith"}},
		{"city with diacritics", map[string]string{"ct": "São Paulo", "country": "BR", "ln": "Silva"}},
		{"US postcode", map[string]string{"zp": "94035", "country": "US", "ln": "Smith"}},
		{"US postcode with extension", map[string]string{"zp": "94035-1234", "country": "US", "ln": "Smith"}},
		{"UK postcode", map[string]string{"zp": "M1 1AE", "country": "GB", "ln": "Smith"}},
		{"already hashed", map[string]string{"em": "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"}},
		{"all nine", map[string]string{
			"em": "ada@example.com", "ph": "+442079460123", "fn": "Ada", "ln": "Miller", "db": "19800102",
			"ct": "London", "st": "England", "zp": "SW1A 2AA", "country": "GB",
		}},
	}
	at := time.Now().Add(-time.Hour)
	in := input{}
	for _, tt := range tests {
		in.Requests = append(in.Requests, []event{{
			Name: "Lead", Time: at.Unix(), ID: "e", Source: "phone_call", User: tt.user,
		}})
	}
	answers := runSDK(t, in)

	enc, err := capi.NewEncoder(capi.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, want := capiUserData(t, enc, at, tt.user), flatten(answers[i].Normalized[0].UserData)
			if len(want) != len(tt.user) {
				t.Fatalf("the SDK wrote %d keys of %d: %v", len(want), len(tt.user), want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("user_data of %v (-SDK +capi):\n%s", tt.user, diff)
			}
		})
	}
}

// capiUserData encodes an event of the same plain identifiers and returns what
// capi put on the wire.
func capiUserData(t *testing.T, enc *capi.Encoder, at time.Time, user map[string]string) map[string]string {
	t.Helper()
	list := func(key string) []string {
		if v := user[key]; v != "" {
			return []string{v}
		}
		return nil
	}
	wire, report := enc.Append(nil, &capi.Event{
		EventName: "Lead", EventTime: at.Unix(), EventID: "e", ActionSource: capi.PhoneCall,
		UserData: capi.UserData{
			Email: list("em"), Phone: list("ph"), FirstName: list("fn"), LastName: list("ln"), BirthDate: list("db"),
			Gender: list("ge"), City: list("ct"), State: list("st"), Zip: list("zp"), Country: list("country"),
		},
	})
	var body struct {
		UserData map[string]any `json:"user_data"`
	}
	if len(wire) == 0 {
		t.Fatalf("capi wrote nothing: %+v", report.Faults)
	}
	if err := json.Unmarshal(wire, &body); err != nil {
		t.Fatalf("capi wrote %q: %v", wire, err)
	}
	return flatten(body.UserData)
}

// flatten makes a list of one value that value: Meta reads both alike.
func flatten(userData map[string]any) map[string]string {
	flat := make(map[string]string, len(userData))
	for key, value := range userData {
		if list, ok := value.([]any); ok && len(list) == 1 {
			value = list[0]
		}
		text, ok := value.(string)
		if !ok {
			b, _ := json.Marshal(value)
			text = string(b)
		}
		flat[key] = text
	}
	return flat
}
