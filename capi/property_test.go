package capi_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sluice/capi"
)

// anyText draws short text that is as often ordinary as it is odd.
var anyText = rapid.OneOf(
	rapid.SampledFrom([]string{"", "", "a", "Mary", "O’Brien", "Zoë", "ΟΔΥΣΣΕΥΣ", "İstanbul", " x ", "x\x00y", "\xff", "\"\\", "\u2028", "😀", "e\u0301"}),
	rapid.String(),
)

func texts(g *rapid.Generator[string]) *rapid.Generator[[]string] { return rapid.SliceOfN(g, 0, 3) }

func optional[T any](g *rapid.Generator[T]) *rapid.Generator[capi.Optional[T]] {
	return rapid.Custom(func(t *rapid.T) capi.Optional[T] {
		if !rapid.Bool().Draw(t, "set") {
			return capi.Optional[T]{}
		}
		return capi.Some(g.Draw(t, "value"))
	})
}

var amounts = rapid.OneOf(
	rapid.Custom(func(t *rapid.T) capi.Decimal { return capi.Decimal(rapid.Int64Range(0, 1e16).Draw(t, "large")) }),
	rapid.Custom(func(t *rapid.T) capi.Decimal { return capi.Decimal(rapid.Int64Range(0, 1e9).Draw(t, "cents")) }),
	rapid.Custom(func(t *rapid.T) capi.Decimal { return capi.Decimal(rapid.Int64Range(0, 1<<63-1).Draw(t, "any")) }),
)

