package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"sluice/internal/fault"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

const key = "0123456789abcdef"

// sign signs without using the code under test.
func sign(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	const body = `{"id":"evt_1","total":"9.50"}`
	at := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	hexed := func(when, body string) string {
		return "t=" + when + ",v1=" + hex.EncodeToString(sign(key, when+"."+body))
	}
	b64 := func(key, text string) string { return base64.StdEncoding.EncodeToString(sign(key, text)) }
	raw := "raw key of a sender"
	tests := []struct {
		name, scheme, secret string
		header               map[string]string
		delivery             string // empty: refused
	}{
		{"signed", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(0), body), "Sluice-Delivery": "d1"}, "d1"},
		{"five minutes off", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(-5*time.Minute), body), "Sluice-Delivery": "d1"}, "d1"},
		{"too late", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(-301*time.Second), body), "Sluice-Delivery": "d1"}, ""},
		{"too early", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(301*time.Second), body), "Sluice-Delivery": "d1"}, ""},
		{"another body", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(0), body+" "), "Sluice-Delivery": "d1"}, ""},
		{"another secret", "sluice", key + "x", map[string]string{"Sluice-Signature": hexed(at(0), body), "Sluice-Delivery": "d1"}, ""},
		{"a time that was not signed", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(0), body) + ",t=" + at(time.Second), "Sluice-Delivery": "d1"}, ""},
		{"no time", "sluice", key, map[string]string{"Sluice-Signature": hexed("", body), "Sluice-Delivery": "d1"}, ""},
		{"no signature", "sluice", key, map[string]string{"Sluice-Delivery": "d1"}, ""},
		{"the second of two signatures", "sluice", key, map[string]string{"Sluice-Signature": hexed(at(0), body)[:13] + ",v1=00," + hexed(at(0), body)[13:], "Sluice-Delivery": "d1"}, "d1"},
		{"stripe", "stripe", key, map[string]string{"Stripe-Signature": hexed(at(0), body)}, "evt_1"},
		{"stripe too late", "stripe", key, map[string]string{"Stripe-Signature": hexed(at(-time.Hour), body)}, ""},
		{"shopify", "shopify", key, map[string]string{"X-Shopify-Hmac-Sha256": b64(key, body), "X-Shopify-Webhook-Id": "w1"}, "w1"},
		{"shopify, another body", "shopify", key, map[string]string{"X-Shopify-Hmac-Sha256": b64(key, body+"x"), "X-Shopify-Webhook-Id": "w1"}, ""},
		{"shopify unsigned", "shopify", key, map[string]string{"X-Shopify-Webhook-Id": "w1"}, ""},
		{
			"standard", "standard", "whsec_" + base64.StdEncoding.EncodeToString([]byte(raw)),
			map[string]string{"Webhook-Id": "m1", "Webhook-Timestamp": at(0), "Webhook-Signature": "v1,AAAA v1," + b64(raw, "m1."+at(0)+"."+body)}, "m1",
		},
		{
			"standard, another id", "standard", key,
			map[string]string{"Webhook-Id": "m2", "Webhook-Timestamp": at(0), "Webhook-Signature": "v1," + b64(key, "m1."+at(0)+"."+body)}, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for name, value := range tt.header {
				h.Set(name, value)
			}
			delivery, err := schemeOf(tt.scheme).read([]byte(tt.secret), h, []byte(body), now)
			if tt.delivery == "" {
				if fault.CodeOf(err) != fault.SignatureInvalid {
					t.Errorf("got %q, %v; want it refused", delivery, err)
				}
			} else if err != nil || delivery != tt.delivery {
				t.Errorf("got %q, %v; want %q", delivery, err, tt.delivery)
			}
		})
	}
}
