package gateway

import (
	"encoding/base64"
	"encoding/json"
)

// cursor is the place in a merged list: the cursors of those members that have more.
// It is opaque to clients; one that was made for another list is refused.
type cursor struct {
	method string
	of     [][2]string // member, its cursor
}

func (c *cursor) add(member, text string) { c.of = append(c.of, [2]string{member, text}) }

func (c *cursor) find(member string) (string, bool) {
	for _, pair := range c.of {
		if pair[0] == member {
			return pair[1], true
		}
	}
	return "", false
}

// quoted is the cursor as a JSON string.
func (c *cursor) quoted() []byte {
	text, _ := json.Marshal(append([][2]string{{c.method}}, c.of...)) // strings always encode
	out := append([]byte{'"'}, base64.RawURLEncoding.EncodeToString(text)...)
	return append(out, '"')
}

func readCursor(text, method string) (c cursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c.of) != nil || len(c.of) < 2 || c.of[0][0] != method {
		return c, false
	}
	c.of, c.method = c.of[1:], method
	return c, true
}
