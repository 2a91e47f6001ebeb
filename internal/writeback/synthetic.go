package writeback

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// disguise replaces the people of an event by people who do not exist, one for one:
// whoever bought twice still did, and nobody can be told from it. Its key lives as
// long as one dry run.
type disguise struct{ key []byte }

func newDisguise() disguise {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, see crypto/rand
	return disguise{key}
}

// number is the same for the same value of a field within one dry run.
func (d disguise) number(field, value string) uint64 {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(field + "\x00" + value))
	return binary.BigEndian.Uint64(h.Sum(nil))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// invented is a value of the same form for one of a customer-information field: an
// address at example.com, a number of the ranges kept for fiction, a documentation
// network. ok is false for fields whose invented value would mean nothing.
func (d disguise) invented(field, value string) (string, bool) {
	n := d.number(field, value)
	switch field {
	case "em":
		return digest(fmt.Sprintf("buyer-%012x@example.com", n&0xffffffffffff)), true
	case "ph":
		return digest(fmt.Sprintf("442079460%03d", n%1000)), true
	case "external_id":
		return digest(fmt.Sprintf("test-%016x", n)), true
	case "fn", "ln":
		return digest(fmt.Sprintf("test%c%c", 'a'+rune(n%26), 'a'+rune(n/26%26))), true
	case "db":
		return digest(fmt.Sprintf("19%02d%02d%02d", 50+n%50, 1+n/50%12, 1+n/600%28)), true
	case "ct":
		return digest("testtown"), true
	case "zp":
		return digest("00000"), true
	case "st", "country", "ge":
		return value, true // of millions of people each
	case "client_ip_address":
		return fmt.Sprintf("192.0.2.%d", 1+n%254), true
	case "client_user_agent":
		return "Mozilla/5.0 (test)", true
	default:
		return "", false
	}
}

// body builds a request from the given events in disguise.
func (d disguise) body(parts [][]byte, testCode string) ([]byte, error) {
	data := make([]map[string]any, len(parts))
	for i, part := range parts {
		dec := json.NewDecoder(bytes.NewReader(part))
		dec.UseNumber()
		if err := dec.Decode(&data[i]); err != nil {
			return nil, err
		}
		if user, ok := data[i]["user_data"].(map[string]any); ok {
			data[i]["user_data"] = d.person(user)
		}
		delete(data[i], "event_source_url") // may carry a click id, or more
		if data[i]["action_source"] == "website" {
			data[i]["event_source_url"] = "https://shop.example.com/"
		}
	}
	req := map[string]any{"data": data}
	if testCode != "" {
		req["test_event_code"] = testCode
	}
	return json.Marshal(req)
}

func (d disguise) person(user map[string]any) map[string]any {
	out := map[string]any{}
	for field, v := range user {
		switch v := v.(type) {
		case string:
			if s, ok := d.invented(field, v); ok {
				out[field] = s
			}
		case []any:
			var list []string
			for _, one := range v {
				if text, ok := one.(string); ok {
					if s, ok := d.invented(field, text); ok {
						list = append(list, s)
					}
				}
			}
			if len(list) > 0 {
				out[field] = list
			}
		}
	}
	if len(out) == 0 { // it was known by something that can't be invented
		out["external_id"] = digest("test-nobody")
	}
	return out
}

// withTestCode adds the code to a request's body.
func withTestCode(body []byte, code string) ([]byte, error) {
	quoted, err := json.Marshal(code)
	if err != nil {
		return nil, err
	}
	out := append(bytes.TrimSuffix(body, []byte("}")), `,"test_event_code":`...)
	return append(append(out, quoted...), '}'), nil
}
