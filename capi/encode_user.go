package capi

import (
	"crypto/sha256"
	"time"
)

// userData writes the customer information that survives, field by field in the
// order of the wire names.
func (e *Encoder) userData(dst []byte, u *UserData, eventTime int64) []byte {
	hint := e.hint(u)
	dst = appendKey(dst, "user_data")
	dst = append(dst, '{')
	dst = e.plain(dst, FieldAnonID, u.AnonID)
	dst = e.legacy(dst, FieldAppUserID, u)
	dst = e.plain(dst, FieldClientIPAddress, u.ClientIPAddress)
	dst = e.plain(dst, FieldClientUserAgent, u.ClientUserAgent)
	dst = e.list(dst, FieldCountry, u.Country, hint)
	dst = e.list(dst, FieldCity, u.City, hint)
	dst = e.plain(dst, FieldCTWAClid, u.CTWAClid)
	dst = e.list(dst, FieldBirthDate, u.BirthDate, hint)
	dst = e.legacy(dst, FieldBirthDay, u)
	dst = e.legacy(dst, FieldBirthMonth, u)
	dst = e.legacy(dst, FieldBirthYear, u)
	dst = e.list(dst, FieldEmail, u.Email, hint)
	dst = e.list(dst, FieldExternalID, u.ExternalID, hint)
	dst = e.legacy(dst, FieldFirstName5, u)
	dst = e.legacy(dst, FieldLastName5, u)
	dst = e.integer(dst, FieldFBLoginID, u.FBLoginID)
	dst = e.cookie(dst, FieldFBC, u.FBC, eventTime)
	dst = e.cookie(dst, FieldFBP, u.FBP, eventTime)
	dst = e.legacy(dst, FieldFirstInitial, u)
	dst = e.list(dst, FieldFirstName, u.FirstName, hint)
	dst = e.list(dst, FieldGender, u.Gender, hint)
	dst = e.plain(dst, FieldIGAccountID, u.IGAccountID)
	dst = e.plain(dst, FieldIGSID, u.IGSID)
	dst = e.plain(dst, FieldInstagramBusinessAccountID, u.InstagramBusinessAccountID)
	dst = e.integer(dst, FieldLeadID, u.LeadID)
	dst = e.list(dst, FieldLastName, u.LastName, hint)
	dst = e.plain(dst, FieldMadID, u.MadID)
	dst = e.plain(dst, FieldPageID, u.PageID)
	dst = e.plain(dst, FieldPageScopedUserID, u.PageScopedUserID)
	dst = e.plain(dst, FieldPartnerID, u.PartnerID)
	dst = e.plain(dst, FieldPartnerName, u.PartnerName)
	dst = e.list(dst, FieldPhone, u.Phone, hint)
	dst = e.list(dst, FieldState, u.State, hint)
	dst = e.plain(dst, FieldSubscriptionID, u.SubscriptionID)
	dst = e.plain(dst, FieldWhatsAppBusinessAccountID, u.WhatsAppBusinessAccountID)
	dst = e.list(dst, FieldZip, u.Zip, hint)
	dst = append(closeObject(dst), ',')
	e.checkLegacyKeys(u)
	return dst
}

// hint returns the country that completes phones and chooses state and zip rules.
func (e *Encoder) hint(u *UserData) countryCode {
	if len(u.Phone) == 0 && len(u.State) == 0 && len(u.Zip) == 0 {
		return noCountry
	}
	if u.PhoneCountry != "" {
		if cc, ok := e.norm.country(u.PhoneCountry); ok {
			return cc
		}
		if trim(u.PhoneCountry) != "" {
			e.fault(CodePhoneCountryUnknown, "user_data.ph")
		}
	}
	for _, country := range u.Country {
		if cc, ok := e.norm.country(country); ok {
			return cc
		}
	}
	return e.defaultCountry
}

// list writes the hashes of a field's values without repeats, in input order.
// Blank values count as absent.
func (e *Encoder) list(dst []byte, f Field, values []string, hint countryCode) []byte {
	if len(values) == 0 {
		return dst
	}
	start := len(dst)
	dst = append(dst, listHeads[f]...)
	e.items = e.items[:0]
	for i, s := range values {
		if i == maxValues {
			e.fault(CodeTooManyValues, e.paths.of(f, i))
			break
		}
		s = trim(s)
		if s == "" {
			continue
		}
		item := len(dst)
		dst = e.item(dst, f, s, hint, i)
		if len(dst) == item {
			continue
		}
		if len(values) > 1 && e.written(dst, item) {
			dst = dst[:item]
			continue
		}
		e.items = append(e.items, item)
	}
	if len(e.items) == 0 {
		return dst[:start]
	}
	e.report.Keys = e.report.Keys.With(f)
	dst[len(dst)-1] = ']'
	return append(dst, ',')
}

// maxValues bounds the values of a key, and with them the search for repeats. Meta
// documents no limit; a person has a handful.
const maxValues = 100

// listHeads holds `"em":[` for every field.
var listHeads = func() (heads [numFields]string) {
	for f := range heads {
		heads[f] = `"` + fieldNames[f] + `":[`
	}
	return heads
}()

