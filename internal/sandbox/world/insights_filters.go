package world

import (
	"slices"
	"strconv"
	"strings"

	"sluice/internal/graphspec"
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
		kind, attr, dotted := strings.Cut(f.Field, ".")
		node := graphspec.Lookup(levelKinds[kind])
		if !dotted {
			node, attr = graphspec.Lookup("AdsInsights"), f.Field
		}
		if node == nil {
			return nil, Bad("filtering: there is no field " + clip(f.Field))
		}
		if _, there := node.Field(attr); !there {
			return nil, Bad("filtering: there is no field " + clip(f.Field))
		}
	}
	return list, nil
}

// leaves are the ads that pass the filters on what they are or belong to: campaign.id,
// ad.name. They take away from sums as well.
func (r *report) leaves(w *World, ads []*Object) []*Object {
	return slices.DeleteFunc(slices.Clone(ads), func(ad *Object) bool {
		return slices.ContainsFunc(r.filters, func(f filter) bool {
			kind, attr, dotted := strings.Cut(f.Field, ".")
			if !dotted {
				return false
			}
			o := w.Above(ad, levelKinds[kind])
			if o == nil {
				return true
			}
			switch attr {
			case "id":
				return !f.holds(o.ID)
			case "effective_status":
				return !f.holds(effective(w, o))
			}
			return !f.holds(o.Str(attr))
		})
	})
}

// keeps reports whether a row passes the filters on its numbers: spend, impressions.
func (r *report) keeps(row map[string]any) bool {
	for _, f := range r.filters {
		if strings.Contains(f.Field, ".") {
			continue
		}
		if have, _ := row[f.Field].(string); !f.holds(have) {
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
