package writetool

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// one is a single event as the engine reads events: a mapping, and the lines of its
// input.
type one struct {
	mapping []byte
	lines   []byte
}

// eventArgs is one event as a tool was given it.
type eventArgs struct {
	record    string // what tells it from others: the order's number, or a digest
	namespace string
	name      string
	at        json.Number
	source    string // action source
	url       string
	eventID   string
	tag       string
	user      map[string]any
	custom    map[string]any
}

// userKeys are the names that older interfaces have for Meta's keys.
var userKeys = map[string]string{
	"email": "em", "phone": "ph", "zip": "zp", "gen": "ge", "extern_id": "external_id", "first_name": "fn", "last_name": "ln", "city": "ct", "state": "st",
}

// build writes the mapping and the input of one event: every value stands in a column of
// its own, so that no value is ever read as part of the mapping.
func (a *eventArgs) build() (*one, error) {
	row := map[string]any{"record": a.record, "at": a.at.String()}
	m := map[string]any{
		"version": 1, "namespace": a.namespace, "source": map[string]any{"format": "jsonl"}, "id": "record", "outcome": "event",
		"events": map[string]any{"event": a.name}, "time": map[string]any{"column": "at", "format": "epoch"},
		"action_source": a.source, "consent": "granted", "hashed": "auto", "order_id": "none",
	}
	if a.name == "Purchase" && (a.custom["value"] == nil || a.custom["currency"] == nil) {
		return nil, tool.Bad("custom_data", "a Purchase needs value and currency", "give both, such as {\"value\": 49.9, \"currency\": \"GBP\"}")
	}
	user := map[string]any{}
	for i, name := range slices.Sorted(maps.Keys(a.user)) {
		column := "user" + strconv.Itoa(i)
		key := name
		if today, ok := userKeys[name]; ok {
			key = today
		}
		if _, twice := user[key]; twice {
			return nil, tool.Bad("user_data."+name, "it is given under two names", "keep one of them")
		}
		user[key] = column
		row[column] = a.user[name]
	}
	if len(user) == 0 {
		return nil, tool.Bad("user_data", "it has no member", "give at least one of email, phone, external_id, or a name with a place")
	}
	m["user"] = user
	if a.url != "" {
		row["url"], m["event_source_url"] = a.url, "url"
	}
	if a.eventID != "" {
		row["event_id"], m["event_id"] = a.eventID, "event_id"
	}
	if a.tag != "" {
		row["tag"], m["labels"] = a.tag, map[string]any{"upload_tag": "tag"}
	}
	contents, err := a.money(row, m)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	if len(contents) == 0 {
		contents = []map[string]any{nil}
	}
	for _, item := range contents {
		line := maps.Clone(row)
		maps.Copy(line, item)
		if err := enc.Encode(line); err != nil {
			return nil, err
		}
	}
	return &one{text, lines.Bytes()}, nil
}

// money maps custom_data; contents become lines of their own.
func (a *eventArgs) money(row, m map[string]any) (contents []map[string]any, err error) {
	custom := map[string]any{}
	for i, name := range slices.Sorted(maps.Keys(a.custom)) {
		v := a.custom[name]
		switch name {
		case "currency":
			m["currency"] = map[string]any{"column": "currency"}
			row["currency"] = v
			continue
		case "value":
			m["value"] = "value"
			row["value"] = v
			continue
		case "order_id":
			m["order_id"] = "order_id"
			row["order_id"] = v
			continue
		case "contents":
			list, _ := v.([]any)
			m["lines"] = map[string]any{"id": "item", "quantity": "quantity", "item_price": "price"}
			for _, item := range list {
				given, _ := item.(map[string]any)
				line := map[string]any{"item": given["id"], "quantity": given["quantity"], "price": given["item_price"]}
				if line["quantity"] == nil {
					line["quantity"] = json.Number("1")
				}
				contents = append(contents, line)
			}
			continue
		}
		column := "custom" + strconv.Itoa(i)
		switch value := v.(type) {
		case []any: // content_ids
			var columns []string
			for j, id := range value {
				c := column + "_" + strconv.Itoa(j)
				row[c] = id
				columns = append(columns, c)
			}
			custom[name] = columns
		case map[string]any:
			return nil, tool.Bad("custom_data."+name, "it is an object", "properties are text, numbers or true and false")
		case json.Number:
			row[column], custom[name] = value, map[string]any{"column": column, "type": "number"}
		case bool:
			row[column], custom[name] = value, map[string]any{"column": column, "type": "boolean"}
		default:
			row[column], custom[name] = v, column
		}
	}
	if len(custom) > 0 {
		m["custom"] = custom
	}
	if len(custom) > 50 {
		return nil, fault.New(fault.ArgumentInvalid, "custom_data: it has more than 50 members").WithFix("leave out what Meta does not need")
	}
	return contents, nil
}
