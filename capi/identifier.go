package capi

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	minLeadIDDigits = 15
	maxLeadIDDigits = 17
)

// checkPlain judges a trimmed value of a field that is never hashed. The value is
// sent as it is.
func checkPlain(f Field, s string) (code, warning string) {
	if shape := shapeOf(s); shape == shapeSHA256 || shape == shapeSHA256Suffix {
		return CodeHashedNotAllowed, ""
	}
	switch f {
	case FieldClientIPAddress:
		return checkIP(s)
	case FieldFBC:
		if _, ok := parseCookie(s, false); !ok {
			return CodeFBCInvalid, ""
		}
	case FieldFBP:
		if _, ok := parseCookie(s, true); !ok {
			return CodeFBPInvalid, ""
		}
	case FieldMadID:
		return checkMadID(s), ""
	case FieldLeadID:
		if len(s) < minLeadIDDigits || len(s) > maxLeadIDDigits || !isDigits(s) || s[0] == '0' {
			return CodeLeadIDInvalid, ""
		}
	case FieldFBLoginID:
		// Written as a JSON integer, so it can't begin with a zero, and readers
		// hold it in 64 bits.
		if !isDigits(s) || s[0] == '0' || len(s) > len(maxInt64) || len(s) == len(maxInt64) && s > maxInt64 {
			return CodeNotNumeric, ""
		}
	case FieldPageID, FieldPageScopedUserID, FieldIGAccountID, FieldIGSID,
		FieldInstagramBusinessAccountID, FieldWhatsAppBusinessAccountID:
		if !isDigits(s) || len(s) > maxIDDigits {
			return CodeNotNumeric, ""
		}
	}
	return "", ""
}

const maxInt64 = "9223372036854775807"

// maxIDDigits bounds Graph ids; the longest seen have 17 digits.
const maxIDDigits = 32

// checkIP wants one address literal: no port, no list, no brackets, no zone.
func checkIP(s string) (code, warning string) {
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return CodeIPInvalid, ""
	}
	if a := addr.Unmap(); a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() {
		return "", CodeIPPrivate
	}
	return "", ""
}

// checkMadID wants the shape of a UUID. All zeros is what a device reports when
// its owner switched tracking off.
func checkMadID(s string) string {
	if len(s) != 36 {
		return CodeMadIDInvalid
	}
	zeros := true
	for i := range len(s) {
		b := s[i]
		switch i {
		case 8, 13, 18, 23:
			if b != '-' {
				return CodeMadIDInvalid
			}
		default:
			if !isHex(s[i : i+1]) {
				return CodeMadIDInvalid
			}
			zeros = zeros && b == '0'
		}
	}
	if zeros {
		return CodeMadIDZero
	}
	return ""
}

// ExternalIDMode says how external_id travels. The pixel and the server must send
// the same form, or the two never meet.
type ExternalIDMode uint8

const (
	// ExternalIDSHA256 hashes the trimmed id. It is the default.
	ExternalIDSHA256 ExternalIDMode = iota
	// ExternalIDSHA256Lower lower-cases and removes spaces first, as Meta's pixel
	// does.
	ExternalIDSHA256Lower
	// ExternalIDRaw sends the trimmed id as it is.
	ExternalIDRaw
)

// String returns sha256, sha256_lower or raw, as the configuration writes it.
func (m ExternalIDMode) String() string {
	switch m {
	case ExternalIDSHA256Lower:
		return "sha256_lower"
	case ExternalIDRaw:
		return "raw"
	default:
		return "sha256"
	}
}

// appendExternalID appends the id in the form that is hashed.
func (n *normalizer) appendExternalID(dst []byte, s string) (out []byte, code string) {
	if n.externalID != ExternalIDSHA256Lower {
		return append(dst, s...), ""
	}
	start := len(dst)
	n.fold.folded = n.fold.appendFolded(n.fold.folded[:0], s)
	for _, r := range string(n.fold.folded) {
		if !isBlank(r) {
			dst = utf8.AppendRune(dst, r)
		}
	}
	if len(dst) == start {
		return dst, CodeEmpty
	}
	return dst, ""
}

// hasBlankOrControl reports whitespace, controls and invisible format characters.
func hasBlankOrControl(s string) bool {
	for i := range len(s) {
		if !isPlain(s[i]) {
			return strings.IndexFunc(s, func(r rune) bool { return isBlank(r) || unicode.In(r, unicode.Cc, unicode.Cf) }) >= 0
		}
	}
	return false
}
