package world

import (
	"slices"
	"strconv"
	"strings"
)

// filter is one entry of filtering.
type filter struct {
	Field    string
	Operator string
	Value    any
}

func (c *Call) filters() ([]filter, *Error) {
	if !c.Has("filtering") {
		return nil, nil
	}
	var list []filter
	if err := c.JSON("filtering", &list); err != nil {
		return nil, err
	}
	known := []string{"EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "IN", "NOT_IN", "CONTAIN", "NOT_CONTAIN"}
	for _, f := range list {
		if f.Field == "" || !slices.Contains(known, f.Operator) {
			return nil, Bad("filtering: each entry must have a field, an operator of {" + strings.Join(known, ", ") + "} and a value")
		}
	}
	return list, nil
}

// keeps reports whether a row passes all filters: campaign.id, ad.name, spend.
func (r *report) keeps(w *World, entity *Object, row map[string]any) bool {
	for _, f := range r.filters {
		var have string
		if kind, attr, dotted := strings.Cut(f.Field, "."); dotted {
			o := w.Above(entity, levelKinds[kind])
			if o == nil {
				continue
			}
			have = o.Str(attr)
			if attr == "id" {
				have = o.ID
			}
			if attr == "effective_status" {
				have = o.Str("status")
			}
		} else {
			have, _ = row[f.Field].(string)
		}
		if !f.holds(have) {
			return false
		}
	}
	return true
}

func (f filter) holds(have string) bool {
	list := []string{}
	switch v := f.Value.(type) {
	case []any:
		for _, item := range v {
			list = append(list, text(item))
		}
	default:
		list = append(list, text(v))
	}
	if len(list) == 0 {
		return false
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0
		}
		return v
	}
	switch f.Operator {
	case "EQUAL", "IN":
		return slices.Contains(list, have)
	case "NOT_EQUAL", "NOT_IN":
		return !slices.Contains(list, have)
	case "GREATER_THAN":
		return number(have) > number(list[0])
	case "GREATER_THAN_OR_EQUAL":
		return number(have) >= number(list[0])
	case "LESS_THAN":
		return number(have) < number(list[0])
	case "LESS_THAN_OR_EQUAL":
		return number(have) <= number(list[0])
	case "CONTAIN":
		return strings.Contains(have, list[0])
	}
	return !strings.Contains(have, list[0])
}
