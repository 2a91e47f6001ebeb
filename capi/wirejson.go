package capi

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxExactInt is 2^53-1, the largest integer that every JSON reader keeps and RFC
// 8785 can write.
const maxExactInt = 1<<53 - 1

// needsEscape tells the bytes that JSON strings escape.
var needsEscape = func() (t [256]bool) {
	for b := range 0x20 {
		t[b] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

const hexDigits = "0123456789abcdef"

// appendQuoted appends s, which must be valid UTF-8, as a JSON string with the
// escapes of RFC 8785: the two-character ones where they exist, \u00xx for other
// controls, and nothing else.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if isPlainText(s) {
		dst = append(dst, s...)
		return append(dst, '"')
	}
	from := 0
	for i := range len(s) {
		b := s[i]
		if !needsEscape[b] {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// hexPairs holds the two hex digits of every byte, first digit in the low byte.
var hexPairs = func() (t [256]uint16) {
	for b := range t {
		t[b] = uint16(hexDigits[b>>4]) | uint16(hexDigits[b&15])<<8
	}
	return t
}()

// appendHex appends a digest in lower-case hex.
func appendHex(dst []byte, sum *[hexDigestLen / 2]byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, hexDigestLen)[:n+hexDigestLen]
	hex := (*[hexDigestLen]byte)(dst[n:])
	for i, b := range sum {
		binary.LittleEndian.PutUint16(hex[2*i:], hexPairs[b])
	}
	return dst
}

// closeObject ends an object whose members were each written with a comma after
// them. An empty object stays an empty object.
func closeObject(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		dst[len(dst)-1] = '}'
		return dst
	}
	return append(dst, '}')
}

// closeArray is closeObject for arrays.
func closeArray(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		dst[len(dst)-1] = ']'
		return dst
	}
	return append(dst, ']')
}

// appendKey appends a member's name, which must need no escaping.
func appendKey(dst []byte, name string) []byte {
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendIntMember(dst []byte, name string, n int64) []byte {
	dst = appendKey(dst, name)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, ',')
}

func appendBoolMember(dst []byte, name string, v bool) []byte {
	dst = appendKey(dst, name)
	dst = strconv.AppendBool(dst, v)
	return append(dst, ',')
}

// compareUTF16 orders names as RFC 8785 wants: by UTF-16 code units. It differs
// from byte order only where characters beyond U+FFFF meet U+E000 to U+FFFF.
func compareUTF16(a, b string) int {
	for len(a) > 0 && len(b) > 0 {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if ra != rb {
			if c := cmp.Compare(firstUnit(ra), firstUnit(rb)); c != 0 {
				return c
			}
			return cmp.Compare(ra, rb)
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Compare(len(a), len(b))
}

// firstUnit returns the first UTF-16 code unit of a character.
func firstUnit(r rune) rune {
	if r < 0x10000 {
		return r
	}
	return 0xD800 + (r-0x10000)>>10
}

func runeCount(s string) int { return utf8.RuneCountInString(s) }
