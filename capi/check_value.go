package capi

import (
	"bytes"
	"net/netip"
	"slices"
)

// scalar judges one text, number or truth value.
func (c *checker) scalar(m *wireMember) {
	var ok bool
	switch kind := c.kind(); m.kind {
	case wireText, wireEnum, wireURL, wireDigits, wireUser:
		ok = kind == '"'
	case wireInt, wireCount, wireID, wireNumber, wireAmount, wireFlag:
		ok = kind == '0'
	case wireBool:
		ok = kind == 't' || kind == 'f'
	case wireLDU:
		ok = kind == '['
	}
	if !ok {
		c.mismatch()
		return
	}
	raw := c.raw()
	if c.broken {
		return
	}
	c.facts.seen |= m.fact
	var code string
	switch m.kind {
	case wireText, wireEnum, wireURL, wireDigits, wireUser:
		text := unquote(raw)
		c.facts.setText(m.fact, text)
		code = c.textCode(m, text)
	case wireBool:
	case wireLDU:
		c.facts.setText(hasLDU, raw)
		code = lduCode(raw)
	default:
		code = c.numberCode(m, raw)
	}
	if code != "" {
		c.fault(code)
	}
}

func (c *checker) textCode(m *wireMember, text []byte) string {
	switch {
	case m.kind == wireUser:
		c.facts.keys |= m.user
		return userCode(m.name, text)
	case len(bytes.TrimSpace(text)) == 0:
		return emptyTextCode(m)
	case len(text) > maxTextBytes:
		return CodeTextTooLong
	case m.kind == wireEnum && !slices.Contains(m.enum, string(text)):
		return enumCodes[m.name]
	case m.kind == wireURL && !wireHTTP(text):
		if m.fact == hasEventSourceURL {
			return CodeBadEventSourceURL
		}
		return CodeBadReferrerURL
	case m.kind == wireDigits && !allDigits(text):
		return CodeBadStoreID
	}
	switch {
	case m.fact == hasCurrency:
		// Sluice writes upper case only; Meta's tolerance is for others.
		if _, ok := currencies[string(text)]; !ok {
			return CodeBadCurrency
		}
	case m.name == "store_code" && (len(text) > maxStoreCode || !alphanumeric(text)):
		return CodeBadStoreCode
	}
	return ""
}

// enumCodes names the fault of a text that is not in its list.
var enumCodes = map[string]string{
	"action_source":         CodeBadActionSource,
	"attribution_method":    CodeBadAttributionProperty,
	"attribution_model":     CodeBadAttributionProperty,
	"customer_segmentation": CodeBadCustomerSegmentation,
	"delivery_category":     CodeBadDeliveryCategory,
	"messaging_channel":     CodeBadMessagingChannel,
}

// emptyTextCode: what is absent is left out, so an empty text is never right.
func emptyTextCode(m *wireMember) string {
	switch m.fact {
	case hasEventName:
		return CodeMissingEventName
	case hasContentID:
		return CodeMissingContentID
	default:
		return CodeEmpty
	}
}

// wireHTTP wants a scheme, a host and no blanks.
func wireHTTP(text []byte) bool {
	lower := bytes.ToLower(text[:min(len(text), len("https://"))])
	rest, ok := bytes.CutPrefix(lower, []byte("http"))
	if !ok {
		return false
	}
	rest = bytes.TrimPrefix(rest, []byte("s"))
	host := text[len(lower)-len(rest):]
	host, ok = bytes.CutPrefix(host, []byte("://"))
	return ok && len(host) > 0 && bytes.IndexByte([]byte("/?#:"), host[0]) < 0 && bytes.IndexFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
}

