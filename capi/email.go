package capi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendEmail appends a trimmed e-mail address in lower case. Dots, plus tags and
// domains are kept as they are: Meta hashes the address as written, so an address
// "tidied" here would match nobody. Unicode addresses are accepted and not
// punycoded.
func (f *folder) appendEmail(dst []byte, s string) (out []byte, code string) {
	start := len(dst)
	at, count := -1, 0
	for i := range len(s) {
		b := s[i]
		switch kind := asciiKinds[b]; {
		case kind == asciiUpper:
			b |= 0x20
		case kind == notASCII:
			return f.appendUnicodeEmail(dst[:start], s)
		case kind != asciiOther:
		case b == '@':
			at = i
			count++
		case !emailByte(b):
			return dst[:start], CodeInvalidEmail
		}
		dst = append(dst, b)
	}
	if count != 1 || at == 0 || !validDomain(dst[start+at+1:]) {
		return dst[:start], CodeInvalidEmail
	}
	return dst, ""
}

func (f *folder) appendUnicodeEmail(dst []byte, s string) (out []byte, code string) {
	start := len(dst)
	dst = f.appendFolded(dst, s)
	address := string(dst[start:])
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || strings.IndexFunc(address, notInEmail) >= 0 || !validUnicodeDomain(domain) {
		return dst[:start], CodeInvalidEmail
	}
	return dst, ""
}

// emailByte reports whether a non-alphanumeric ASCII byte may stand in an address.
func emailByte(b byte) bool {
	return b > ' ' && b != 0x7f && !strings.ContainsRune(emailForbidden, rune(b))
}

const emailForbidden = `,;:<>()[]\"`

func notInEmail(r rune) bool {
	return isBlank(r) || unicode.In(r, unicode.Cc, unicode.Cf) || strings.ContainsRune(emailForbidden, r)
}

// validDomain wants two labels or more, each of letters and digits with - and _
// inside, the last of two characters or more.
func validDomain(domain []byte) bool {
	label, labels := 0, 1
	for i, b := range domain {
		switch {
		case b == '.':
			if label == 0 || isInner(domain[i-1]) {
				return false
			}
			label = 0
			labels++
		case isInner(b):
			if label == 0 {
				return false
			}
			label++
		case asciiKinds[b] == asciiOther:
			return false
		default:
			label++
		}
	}
	return labels >= 2 && label >= 2 && !isInner(domain[len(domain)-1])
}

func isInner(b byte) bool { return b == '-' || b == '_' }

// validUnicodeDomain is validDomain for letters and digits of any script.
func validUnicodeDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || utf8.RuneCountInString(labels[len(labels)-1]) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || strings.Trim(label, "-_") != label || strings.IndexFunc(label, notInLabel) >= 0 {
			return false
		}
	}
	return true
}

func notInLabel(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && r != '-' && r != '_'
}
