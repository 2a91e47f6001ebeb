package policytool

import (
	"bytes"
	"encoding/json"
	"strings"

	"sluice/internal/suggest"
)

// quote writes a JSON string without the escapes that only HTML needs.
func quote(s string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // of a string it can't fail
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// pointer joins names to a JSON pointer.
func pointer(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteByte('/')
		b.WriteString(pointerEscapes.Replace(n))
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func unknownKeyFix(key string, keys []string) string {
	list := "the keys are " + strings.Join(keys, ", ")
	if near := suggest.Closest(key, keys); near != "" {
		return "did you mean " + near + "? " + list
	}
	return list
}
