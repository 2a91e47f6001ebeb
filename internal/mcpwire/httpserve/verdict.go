package httpserve

import (
	"bytes"

	"sluice/internal/mcpwire"
)

// verdict is what a message of the upstream is to one call.
type verdict uint8

const (
	other       verdict = iota // no response, or that of another call
	answers                    // its response
	addressless                // an error that could not tell whom it answers
)

const blanks = " \t\r\n"

// judge says what a message is to the call with this raw id; without an id every
// response answers. It tells by the first member that decides it, and by the id where
// all known peers write it: before that member or last of all. Only another message
// has to be read.
func judge(message, id []byte) verdict {
	ours := len(id) == 0
	rest := bytes.TrimLeft(message, blanks)
	if len(rest) == 0 || rest[0] != '{' {
		return other
	}
	for rest = rest[1:]; ; {
		rest = bytes.TrimLeft(rest, blanks+",")
		if len(rest) == 0 || rest[0] != '"' {
			break
		}
		end := bytes.IndexByte(rest[1:], '"')
		if end < 0 {
			break
		}
		name := string(rest[1 : 1+end])
		switch name {
		case "result", "error":
			if ours || endsWith(message, id) {
				return answers
			}
			return judgeWhole(message, id)
		case "method":
			return other
		case "jsonrpc", "id":
		default:
			return judgeWhole(message, id)
		}
		rest = bytes.TrimLeft(rest[end+2:], blanks+":")
		var value []byte
		if len(rest) > 0 && rest[0] == '"' {
			end = bytes.IndexByte(rest[1:], '"')
			if end < 0 || bytes.IndexByte(rest[1:1+end], '\\') >= 0 {
				break
			}
			value, rest = rest[:end+2], rest[end+2:]
		} else if end = bytes.IndexAny(rest, ",}"); end >= 0 {
			value, rest = bytes.TrimRight(rest[:end], blanks), rest[end:]
		} else {
			break
		}
		if name == "id" && len(id) > 0 {
			if !bytes.Equal(value, id) {
				break
			}
			ours = true
		}
	}
	return judgeWhole(message, id)
}

// endsWith reports whether the last member of a message is this id.
func endsWith(message, id []byte) bool {
	rest := bytes.TrimRight(message, blanks)
	for _, part := range [...][]byte{[]byte("}"), id, []byte(":"), []byte(`"id"`)} {
		var ok bool
		if rest, ok = bytes.CutSuffix(rest, part); !ok {
			return false
		}
		rest = bytes.TrimRight(rest, blanks)
	}
	return bytes.HasSuffix(rest, []byte(","))
}

func judgeWhole(message, id []byte) verdict {
	m, err := mcpwire.ParseReply(message, mcpwire.Limits{Size: len(message)})
	switch {
	case err != nil || !m.Kind.Response():
		return other
	case len(id) == 0 || bytes.Equal(m.Bytes(m.ID), id):
		return answers
	case m.Kind == mcpwire.Failure && !m.ID.Present():
		return addressless
	}
	a, ok := m.Text(m.ID) // a string may be written in two ways
	b, ok2 := mcpwire.Unquote(id)
	if ok && ok2 && a == b {
		return answers
	}
	return other
}

// addressed is an error without an id, with the one of the call that it can only mean.
func addressed(message, id []byte) []byte {
	object := mcpwire.Span{Start: bytes.IndexByte(message, '{'), End: bytes.LastIndexByte(message, '}') + 1}
	out, err := mcpwire.Splice(message, mcpwire.SetMember(message, object, "id", id))
	if err != nil {
		return message
	}
	return out
}