// anyEvent draws events of which a good part is accepted.
var anyEvent = rapid.Custom(func(t *rapid.T) capi.Event {
	usually := func(good string, label string) string {
		if rapid.IntRange(0, 49).Draw(t, label+" odd") == 0 {
			return anyText.Draw(t, label)
		}
		return good
	}
	one := func(values ...string) *rapid.Generator[string] {
		return rapid.OneOf(rapid.SampledFrom(values), rapid.SampledFrom(values), anyText)
	}
	now := testNow().Unix()
	ev := capi.Event{
		EventName:      rapid.SampledFrom([]string{"Purchase", "Purchase", "Lead", "Search", "purchase", "Our Stage"}).Draw(t, "name"),
		EventTime:      now - rapid.OneOf(rapid.Int64Range(-60, 7*24*3600), rapid.Int64Range(-120, 70*24*3600)).Draw(t, "age"),
		EventID:        usually("id-1", "id"),
		ActionSource:   capi.ActionSource(rapid.SampledFrom([]string{"website", "website", "physical_store", "physical_store", "system_generated", "other", "phone_call", "app"}).Draw(t, "source")),
		EventSourceURL: usually("https://shop.example.com/é?x=1", "url"),
		ReferrerURL:    rapid.SampledFrom([]string{"", "http://example.com", "x"}).Draw(t, "referrer"),
		OptOut:         optional(rapid.Bool()).Draw(t, "opt out"),
		UserData: capi.UserData{
			Email:           texts(one("anna@example.com", "Bob@Example.com", digest, "nobody")).Draw(t, "em"),
			Phone:           texts(one("+447700900123", "07700 900123", "+1 (650) 555-0123")).Draw(t, "ph"),
			FirstName:       texts(anyText).Draw(t, "fn"),
			LastName:        texts(anyText).Draw(t, "ln"),
			BirthDate:       texts(one("1990-02-03", "2/16/1997")).Draw(t, "db"),
			Gender:          texts(one("f", "Male")).Draw(t, "ge"),
			City:            texts(anyText).Draw(t, "ct"),
			State:           texts(one("ca", "Ontario")).Draw(t, "st"),
			Zip:             texts(one("94035-1234", "M1 1AE")).Draw(t, "zp"),
			Country:         texts(one("us", "GB", "Germany")).Draw(t, "country"),
			ExternalID:      texts(anyText).Draw(t, "external id"),
			ClientIPAddress: rapid.SampledFrom([]string{"203.0.113.7", "2001:db8::1", "x"}).Draw(t, "ip"),
			ClientUserAgent: usually("Mozilla/5.0", "ua"),
			FBC:             rapid.SampledFrom([]string{"", "fb.1.1795000000000.IwAR0", "x"}).Draw(t, "fbc"),
			FBP:             rapid.SampledFrom([]string{"", "fb.1.1795000000000.12345", "x"}).Draw(t, "fbp"),
			LeadID:          rapid.SampledFrom([]string{"", "12345678901234567", "1"}).Draw(t, "lead"),
			SubscriptionID:  anyText.Draw(t, "subscription"),
		},
		CustomData: capi.CustomData{
			Currency:     rapid.SampledFrom([]string{"EUR", "usd", "JPY", "EUR", "usd", "JPY", "CHF", "x"}).Draw(t, "currency"),
			Value:        capi.Some(amounts.Draw(t, "value")),
			NetRevenue:   optional(amounts).Draw(t, "revenue"),
			ContentIDs:   texts(anyText).Draw(t, "content ids"),
			ContentName:  usually("name", "content name"),
			OrderID:      usually("1001", "order"),
			NumItems:     optional(rapid.Int64Range(0, 1<<53-1)).Draw(t, "items"),
			SearchString: usually("größe \u2028 \"42\"\t", "search"),
		},
	}
	for range rapid.IntRange(0, 2).Draw(t, "contents") {
		ev.CustomData.Contents = append(ev.CustomData.Contents, capi.Content{
			ID: usually("sku", "sku"), Quantity: optional(rapid.Int64Range(1, 5)).Draw(t, "quantity"), ItemPrice: optional(amounts).Draw(t, "price"), Title: usually("Title", "title"),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "properties") {
		ev.CustomData.Properties = append(ev.CustomData.Properties, capi.Property{
			Key:  usually(fmt.Sprintf("prop_%d", 9-i), "key"),
			JSON: rapid.SampledFrom([]string{"1", "1.50", "1e3", `"x"`, `"\u00e9"`, `{"b":1,"a":[true,null]}`, "true", "-0", "[]", " 0.1 ", "1e-7", `{"z":{"y":[1,2.0]},"\\u007a2":"\\/"}`}).Draw(t, "json"),
		})
	}
	if rapid.IntRange(0, 3).Draw(t, "ldu") == 0 {
		ev.DataProcessing = &capi.DataProcessing{Options: []string{"LDU"}, Country: capi.Some(int64(1)), State: capi.Some(rapid.SampledFrom([]int64{0, 1000}).Draw(t, "state"))}
	}
	return ev
})

var anyOptions = rapid.Custom(func(t *rapid.T) capi.Options {
	return capi.Options{
		Now:                   testNow,
		DefaultCountry:        rapid.SampledFrom([]string{"", "GB", "us"}).Draw(t, "default country"),
		ExternalID:            rapid.SampledFrom([]capi.ExternalIDMode{capi.ExternalIDSHA256, capi.ExternalIDSHA256Lower, capi.ExternalIDRaw}).Draw(t, "external id mode"),
		OfflineWindow:         rapid.SampledFrom([]capi.OfflineWindow{capi.Offline62Days, capi.OfflineStrict7}).Draw(t, "window"),
		AllowMissingUserAgent: rapid.Bool().Draw(t, "without user agent"),
	}
})

// TestEncodeProperties holds what must be true of every event: the same bytes each
// time and from each encoder, nothing written when refused, canonical form, no
// fault in CheckWire, and a parse that encodes to the same bytes.
func TestEncodeProperties(t *testing.T) {
	t.Parallel()
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		opts := anyOptions.Draw(t, "options")
		enc, err := capi.NewEncoder(opts)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := capi.NewEncoder(opts)
		before := []byte("before")
		var wire []byte
		for range 3 {
			ev := anyEvent.Draw(t, "event")
			dst, report := enc.Append(bytes.Clone(before), &ev)
			if !bytes.HasPrefix(dst, before) {
				t.Fatalf("the bytes before changed: %q", dst)
			}
			wire = dst[len(before):]
			faults := faultText(report.Faults)
			for _, f := range report.Faults {
				if strings.Contains(f.Message+f.Fix, "example.com") {
					t.Fatalf("a fault repeats a value: %+v", f)
				}
			}
			again, second := other.Append(nil, &ev)
			if !bytes.Equal(again, wire) || faultText(second.Faults) != faults {
				t.Fatalf("not deterministic:\n%s\n%s\n%s", wire, again, cmp.Diff(faults, faultText(second.Faults)))
			}
			if report.Refused() {
				if len(wire) != 0 {
					t.Fatalf("refused and written: %s", wire)
				}
				continue
			}
			accepted++
			if !report.Keys.Sufficient() {
				t.Fatalf("accepted with %s", report.Keys)
			}
			// lead_id is the documented exception.
			if diff := isCanonical(bytes.ReplaceAll(wire, []byte("12345678901234567"), []byte("1"))); diff != "" {
				t.Fatalf("not canonical: %s", diff)
			}
			check := capi.CheckOptions{Now: testNow, OfflineWindow: opts.OfflineWindow, AllowMissingUserAgent: opts.AllowMissingUserAgent}
			if found := capi.CheckWire(wire, check); found != nil {
				t.Fatalf("CheckWire: %s\n%s", faultText(found), wire)
			}
			parsed, found := capi.ParseEvent(wire)
			if found != nil {
				t.Fatalf("ParseEvent: %s\n%s", faultText(found), wire)
			}
			if round, r := enc.Append(nil, &parsed); !bytes.Equal(round, wire) {
				t.Fatalf("the parsed event encodes otherwise (%s):\n%s\n%s", faultText(r.Faults), wire, round)
			}
		}
	})
	t.Logf("%d events accepted", accepted)
	if accepted == 0 {
		t.Error("no event was accepted: the property was not tested")
	}
}

