package capi

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Cookie is a parsed _fbc or _fbp value: fb.<subdomain index>.<creation time in
// milliseconds>.<payload>, with the appendix of Meta's parameter builder if it
// had one.
type Cookie struct {
	// SubdomainIndex is 0 for com, 1 for example.com, 2 for www.example.com. A
	// server that has no cookie writes 1.
	SubdomainIndex int
	// Created is when the cookie was stored or, without a cookie, when the click
	// id was first seen. It must not move forward on later events.
	Created time.Time
	// Payload is the fbclid of an fbc, exactly as it stood in the URL, or the
	// random number of an fbp.
	Payload string
	// Appendix is "" or the parameter builder's mark.
	Appendix string
}

// Errors of the cookie functions. Each text is a stable code.
var (
	ErrFBCInvalid = errors.New(CodeFBCInvalid)
	ErrFBPInvalid = errors.New(CodeFBPInvalid)
)

const cookieMillisDigits = 13

// ParseFBC reads an fbc value.
func ParseFBC(s string) (Cookie, error) {
	c, ok := parseCookie(s, false)
	if !ok {
		return Cookie{}, ErrFBCInvalid
	}
	return c, nil
}

// ParseFBP reads an fbp value.
func ParseFBP(s string) (Cookie, error) {
	c, ok := parseCookie(s, true)
	if !ok {
		return Cookie{}, ErrFBPInvalid
	}
	return c, nil
}

// parseCookie accepts ^fb\.\d\.\d{13}\.payload(\.appendix)?$, the payload being
// digits for an fbp and neither points nor blanks for an fbc.
func parseCookie(s string, numeric bool) (Cookie, bool) {
	const head = len("fb.1.")
	const payloadAt = head + cookieMillisDigits + 1
	if len(s) <= payloadAt || s[:3] != "fb." || s[3]-'0' > 9 || s[4] != '.' ||
		!isDigits(s[head:payloadAt-1]) || s[payloadAt-1] != '.' {
		return Cookie{}, false
	}
	payload, appendix, marked := strings.Cut(s[payloadAt:], ".")
	if payload == "" || marked && !isAppendix(appendix) || numeric && !isDigits(payload) || hasBlankOrControl(payload) {
		return Cookie{}, false
	}
	var millis int64
	for _, d := range []byte(s[head : payloadAt-1]) {
		millis = millis*10 + int64(d-'0')
	}
	return Cookie{int(s[3] - '0'), time.UnixMilli(millis), payload, appendix}, true
}

// String returns the wire form.
func (c Cookie) String() string {
	s := fmt.Sprintf("fb.%d.%0*d.%s", c.SubdomainIndex, cookieMillisDigits, c.Created.UnixMilli(), c.Payload)
	if c.Appendix != "" {
		s += "." + c.Appendix
	}
	return s
}

// BuildFBC makes the fbc of a click whose _fbc cookie was not stored, from the
// fbclid query parameter (decoded once, case kept) and the time that fbclid was
// first seen. It uses subdomain index 1, as Meta asks of servers.
func BuildFBC(fbclid string, firstSeen time.Time) (string, error) {
	fbc := Cookie{SubdomainIndex: 1, Created: firstSeen, Payload: fbclid}.String()
	if c, ok := parseCookie(fbc, false); !ok || c.Payload != fbclid || shapeOf(fbclid) == shapeSHA256 || !plausible(firstSeen) {
		return "", ErrFBCInvalid
	}
	return fbc, nil
}

// BuildFBP makes an fbp for a visitor without a cookie. random is any number; Meta
// uses integers below 2^31.
func BuildFBP(created time.Time, random uint32) (string, error) {
	fbp := Cookie{SubdomainIndex: 1, Created: created, Payload: strconv.FormatUint(uint64(random), 10)}.String()
	if _, ok := parseCookie(fbp, true); !ok || !plausible(created) {
		return "", ErrFBPInvalid
	}
	return fbp, nil
}

// plausible reports a time that has thirteen digits in milliseconds by itself. An
// earlier one, before September 2001, is a zero time or seconds taken for more.
func plausible(t time.Time) bool { return t.UnixMilli() >= 1_000_000_000_000 }

// FBClidOf returns the fbclid of a landing-page URL, "" when there is none.
func FBClidOf(landingPage string) string {
	u, err := url.Parse(landingPage)
	if err != nil {
		return ""
	}
	return u.Query().Get("fbclid")
}

// KeepFBC decides what _fbc should hold after a visit: the stored cookie, unless
// the visit brought another click id.
func KeepFBC(stored, fbclid string, now time.Time) (string, error) {
	if fbclid == "" {
		return stored, nil
	}
	if c, err := ParseFBC(stored); err == nil && c.Payload == fbclid {
		return stored, nil
	}
	return BuildFBC(fbclid, now)
}
