package privacy_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"sluice/capi"
	"sluice/internal/privacy"
)

// encode is the event as it is sent.
func encode(t testing.TB, user capi.UserData, mode capi.ExternalIDMode) []byte {
	t.Helper()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e, err := capi.NewEncoder(capi.Options{Now: func() time.Time { return now }, ExternalID: mode})
	if err != nil {
		t.Fatal(err)
	}
	ev := capi.Event{EventName: "Purchase", EventID: `odd","user_data":{"em":["x"]`, EventTime: now.Unix() - 60, ActionSource: capi.PhysicalStore, UserData: user}
	ev.CustomData.OrderID = "1"
	ev.CustomData.Currency = "GBP"
	ev.CustomData.Value = capi.Some(capi.Decimal(10000))
	out, report := e.Append(nil, &ev)
	for _, f := range report.Faults {
		if f.Effect == capi.Refuse {
			t.Fatalf("%+v", f)
		}
	}
	return bytes.Clone(out)
}

func tags(t testing.TB, field capi.Field, value, country string) []privacy.Tag {
	t.Helper()
	digests, err := privacy.Normalized(field, value, country)
	if err != nil {
		t.Fatal(err)
	}
	tagger := privacy.NewTagger(make([]byte, 32))
	var out []privacy.Tag
	for _, d := range digests {
		out = append(out, tagger.Tag(field, d))
	}
	return out
}

func TestTagsOfAnEvent(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("buyer@example.com"))
	for name, c := range map[string]struct {
		user  capi.UserData
		mode  capi.ExternalIDMode
		field capi.Field
		value string
	}{
		"plain e-mail":             {user: capi.UserData{Email: []string{" Buyer@Example.com"}}, field: capi.FieldEmail, value: "buyer@example.com"},
		"e-mail that came hashed":  {user: capi.UserData{Email: []string{hex.EncodeToString(sum[:])}}, field: capi.FieldEmail, value: "BUYER@example.com"},
		"second e-mail":            {user: capi.UserData{Email: []string{"other@example.com", "buyer@example.com"}}, field: capi.FieldEmail, value: "buyer@example.com"},
		"phone":                    {user: capi.UserData{Phone: []string{"+44 7700 900123"}, Email: []string{"other@example.com"}}, field: capi.FieldPhone, value: "07700 900123"},
		"external id":              {user: capi.UserData{ExternalID: []string{" C-17 "}}, field: capi.FieldExternalID, value: "C-17"},
		"raw external id":          {user: capi.UserData{ExternalID: []string{`a"b\c`}, Email: []string{"other@example.com"}}, mode: capi.ExternalIDRaw, field: capi.FieldExternalID, value: `a"b\c`},
		"lower-cased external id":  {user: capi.UserData{ExternalID: []string{"C 17"}}, mode: capi.ExternalIDSHA256Lower, field: capi.FieldExternalID, value: "C 17"},
		"beside other identifiers": {user: capi.UserData{Email: []string{"buyer@example.com"}, FirstName: []string{"Mary"}, LeadID: "123456789012345"}, field: capi.FieldEmail, value: "buyer@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := privacy.NewTagger(make([]byte, 32)).Of(nil, encode(t, c.user, c.mode))
			list := privacy.NewList(got)
			if !list.Any(tags(t, c.field, c.value, "GB")) {
				t.Errorf("%s %q is not recognised in %d tags", c.field, c.value, len(got))
			}
			if list.Any(tags(t, capi.FieldExternalID, "somebody else", "")) {
				t.Error("somebody else is recognised")
			}
			if len(privacy.NewTagger(bytes.Repeat([]byte{1}, 32)).Of(nil, encode(t, c.user, c.mode))) != len(got) ||
				list.Any(privacy.NewTagger(bytes.Repeat([]byte{1}, 32)).Of(nil, encode(t, c.user, c.mode))) {
				t.Error("another profile's pepper gives the same tags")
			}
		})
	}
}

func hashOf(i int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return sum[:16]
}

func TestTagIsAnHMAC(t *testing.T) {
	t.Parallel()
	pepper, digest := bytes.Repeat([]byte{9}, 32), sha256.Sum256([]byte("buyer@example.com"))
	mac := hmac.New(sha256.New, pepper)
	mac.Write(append([]byte{1}, digest[:]...))
	tagger := privacy.NewTagger(pepper)
	for range 2 {
		if got := tagger.Tag(capi.FieldEmail, digest); !bytes.Equal(got[:], mac.Sum(nil)[:16]) {
			t.Fatalf("tag %x, want %x", got, mac.Sum(nil)[:16])
		}
	}
}

func TestIndexFindsAndForgets(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	x, err := privacy.NewIndex(key)
	if err != nil {
		t.Fatal(err)
	}
	tag := func(i int) privacy.Tag { return privacy.Tag(hashOf(i)) }
	place := func(i int) privacy.Span { return privacy.Span{Offset: int64(16 + 100*i), Length: 90 + i%10} }
	var parts []privacy.Part
	const events = 60_000
	for i := range events {
		x.Add([]privacy.Tag{tag(i % 50_000), tag(100_000 + i)}, place(i))
		parts = append(parts, x.Take(false)...)
	}
	parts = append(parts, x.Take(true)...)
	if len(parts) < 2 {
		t.Fatalf("%d parts: the case needs several", len(parts))
	}
	find := func(who privacy.Tag) (out []privacy.Span) {
		t.Helper()
		f := privacy.NewFinder(privacy.NewList([]privacy.Tag{who}))
		for _, p := range parts {
			found, err := f.In(key, p)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, found...)
		}
		return out
	}
	if got, want := find(tag(42)), []privacy.Span{place(42), place(50_042)}; !slices.Equal(got, want) {
		t.Fatalf("found %d places, want %v", len(got), want)
	}
	gone := map[int64]bool{place(42).Offset: true, place(50_042).Offset: true}
	for i := range parts {
		if parts[i], err = privacy.Without(key, parts[i], gone); err != nil {
			t.Fatal(err)
		}
	}
	if got := find(tag(42)); len(got) != 0 {
		t.Errorf("forgotten, and found at %d places", len(got))
	}
	if got := find(tag(43)); !slices.Equal(got, []privacy.Span{place(43), place(50_043)}) {
		t.Errorf("somebody else is at %v", got)
	}
	if _, err := privacy.NewFinder(privacy.NewList(nil)).In(bytes.Repeat([]byte{8}, 32), parts[0]); err == nil {
		t.Error("the index opens with another key")
	}
}

func BenchmarkTags(b *testing.B) {
	event := encode(b, capi.UserData{Email: []string{"buyer@example.com"}, Phone: []string{"+447700900123"}, ExternalID: []string{"C-17"}}, 0)
	tagger := privacy.NewTagger(make([]byte, 32))
	var out []privacy.Tag
	for b.Loop() {
		out = tagger.Of(out[:0], event)
	}
	if len(out) != 3 {
		b.Fatal(out)
	}
}