// TestCheckWireNoticesDamage deletes or changes one byte of a good event. Where
// the result is still JSON with the same values, nothing may be found; in hashed
// values and structure everything must be.
func TestCheckWireNoticesDamage(t *testing.T) {
	t.Parallel()
	ev := visit()
	wire, report := newEncoder(t, capi.Options{}).Append(nil, &ev)
	if report.Refused() {
		t.Fatal(report.Faults)
	}
	opts := capi.CheckOptions{Now: testNow}
	for i, b := range wire {
		if strings.IndexByte(`{}[]":,`, b) < 0 {
			continue
		}
		if i > 0 && bytes.Contains(wire[max(0, i-60):i+1], []byte("https:")) {
			continue // punctuation inside a URL is data
		}
		if capi.CheckWire(append(bytes.Clone(wire[:i]), wire[i+1:]...), opts) == nil {
			t.Errorf("nothing found after byte %d (%q) was deleted", i, b)
		}
	}
	user := bytes.Index(wire, []byte(`"em"`))
	for i := user + len(`"em":["`); wire[i] != '"'; i++ {
		spoilt := bytes.Clone(wire)
		spoilt[i] = 'G'
		if capi.CheckWire(spoilt, opts) == nil {
			t.Errorf("nothing found after digit %d of a hash was changed", i)
		}
	}
}

func TestDecimalProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := capi.Decimal(rapid.Int64().Draw(t, "d"))
		back, err := capi.ParseDecimal(d.String())
		if err != nil || back != d {
			t.Fatalf("%d is written as %s and read as %d (%v)", d, d, back, err)
		}
		e := capi.Decimal(rapid.Int64().Draw(t, "e"))
		sum, ok := d.Add(e)
		if exact := int64(d)>>1 + int64(e)>>1; ok != (exact < 1<<62 && exact >= -1<<62) && exact != 1<<62-1 {
			t.Fatalf("%d + %d = %d, in range %t", d, e, sum, ok)
		}
		if ok {
			if undone, ok := sum.Add(-e); e != -1<<63 && (!ok || undone != d) {
				t.Fatalf("%d + %d - %d = %d", d, e, e, undone)
			}
		}
		n := rapid.Int64Range(-1000, 1000).Draw(t, "n")
		small := d / 1000
		if product, ok := small.MulInt(n); !ok || int64(product) != int64(small)*n {
			t.Fatalf("%d · %d = %d, in range %t", small, n, product, ok)
		}
	})
}
