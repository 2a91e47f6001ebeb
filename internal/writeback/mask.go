package writeback

import (
	"encoding/json"
	"fmt"
)

// mask makes an event fit to be shown: every customer value is cut to what tells
// two values apart but finds nobody.
func mask(event []byte) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, err
	}
	var user map[string]any
	if err := json.Unmarshal(members["user_data"], &user); err != nil {
		return nil, err
	}
	for key, v := range user {
		user[key] = masked(v)
	}
	shown, err := json.Marshal(user)
	if err != nil {
		return nil, err
	}
	members["user_data"] = shown
	return json.Marshal(members)
}

func masked(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
		return v
	case string:
		if len(v) == 64 {
			return v[:8] + "…"
		}
		return fmt.Sprintf("%.1s… (%d characters)", v, len([]rune(v)))
	default:
		return "…"
	}
}
