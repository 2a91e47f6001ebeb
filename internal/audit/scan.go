package audit

import (
	"bytes"
	"strconv"
)

// stamp is what verifying needs of a record.
type stamp struct {
	chain []byte
	seq   int64
	ts    []byte
}

// stampOf reads three members of a canonical record without building the rest:
// verifying a million of them must not take the time of a million decodings.
func stampOf(body []byte) (s stamp, ok bool) {
	if len(body) < 2 || body[0] != '{' {
		return s, false
	}
	depth, i := 0, 0
	key := []byte(nil)
	for i < len(body) {
		switch body[i] {
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case '"':
			end := i + 1
			for end < len(body) && body[end] != '"' {
				if body[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(body) {
				return s, false
			}
			text := body[i+1 : end]
			i = end + 1
			if depth != 1 {
				continue
			}
			if i < len(body) && body[i] == ':' {
				key = text
				i++
				if bytes.Equal(key, []byte("seq")) {
					to := i
					for to < len(body) && body[to] != ',' && body[to] != '}' {
						to++
					}
					n, err := strconv.ParseInt(string(body[i:to]), 10, 64)
					if err != nil {
						return s, false
					}
					s.seq = n
				}
				continue
			}
			switch string(key) {
			case "chain":
				s.chain = text
			case "ts":
				s.ts = text
			}
		default:
			i++
		}
	}
	return s, depth == 0 && s.chain != nil && s.seq > 0
}

// TimeOf is when a record was written, as the record has it; empty when it has none.
func TimeOf(body []byte) string {
	s, _ := stampOf(body)
	return string(s.ts)
}
