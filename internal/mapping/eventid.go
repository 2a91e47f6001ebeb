package mapping

import (
	"crypto/sha256"
	"encoding/base32"
)

// eventIDScheme is the first element of what is hashed and, with "_", the prefix
// of the id. A change to the rule gets a new scheme, so that old and new ids of
// one order can't meet by accident.
const eventIDScheme = "wb1"

var eventIDEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// EventID returns the event id of a conversion:
//
//	"wb1_" + base32lower(SHA-256(JCS(["wb1", namespace, outcome, recordID, occurrence]))[0:20])
//
// JCS is RFC 8785. The id is 36 characters, the same for the same business facts
// on every machine and in every export, and tells nothing about the person.
func EventID(namespace, outcome, recordID, occurrence string) string {
	var space [192]byte
	b := append(space[:0], `["`+eventIDScheme+`"`...)
	for _, s := range [...]string{namespace, outcome, recordID, occurrence} {
		b = append(b, ',')
		b = appendJCSString(b, s)
	}
	b = append(b, ']')
	sum := sha256.Sum256(b)
	const digest, encoded = 20, 32
	var id [len(eventIDScheme) + 1 + encoded]byte
	n := copy(id[:], eventIDScheme+"_")
	eventIDEncoding.Encode(id[n:], sum[:digest])
	return string(id[:])
}

// appendJCSString appends s as RFC 8785 §3.2.2.2 writes strings: only quotes,
// backslashes and controls are escaped, everything else is literal UTF-8.
func appendJCSString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\f':
			b = append(b, `\f`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
