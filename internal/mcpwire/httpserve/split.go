package httpserve

import (
	"bytes"

	"sluice/internal/mcpwire"
)

// splitter finds where the blocks of an event stream end, so that nothing is passed
// on that is not whole. It reads no more of them than that takes.
type splitter struct {
	at   int // start of the line that is looked at
	seen int // up to where that line is known not to end
}

// next is the length of the block that b begins with, and 0 when more has to come. A
// comment at the start of a block is one of its own: a sign of life must not wait.
func (s *splitter) next(b []byte) int {
	for {
		from := max(s.at, s.seen)
		end := from + lineBreak(b[from:])
		if end == len(b) {
			s.seen = end
			return 0
		}
		last := end == s.at || (s.at == 0 && b[0] == ':')
		after := end + 1
		if b[end] == '\r' {
			switch {
			case after < len(b) && b[after] == '\n':
				after++
			case after == len(b) && !last:
				s.seen = end // its LF may follow
				return 0
			}
			// After a last line nothing is waited for: an LF that does follow is an empty
			// block, which says nothing.
		}
		if s.at = after; last {
			*s = splitter{}
			return after
		}
	}
}

func lineBreak(b []byte) int {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		n = len(b)
	}
	if c := bytes.IndexByte(b[:n], '\r'); c >= 0 {
		return c
	}
	return n
}

// glance is what the relay wants to know of a block: whether it has an event id, and
// whether it carries the response that ends a call.
func glance(block []byte) (hasID, answers bool) {
	var data []byte
	lines := 0
	for rest := block; len(rest) > 0; {
		n := lineBreak(rest)
		line := rest[:n]
		rest = rest[min(n+1, len(rest)):]
		switch {
		case bytes.HasPrefix(line, []byte("data:")):
			if lines++; lines == 1 {
				data = line[len("data:"):]
			} else {
				data = append(append(data[:len(data):len(data)], '\n'), line[len("data:"):]...)
			}
		case bytes.HasPrefix(line, []byte("id:")), bytes.Equal(line, []byte("id")):
			hasID = true
		}
	}
	return hasID, lines > 0 && isResponse(data)
}

// isResponse tells by the first member that decides it; only where simple members come
// first, as all known peers write it, does it get away without reading the message.
func isResponse(message []byte) bool {
	rest := bytes.TrimLeft(message, " \t\n")
	if len(rest) == 0 || rest[0] != '{' {
		return false
	}
	for rest = rest[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\n,")
		if len(rest) == 0 || rest[0] != '"' {
			break
		}
		end := bytes.IndexByte(rest[1:], '"')
		if end < 0 {
			break
		}
		switch string(rest[1 : 1+end]) {
		case "result", "error":
			return true
		case "method":
			return false
		case "jsonrpc", "id":
		default:
			return parsedResponse(message)
		}
		rest = bytes.TrimLeft(rest[end+2:], " \t\n:")
		if len(rest) > 0 && rest[0] == '"' { // a string: jsonrpc, or an id
			end = bytes.IndexByte(rest[1:], '"')
			if end < 0 || bytes.IndexByte(rest[1:1+end], '\\') >= 0 {
				break
			}
			rest = rest[end+2:]
		} else if end = bytes.IndexAny(rest, ",}"); end >= 0 {
			rest = rest[end:]
		} else {
			break
		}
	}
	return parsedResponse(message)
}

func parsedResponse(message []byte) bool {
	m, err := mcpwire.ParseReply(message, mcpwire.Limits{Size: len(message)})
	return err == nil && m.Kind.Response()
}