// written reports whether the item that begins at the given place stands in the
// list already.
func (e *Encoder) written(dst []byte, item int) bool {
	for i, from := range e.items {
		to := item
		if i+1 < len(e.items) {
			to = e.items[i+1]
		}
		if string(dst[from:to]) == string(dst[item:]) {
			return true
		}
	}
	return false
}

// item writes one value of a list and a comma, or nothing when it is dropped.
func (e *Encoder) item(dst []byte, f Field, s string, hint countryCode, index int) []byte {
	var slot *cacheSlot
	if cachedFields.Has(f) && len(s) <= maxCachedText {
		slot = e.cache.slot(f, s, hint)
		if slot.holds(f, s, hint) {
			return append(dst, slot.item[:]...)
		}
	}
	text, ok := e.quick(f, s, hint)
	if !ok {
		v := e.norm.value(f, s, hint, e.modes[f])
		if v.code != "" {
			e.fault(v.code, e.paths.of(f, index))
			return dst
		}
		if v.warning != "" {
			e.fault(v.warning, e.paths.of(f, index))
		}
		switch {
		case v.hashed:
			e.report.PreHashed++
			dst = append(dst, '"')
			dst = append(dst, v.text...)
			return append(dst, '"', ',')
		case f == FieldExternalID && e.norm.externalID == ExternalIDRaw:
			dst = appendQuoted(dst, s)
			return append(dst, ',')
		}
		text = v.text
	}
	sum := sha256.Sum256(text)
	item := len(dst)
	dst = append(dst, '"')
	dst = appendHex(dst, &sum)
	dst = append(dst, '"', ',')
	if slot != nil {
		slot.keep(f, s, hint, dst[item:])
	}
	return dst
}

// quick normalises what most values are: ASCII too short to be a hash. It declines
// everything that needs a fault or a second look.
func (e *Encoder) quick(f Field, s string, hint countryCode) (text []byte, ok bool) {
	if len(s) >= hexMD5Len || e.modes[f] == HashYes || !isASCII(s) ||
		f == FieldExternalID && e.norm.externalID == ExternalIDRaw {
		return nil, false
	}
	n := &e.norm
	var code, warning string
	n.buf, code, warning = n.append(n.buf[:0], f, s, hint)
	return n.buf, code == "" && warning == "" && len(n.buf) < hexMD5Len
}

// plain writes a field that is never hashed.
func (e *Encoder) plain(dst []byte, f Field, s string) []byte {
	if s == "" {
		return dst
	}
	s, ok := e.accept(f, s)
	if !ok {
		return dst
	}
	dst = appendKey(dst, fieldNames[f])
	dst = appendQuoted(dst, s)
	return append(dst, ',')
}

// integer writes an id as a JSON integer, digit for digit: it may exceed 2^53.
func (e *Encoder) integer(dst []byte, f Field, s string) []byte {
	if s == "" {
		return dst
	}
	s, ok := e.accept(f, s)
	if !ok {
		return dst
	}
	dst = appendKey(dst, fieldNames[f])
	dst = append(dst, s...)
	return append(dst, ',')
}

// cookie writes fbc or fbp and compares its age with the event's.
func (e *Encoder) cookie(dst []byte, f Field, s string, eventTime int64) []byte {
	before := len(dst)
	dst = e.plain(dst, f, s)
	if len(dst) > before {
		if c, ok := parseCookie(trim(s), f == FieldFBP); ok && c.Created.After(time.Unix(eventTime, 0).Add(futureSkew)) {
			e.fault(CodeCookieAfterEvent, e.paths.of(f, -1))
		}
	}
	return dst
}

// accept trims and judges a value that is sent in clear.
func (e *Encoder) accept(f Field, s string) (string, bool) {
	s = trim(s)
	if s == "" {
		return "", false
	}
	v := e.norm.value(f, s, noCountry, HashAuto)
	if v.warning != "" {
		e.fault(v.warning, e.paths.of(f, -1))
	}
	if v.code != "" {
		e.fault(v.code, e.paths.of(f, -1))
		return "", false
	}
	e.report.Keys = e.report.Keys.With(f)
	return s, true
}

// legacy passes a hash of an SDK-only key through. These are single texts in
// Meta's SDKs, not lists.
func (e *Encoder) legacy(dst []byte, f Field, u *UserData) []byte {
	if len(u.Legacy) == 0 {
		return dst
	}
	s := trim(u.Legacy[fieldNames[f]])
	if s == "" {
		return dst
	}
	v := e.norm.value(f, s, noCountry, HashYes)
	if v.code != "" {
		e.fault(v.code, e.paths.of(f, -1))
		return dst
	}
	e.report.PreHashed++
	e.report.Keys = e.report.Keys.With(f)
	dst = appendKey(dst, fieldNames[f])
	dst = append(dst, '"')
	dst = append(dst, v.text...)
	return append(dst, '"', ',')
}

// checkLegacyKeys reports keys in Legacy that are none. Their names are not
// repeated: a mistaken mapping could put anything there.
func (e *Encoder) checkLegacyKeys(u *UserData) {
	for name := range u.Legacy {
		if f, ok := ParseField(name); !ok || !f.Legacy() {
			e.fault(CodeUnknownUserKey, "user_data")
		}
	}
}
