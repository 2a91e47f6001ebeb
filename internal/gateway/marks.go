package gateway

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Several servers may give the same id to their requests, and the same event id to
// their events. Towards the client each is marked with its member. The mark holds all
// there is to know, so that nothing has to be remembered for the way back.

// mark is the edit that marks the raw token at span.
func mark(m *mcpwire.Message, at mcpwire.Span, member int) mcpwire.Edit {
	text := strconv.Itoa(member) + "." + base64.RawURLEncoding.EncodeToString(m.Bytes(at))
	return mcpwire.Edit{Span: at, With: mcpwire.Quote(text)}
}

// unmark finds the member and its token again.
func unmark(token []byte, members int) (member int, raw []byte, ok bool) {
	text, _ := mcpwire.Unquote(token)
	number, encoded, _ := strings.Cut(text, ".")
	member, err := strconv.Atoi(number)
	if err != nil || member < 0 || member >= members || strconv.Itoa(member) != number {
		return 0, nil, false
	}
	raw, err = base64.RawURLEncoding.DecodeString(encoded)
	// Whoever makes a mark up gets no JSON of theirs into a message that was checked.
	if err != nil || !scalar(raw) {
		return 0, nil, false
	}
	return member, raw, true
}

// scalar accepts the JSON of one string or number, which ids and tokens are.
func scalar(raw []byte) bool {
	if len(raw) == 0 || !json.Valid(raw) {
		return false
	}
	c := raw[0]
	return (c == '"' || c == '-' || c >= '0' && c <= '9') && raw[len(raw)-1] > ' '
}

// tagging marks event ids of a call's stream with the member, so that the stream can
// be resumed where it came from.
type tagging struct {
	out    exchange.Sink
	member int
}

func (s tagging) Send(e exchange.Event) error {
	if e.HasID && e.ID != "" {
		e.ID = "c" + strconv.Itoa(s.member) + "." + e.ID
	}
	return s.out.Send(e)
}

// untag finds the member and the event id of a call's stream again.
func untag(id string, members int) (member int, rest string, ok bool) {
	text, isCall := strings.CutPrefix(id, "c")
	number, rest, _ := strings.Cut(text, ".")
	member, err := strconv.Atoi(number)
	return member, rest, isCall && err == nil && member >= 0 && member < members
}

// positions are the last event ids of all members on a merged stream, by member.
type positions map[int]string

func (p positions) String() string {
	text, _ := json.Marshal(p) // numbers and strings always encode
	return "l" + base64.RawURLEncoding.EncodeToString(text)
}

func readPositions(id string) positions {
	p := positions{}
	if text, ok := strings.CutPrefix(id, "l"); ok {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		// The id is the client's: "null" reads as no map at all.
		if err == nil && (json.Unmarshal(raw, &p) != nil || p == nil) {
			return positions{}
		}
	}
	return p
}
