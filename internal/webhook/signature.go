package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
)

// Scheme is how a sender signs.
type Scheme struct {
	Name string
	Text string // for help and docs
	// read returns the sender's id of the delivery, or why the signature is none.
	read func(secret []byte, h http.Header, body []byte, now time.Time) (string, error)
}

// Schemes lists them; the first is the default.
var Schemes = []Scheme{
	{"sluice", "Sluice-Signature: t=UNIX,v1=HEX over `UNIX.BODY`, Sluice-Delivery: ID", sluiceScheme},
	{"standard", "webhook-id, webhook-timestamp, webhook-signature: v1,BASE64 over `ID.UNIX.BODY`", standardScheme},
	{"stripe", "Stripe-Signature: t=UNIX,v1=HEX over `UNIX.BODY`; the delivery is the body's `id`", stripeScheme},
	{"shopify", "X-Shopify-Hmac-Sha256: BASE64 over the body, X-Shopify-Webhook-Id; it signs no time", shopifyScheme},
}

// tolerance is how far a sender's time may be off, either way.
const tolerance = 5 * time.Minute

func schemeOf(name string) *Scheme {
	for i := range Schemes {
		if Schemes[i].Name == name {
			return &Schemes[i]
		}
	}
	return nil
}

func unsigned(why string) error {
	return fault.New(fault.SignatureInvalid, "the delivery is not signed as it should be: %s", why)
}

// sum is the signature of parts joined by dots.
func sum(secret []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, secret)
	for i, p := range parts {
		if i > 0 {
			mac.Write([]byte{'.'})
		}
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// fresh refuses times outside the window: what was recorded can't be played again.
func fresh(text string, now time.Time) error {
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return unsigned("it names no time")
	}
	if now.Sub(time.Unix(at, 0)).Abs() > tolerance {
		return unsigned("its time is more than five minutes off")
	}
	return nil
}

func sluiceScheme(secret []byte, h http.Header, body []byte, now time.Time) (string, error) {
	return h.Get("Sluice-Delivery"), timed(secret, h.Get("Sluice-Signature"), body, now)
}

func stripeScheme(secret []byte, h http.Header, body []byte, now time.Time) (string, error) {
	if err := timed(secret, h.Get("Stripe-Signature"), body, now); err != nil {
		return "", err
	}
	var event struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(body, &event) // without an id the body's digest names it
	return event.ID, nil
}

// timed checks `t=UNIX,v1=HEX[,v1=HEX]`: several, while a secret is changed.
func timed(secret []byte, header string, body []byte, now time.Time) error {
	var at string
	var signatures [][]byte
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at = value
		case "v1":
			if s, err := hex.DecodeString(value); err == nil && len(signatures) < 8 {
				signatures = append(signatures, s)
			}
		}
	}
	want := sum(secret, []byte(at), body)
	for _, s := range signatures {
		if hmac.Equal(s, want) {
			return fresh(at, now)
		}
	}
	return unsigned("no signature fits")
}

func standardScheme(secret []byte, h http.Header, body []byte, now time.Time) (string, error) {
	if key, ok := strings.CutPrefix(string(secret), "whsec_"); ok {
		if raw, err := base64.StdEncoding.DecodeString(key); err == nil {
			secret = raw
		}
	}
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	want := sum(secret, []byte(id), []byte(at), body)
	for _, part := range strings.Fields(h.Get("Webhook-Signature")) {
		if text, ok := strings.CutPrefix(part, "v1,"); ok {
			if s, err := base64.StdEncoding.DecodeString(text); err == nil && hmac.Equal(s, want) {
				return id, fresh(at, now)
			}
		}
	}
	return "", unsigned("no signature fits")
}

func shopifyScheme(secret []byte, h http.Header, body []byte, _ time.Time) (string, error) {
	s, err := base64.StdEncoding.DecodeString(h.Get("X-Shopify-Hmac-Sha256"))
	if err != nil || !hmac.Equal(s, sum(secret, body)) {
		return "", unsigned("no signature fits")
	}
	return h.Get("X-Shopify-Webhook-Id"), nil
}
