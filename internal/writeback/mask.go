package writeback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
)

// mask makes an event fit to be shown: every customer value is cut to what tells
// two values apart but finds nobody, links lose what follows the path, and of the
// custom properties only the names stay.
func mask(event []byte) (json.RawMessage, error) {
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	for name, v := range members {
		switch name {
		case "event_name", "event_time", "event_id", "action_source", "messaging_channel", "opt_out", "store_data",
			"data_processing_options", "data_processing_options_country", "data_processing_options_state":
		case "event_source_url", "referrer_url":
			members[name] = cutLink(v)
		case "custom_data":
			members[name] = shownCustom(v)
		default:
			members[name] = masked(v)
		}
	}
	return json.Marshal(members)
}

// cutLink keeps scheme, host and path of a link: queries carry addresses and tokens.
func cutLink(v any) any {
	text, ok := v.(string)
	if !ok {
		return masked(v)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return masked(v)
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// businessKeys are the members of custom_data that say nothing about a person.
var businessKeys = []string{
	"value", "currency", "order_id", "item_number", "contents", "content_ids", "content_type", "content_category", "num_items",
	"net_revenue", "predicted_ltv", "delivery_category", "event_source", "lead_event_source", "customer_segmentation",
}

func shownCustom(v any) any {
	members, ok := v.(map[string]any)
	if !ok {
		return masked(v)
	}
	for name, v := range members {
		if !slices.Contains(businessKeys, name) {
			members[name] = masked(v)
		}
	}
	return members
}

func masked(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = masked(v[i])
		}
		return v
	case map[string]any:
		for name := range v {
			v[name] = masked(v[name])
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
