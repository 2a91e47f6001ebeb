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
		end := from + mcpwire.LineBreak(b[from:])
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

// glance is what the relay wants to know of a block: whether it has an event id, and
// what its message is to the call with this raw id.
func glance(block, id []byte) (hasID bool, v verdict) {
	var data []byte
	lines, odd := 0, false
	for rest := block; len(rest) > 0; {
		n := mcpwire.LineBreak(rest)
		line := rest[:n]
		rest = rest[min(n+1, len(rest)):]
		switch {
		case bytes.HasPrefix(line, []byte("data:")):
			switch lines++; lines {
			case 1:
				data = line[len("data:"):]
				continue
			case 2:
				data = bytes.Clone(data) // out of the block
			}
			data = append(append(data, '\n'), line[len("data:"):]...)
		case bytes.HasPrefix(line, []byte("id:")), bytes.Equal(line, []byte("id")):
			hasID = true
		case bytes.HasPrefix(line, []byte("event:")):
			name := bytes.TrimPrefix(line[len("event:"):], []byte(" "))
			odd = len(name) > 0 && string(name) != "message"
		}
	}
	if lines == 0 || odd { // no message of MCP
		return hasID, other
	}
	return hasID, judge(data, id)
}
