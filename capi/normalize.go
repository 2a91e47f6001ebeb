package capi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
	"unicode/utf8"
)

// NormalizeOptions sets what depends on the sender. The zero value is usable.
type NormalizeOptions struct {
	Hashed     HashMode
	ExternalID ExternalIDMode
	// Now judges birth dates; nil means time.Now.
	Now func() time.Time
}

// Normalized is a value in the form that is hashed or, for fields that are never
// hashed, sent.
type Normalized struct {
	Value         string
	SHA256        string // what is sent for hashed fields; "" for the others
	AlreadyHashed bool   // the input was a hash, Value is the hash
	Warning       string // code of a doubt that does not stop the value, or ""
}

// NormalizeError says why a value can't be used. Its text is a stable code; Fault
// gives the sentence and the remedy.
type NormalizeError struct{ Code string }

func (e *NormalizeError) Error() string { return e.Code }

// Fault returns the error as a fault without a path.
func (e *NormalizeError) Fault() Fault { return faultOf(e.Code, "") }

// CodeOf returns the stable code of an error of this package, "" for others.
func CodeOf(err error) string {
	var e *NormalizeError
	if errors.As(err, &e) {
		return e.Code
	}
	for _, known := range []error{ErrFBCInvalid, ErrFBPInvalid, ErrDecimalSyntax, ErrDecimalPrecision, ErrDecimalRange} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return ""
}

// Normalize brings one value into the form that Meta hashes, and hashes it. The
// country is a hint for phone, st and zp: an ISO code or a name, "" for none; a
// country nobody knows counts as none. The error is a *NormalizeError.
//
// Normalising a normalised value gives the same value, but for a phone number with
// a country: its digits no longer show that they are complete.
func Normalize(field Field, input, country string, opts NormalizeOptions) (Normalized, error) {
	now := time.Now
	if opts.Now != nil {
		now = opts.Now
	}
	n := newNormalizer(opts.ExternalID)
	n.today = civilToday(now())
	hint, _ := n.country(country)

	input = trim(input)
	if input == "" {
		return Normalized{}, &NormalizeError{CodeEmpty}
	}
	v := n.value(field, input, hint, opts.Hashed)
	if v.code != "" {
		return Normalized{}, &NormalizeError{v.code}
	}
	out := Normalized{Value: string(v.text), Warning: v.warning, AlreadyHashed: v.hashed}
	switch {
	case v.hashed && field.Hashed():
		out.SHA256 = out.Value
	case field.Hashed() && !(field == FieldExternalID && opts.ExternalID == ExternalIDRaw):
		sum := sha256.Sum256(v.text)
		out.SHA256 = hex.EncodeToString(sum[:])
	}
	return out, nil
}

// normalizer holds the scratch space of the normalisers. It is not safe for
// concurrent use.
type normalizer struct {
	fold       folder
	today      civilDate
	externalID ExternalIDMode
	buf        []byte
	ascii      []byte
}

func newNormalizer(mode ExternalIDMode) normalizer {
	return normalizer{fold: newFolder(), externalID: mode, buf: make([]byte, 0, 256)}
}

// value is one judged value. text is valid until the normalizer's next call.
type value struct {
	text    []byte
	hashed  bool // text is a hash that came in
	code    string
	warning string
}

// maxIdentifierBytes bounds a single value. The longest legitimate ones are user
// agents.
const maxIdentifierBytes = 4096

// value judges one trimmed, non-empty value of a field.
func (n *normalizer) value(f Field, s string, hint countryCode, mode HashMode) value {
	switch {
	case len(s) > maxIdentifierBytes:
		return value{code: CodeTooLong}
	case !isASCII(s) && !utf8.ValidString(s):
		return value{code: CodeInvalidUTF8}
	case f.Legacy():
		mode = HashYes
	case !f.Hashed():
		code, warning := checkPlain(f, s)
		n.buf = append(n.buf[:0], s...)
		return value{text: n.buf, code: code, warning: warning}
	case f == FieldExternalID && n.externalID == ExternalIDRaw:
		n.buf = append(n.buf[:0], s...)
		return value{text: n.buf}
	}
	if v, done := n.prehashed(f, shapeOf(s), s, mode); done {
		return v
	}
	var v value
	n.buf = n.buf[:0]
	n.buf, v.code, v.warning = n.append(n.buf, f, s, hint)
	if v.code != "" {
		return v
	}
	// Punctuation can hide a hash from the first look: what is left is judged
	// again, or a second normalisation would disagree with the first.
	if shape := shapeOf(n.buf); shape != shapeText && f != FieldExternalID {
		if v, done := n.prehashed(f, shape, string(n.buf), mode); done {
			return v
		}
	}
	v.text = n.buf
	return v
}

// prehashed handles a value by its shape, when the shape decides.
func (n *normalizer) prehashed(f Field, shape hashShape, s string, mode HashMode) (v value, done bool) {
	switch shape {
	case shapeSHA256:
		n.buf = appendLower(n.buf[:0], s)
		switch {
		case string(n.buf) == emptySHA256:
			return value{code: CodeHashOfEmpty}, true
		case mode == HashNo:
			return value{code: CodeDoubleHashed}, true
		}
		return value{text: n.buf, hashed: true}, true
	case shapeSHA256Suffix:
		var lower [hexDigestLen]byte
		switch {
		case string(appendLower(lower[:0], s[:hexDigestLen])) == emptySHA256:
			return value{code: CodeHashOfEmpty}, true
		case mode == HashNo:
			return value{code: CodeDoubleHashed}, true
		}
		n.buf = append(n.buf[:0], s...)
		return value{text: n.buf, hashed: true}, true
	case shapeMD5:
		// An external id may have that shape by right.
		if f != FieldExternalID {
			return value{code: CodeMD5NotSupported}, true
		}
	}
	if mode == HashYes {
		return value{code: CodeNotHashed}, true
	}
	return value{}, false
}

// append runs the normaliser of a hashed field.
func (n *normalizer) append(dst []byte, f Field, s string, hint countryCode) (out []byte, code, warning string) {
	switch f {
	case FieldEmail:
		out, code = n.fold.appendEmail(dst, s)
	case FieldPhone:
		return n.appendPhone(dst, s, hint)
	case FieldFirstName, FieldLastName:
		out, code = n.fold.appendName(dst, s)
	case FieldBirthDate:
		return appendBirthDate(dst, s, n.today)
	case FieldGender:
		out, code = n.fold.appendGender(dst, s)
	case FieldCity:
		out, code = n.fold.appendCity(dst, s)
	case FieldState:
		out, code = n.fold.appendState(dst, s, hint)
	case FieldZip:
		out, code = n.fold.appendZip(dst, s, hint)
	case FieldCountry:
		out, code = n.fold.appendCountry(dst, s)
	default:
		out, code = n.appendExternalID(dst, s)
	}
	return out, code, ""
}

// country reads a hint.
func (n *normalizer) country(s string) (countryCode, bool) {
	s = trim(s)
	if s == "" || len(s) > maxIdentifierBytes || !utf8.ValidString(s) {
		return noCountry, false
	}
	n.buf = n.fold.appendSquashed(n.buf[:0], s)
	return lookupCountry(n.buf)
}
