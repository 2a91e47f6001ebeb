package mcpwire

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Mirror is the member of params that the header Mcp-Name repeats in calls of this
// method; false where there is none.
func Mirror(method string) (member string, ok bool) {
	switch method {
	case MethodToolsCall, MethodPromptsGet:
		return "name", true
	case MethodResourcesRead:
		return "uri", true
	case MethodTaskGet, MethodTaskUpdate, MethodTaskCancel:
		return "taskId", true
	}
	return "", false
}

// Mirrored is the value that Mcp-Name repeats, decoded; false where the method has
// none or the message does not give it.
func (m *Message) Mirrored() (string, bool) {
	switch member, _ := Mirror(m.Method); member {
	case "name", "taskId":
		return m.Text(m.Name)
	case "uri":
		return m.Text(m.URI)
	}
	return "", false
}

// The wrapper of a header value that can't stand as it is.
const (
	wrapperStart = "=?base64?"
	wrapperEnd   = "?="
)

// EncodeHeader is value as it travels in Mcp-Name and Mcp-Param-*: itself, or base64
// in the wrapper when it is empty, has characters other than visible ASCII and inner
// blanks, or looks like the wrapper. (Empty could stand; but there are peers that take
// an empty header for a missing one.)
func EncodeHeader(value string) string {
	if plainHeader(value) {
		return value
	}
	return wrapperStart + base64.StdEncoding.EncodeToString([]byte(value)) + wrapperEnd
}

func plainHeader(value string) bool {
	if value == "" || value[0] == ' ' || value[len(value)-1] == ' ' || wrapped(value) {
		return false
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func wrapped(value string) bool {
	return len(value) >= len(wrapperStart)+len(wrapperEnd) &&
		strings.HasPrefix(value, wrapperStart) && strings.HasSuffix(value, wrapperEnd)
}

// DecodeHeader is the value that a field of Mcp-Name or Mcp-Param-* stands for. It is
// false for a field with characters that may not be there, and for a wrapper around
// something other than padded base64 of UTF-8. What is no whole wrapper is taken
// literally.
func DecodeHeader(field string) (string, bool) {
	for i := range len(field) {
		if c := field[i]; c != '\t' && (c < ' ' || c > '~') {
			return "", false
		}
	}
	if !wrapped(field) {
		return field, true
	}
	value, err := base64.StdEncoding.Strict().DecodeString(field[len(wrapperStart) : len(field)-len(wrapperEnd)])
	if err != nil || !utf8.Valid(value) {
		return "", false
	}
	return string(value), true
}
