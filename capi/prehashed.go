package capi

// HashMode says whether a column holds hashes already.
type HashMode uint8

const (
	// HashAuto takes exactly 64 hex digits as a hash and everything else as text.
	HashAuto HashMode = iota
	// HashNo declares text. A hash found there would be hashed twice, so it is
	// dropped as double_hashed.
	HashNo
	// HashYes declares hashes. Text found there is dropped as not_hashed, because
	// a column that claims to be hashed and is not needs a person.
	HashYes
)

// String returns auto, no or yes, as the mapping writes it.
func (m HashMode) String() string {
	switch m {
	case HashNo:
		return "no"
	case HashYes:
		return "yes"
	default:
		return "auto"
	}
}

const (
	hexDigestLen = 64
	hexMD5Len    = 32

	// emptySHA256 is the hash of nothing: what a pipeline makes of a missing value.
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// hashShape is what a text looks like before it is normalised.
type hashShape uint8

const (
	shapeText         hashShape = iota
	shapeMD5                    // 32 hex digits
	shapeSHA256                 // 64 hex digits
	shapeSHA256Suffix           // 64 hex digits, a point, and the appendix of Meta's parameter builder
)

// shapeOf classifies s by length first: nearly all values end there.
func shapeOf[T string | []byte](s T) hashShape {
	switch {
	case len(s) < hexMD5Len:
		return shapeText
	case len(s) == hexMD5Len && isHex(s):
		return shapeMD5
	case len(s) == hexDigestLen && isHex(s):
		return shapeSHA256
	case len(s) > hexDigestLen && s[hexDigestLen] == '.' && isHex(s[:hexDigestLen]) && isAppendix(s[hexDigestLen+1:]):
		return shapeSHA256Suffix
	default:
		return shapeText
	}
}

// isAppendix reports the mark that Meta's parameter builder adds to a value it
// made: eight base64url characters, or one of six old two-character tokens. It is
// sent on unchanged.
func isAppendix[T string | []byte](s T) bool {
	switch len(s) {
	case 2:
		switch string(s) {
		case "AQ", "Ag", "Aw", "BA", "BQ", "Bg":
			return true
		}
		return false
	case 8:
		for i := range len(s) {
			b := s[i]
			if k := asciiKinds[b]; (k == asciiOther || k == notASCII) && b != '-' && b != '_' {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// isHex reports whether s holds only hexadecimal digits of either case.
func isHex[T string | []byte](s T) bool {
	for i := range len(s) {
		if b := s[i]; b-'0' > 9 && (b|0x20)-'a' > 5 {
			return false
		}
	}
	return true
}

// appendLower appends an ASCII text in lower case.
func appendLower[T string | []byte](dst []byte, s T) []byte {
	for i := range len(s) {
		b := s[i]
		if asciiKinds[b] == asciiUpper {
			b |= 0x20
		}
		dst = append(dst, b)
	}
	return dst
}
