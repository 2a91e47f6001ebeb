package policy

import (
	"crypto/sha256"
	"math"
	"strconv"
)

// digest is what tells the counters of a limit apart: 16 bytes of the SHA-256 of the
// value in its one canonical spelling. Only texts, numbers and booleans have one.
//
// What would help a caller to look like somebody else counts as the same: for a limit
// that counts, "100" is 100, since most upstreams take either, and one per spelling
// would be a multiple of the quota; so are all numbers that are one double, though not two
// texts of many digits, as long ids are. For a condition `after` it is the other way round:
// there, a text is no number. Its digest also has the path in it that the mark was taken
// from, so that two conditions on one tool never take each other's marks.
func (l *Limit) digest(v value, tail []step) (key [16]byte, ok bool) {
	for _, s := range tail {
		if s.kind == byName {
			v = v.member(s.name)
		} else {
			v = v.length()
		}
	}
	var room [128]byte
	b := room[:0]
	if l.After != "" {
		b = append(append(b, l.afterKey.text...), 0)
	}
	switch v.kind {
	case kindString:
		text, ok := v.text()
		if !ok {
			return key, false
		}
		if l.After == "" {
			if d, ok := spelledNumber(text); ok {
				if d.crowded() && skipDigits(text, 0) < len(text) {
					d, ok = nearest(text)
				}
				if ok {
					b = d.appendCanonical(append(b, 'n'))
					break
				}
			}
		}
		b = append(append(b, 's'), text...)
	case kindNumber:
		d, ok := parseDecimal(v.raw)
		if ok && l.After == "" && d.crowded() {
			d, ok = nearest(v.raw)
		}
		if !ok {
			return key, false
		}
		b = d.appendCanonical(append(b, 'n'))
	case kindBool:
		b = append(append(b, 'b'), v.raw...)
	default:
		return key, false
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16]), true
}

// nearest is the number that a reader takes a text for who keeps numbers as doubles; false
// where that is none.
func nearest(text []byte) (decimal[[]byte], bool) {
	f := double(text)
	if math.IsInf(f, 0) {
		return decimal[[]byte]{}, false
	}
	return parseDecimal(strconv.AppendFloat(nil, f, 'e', -1, 64))
}

// spelledNumber is the number that a text is written like.
func spelledNumber(text []byte) (decimal[[]byte], bool) {
	if end, ok := numberEnd(text, 0); !ok || end != len(text) {
		return decimal[[]byte]{}, false
	}
	return parseDecimal(text)
}