// numberCode judges the text of a number: doubles and exponents never get here by
// right.
func (c *checker) numberCode(m *wireMember, raw []byte) string {
	digits, negative := bytes.CutPrefix(raw, []byte("-"))
	whole, fraction, pointed := bytes.Cut(digits, []byte("."))
	if !allDigits(whole) || pointed && !allDigits(fraction) {
		return CodeBadNumber
	}
	if m.kind == wireNumber || m.kind == wireAmount {
		switch {
		case len(fraction) > decimalPlaces:
			return CodeBadNumber
		case len(whole)+len(fraction) > maxNumberDigits:
			return CodeNumberTooLarge
		case m.kind == wireAmount && negative:
			return negativeCodes[m.name]
		case m.fact == hasShare && !(len(whole) == 1 && (whole[0] == '0' || whole[0] == '1' && len(bytes.Trim(fraction, "0")) == 0)):
			return CodeBadAttributionShare
		}
		return ""
	}
	if pointed {
		return CodeWrongType
	}
	if m.kind == wireID {
		c.facts.keys |= m.user
		if m.user.Has(FieldLeadID) && (negative || len(whole) < minLeadIDDigits || len(whole) > maxLeadIDDigits) {
			return CodeLeadIDInvalid
		}
		if negative || len(whole) > 19 || len(whole) == 19 && string(whole) > "9223372036854775807" {
			return CodeNotNumeric
		}
		return ""
	}
	n, ok := wireInteger(whole)
	switch {
	case !ok:
		return CodeNumberTooLarge
	case negative:
		n = -n
	}
	c.facts.setInt(m.fact, n)
	switch {
	case m.kind == wireFlag && n != 0 && n != 1:
		return CodeWrongType
	case m.kind == wireCount && n < 0:
		return CodeBadNumItems
	case m.fact == hasQuantity && n < 1:
		return CodeBadQuantity
	}
	return ""
}

// maxNumberDigits is how many digits a Decimal can have.
const maxNumberDigits = 19

var negativeCodes = map[string]string{
	"value":             CodeNegativeValue,
	"predicted_ltv":     CodeNegativeValue,
	"item_price":        CodeNegativeItemPrice,
	"attribution_share": CodeBadAttributionShare,
}

// wireInteger reads digits of at most 2^53-1.
func wireInteger(digits []byte) (int64, bool) {
	if len(digits) > 16 {
		return 0, false
	}
	var n int64
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	return n, n <= maxExactInt
}

// lduCode wants [] or ["LDU"], with or without white space.
func lduCode(raw []byte) string {
	inner := bytes.TrimSpace(raw[1 : len(raw)-1])
	if len(inner) == 0 || string(inner) == `"LDU"` {
		return ""
	}
	return CodeBadLDUOption
}

// userCode judges customer information that is sent in clear.
func userCode(name string, text []byte) string {
	if len(text) == 0 {
		return CodeEmpty
	}
	if len(text) > maxIdentifierBytes {
		return CodeTooLong
	}
	if len(text) == hexDigestLen && wireHash(bytes.ToLower(text)) {
		return CodeHashedNotAllowed
	}
	switch name {
	case "client_ip_address":
		if addr, err := netip.ParseAddr(string(text)); err != nil || addr.Zone() != "" {
			return CodeIPInvalid
		}
	case "fbc":
		if !wireCookie(text, false) {
			return CodeFBCInvalid
		}
	case "fbp":
		if !wireCookie(text, true) {
			return CodeFBPInvalid
		}
	case "madid":
		return madIDCode(text)
	case "page_id", "page_scoped_user_id", "ig_account_id", "ig_sid", "instagram_business_account_id", "whatsapp_business_account_id":
		if !allDigits(text) {
			return CodeNotNumeric
		}
	}
	return ""
}

// wireCookie splits fb.1.<13 digits>.<payload>[.<appendix>] at its points.
func wireCookie(text []byte, numeric bool) bool {
	parts := bytes.Split(text, []byte("."))
	if len(parts) != 4 && len(parts) != 5 {
		return false
	}
	if string(parts[0]) != "fb" || len(parts[1]) != 1 || !allDigits(parts[1]) || len(parts[2]) != 13 || !allDigits(parts[2]) || len(parts[3]) == 0 {
		return false
	}
	if len(parts) == 5 && !isAppendix(parts[4]) {
		return false
	}
	if numeric {
		return allDigits(parts[3])
	}
	return bytes.IndexFunc(parts[3], func(r rune) bool { return isBlank(r) || r < ' ' }) < 0
}

func madIDCode(text []byte) string {
	groups := bytes.Split(text, []byte("-"))
	if len(groups) != 5 {
		return CodeMadIDInvalid
	}
	for i, size := range []int{8, 4, 4, 4, 12} {
		if len(groups[i]) != size || bytes.IndexFunc(groups[i], func(r rune) bool {
			return !('0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F')
		}) >= 0 {
			return CodeMadIDInvalid
		}
	}
	if len(bytes.Trim(text, "0-")) == 0 {
		return CodeMadIDZero
	}
	return ""
}

// allDigits reports one or more ASCII digits.
func allDigits(text []byte) bool {
	for _, b := range text {
		if b < '0' || b > '9' {
			return false
		}
	}
	return len(text) > 0
}

func alphanumeric(text []byte) bool {
	for _, b := range text {
		if !('0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z') {
			return false
		}
	}
	return true
}
