package privacy

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/capi"
)

var userData = []byte(`"user_data":{`)

// identifiers calls fn for every value of a tagged field in the event's user_data.
// The encoder writes keys sorted, and user_data is the last of them; inside a text
// the quotes of the mark would be escaped. So it is found without parsing the rest.
func identifiers(event []byte, fn func(capi.Field, []byte)) {
	b := event
	for found := false; ; found = true {
		at := bytes.Index(b, userData) // far faster than LastIndex
		if at < 0 && !found {
			return
		}
		if at < 0 {
			break
		}
		b = b[at+len(userData):]
	}
	for len(b) > 0 && b[0] == '"' {
		key, rest, ok := text(b)
		if !ok || len(rest) == 0 || rest[0] != ':' {
			return
		}
		field, wanted := tagged(key)
		b = rest[1:]
		list := len(b) > 0 && b[0] == '['
		if list {
			b = b[1:]
		}
		for len(b) > 0 && b[0] != '}' {
			switch {
			case b[0] == '"':
				value, rest, ok := text(b)
				if !ok {
					return
				}
				if wanted {
					fn(field, plain(value))
				}
				b = rest
			default: // a number
				end := bytes.IndexAny(b, ",]}")
				if end < 0 {
					return
				}
				if wanted && end > 0 {
					fn(field, b[:end])
				}
				b = b[end:]
			}
			if !list || len(b) == 0 || b[0] != ',' {
				break
			}
			b = b[1:]
		}
		if list && len(b) > 0 && b[0] == ']' {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != ',' {
			return
		}
		b = b[1:]
	}
}

// text splits a JSON text at the start of b from what follows; it is returned
// without its quotes, escapes as they are.
func text(b []byte) (value, rest []byte, ok bool) {
	for from := 1; ; {
		end := bytes.IndexByte(b[from:], '"')
		if end < 0 {
			return nil, nil, false
		}
		end += from
		slashes := 0
		for b[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return b[1:end], b[end+1:], true
		}
		from = end + 1
	}
}

// plain resolves escapes, which identifiers hardly ever have.
func plain(value []byte) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return value
	}
	quoted := append(append([]byte{'"'}, value...), '"')
	if out, err := jsontext.AppendUnquote(nil, quoted); err == nil {
		return out
	}
	return value
}

func tagged(key []byte) (capi.Field, bool) {
	switch string(key) {
	case "em":
		return capi.FieldEmail, true
	case "ph":
		return capi.FieldPhone, true
	case "external_id":
		return capi.FieldExternalID, true
	}
	return 0, false
}
