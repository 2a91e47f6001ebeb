package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/graphspec"
)

// productFilter is which products a set or a list has: conditions that all hold, each on
// a field or a group of its own.
type productFilter struct {
	field, op string
	value     any
	all, any  []productFilter
}

var filterOps = []string{"eq", "neq", "lt", "lte", "gt", "gte", "contains", "i_contains", "not_contains", "is_any", "is_not_any", "starts_with"}

// readFilter reads {"availability":{"eq":"in stock"}} and {"and":[…]}, {"or":[…]}.
func readFilter(text string) (*productFilter, *Error) {
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil, Bad("Param filter must be a JSON object")
	}
	return filterOf(m)
}

func filterOf(m map[string]any) (*productFilter, *Error) {
	f := &productFilter{}
	for name, v := range m {
		if name == "and" || name == "or" {
			list, _ := v.([]any)
			for _, item := range list {
				inner, _ := item.(map[string]any)
				one, err := filterOf(inner)
				if err != nil {
					return nil, err
				}
				if name == "and" {
					f.all = append(f.all, *one)
				} else {
					f.any = append(f.any, *one)
				}
			}
			continue
		}
		ops, ok := v.(map[string]any)
		if !ok {
			return nil, Bad("Param filter: " + clip(name) + " must be an object with an operator")
		}
		for op, value := range ops {
			if !slices.Contains(filterOps, op) {
				return nil, Bad("Param filter: unknown operator " + clip(op))
			}
			f.all = append(f.all, productFilter{field: name, op: op, value: value})
		}
	}
	return f, nil
}

func (f *productFilter) holds(o *Object) bool {
	if f.field == "" {
		if len(f.any) > 0 && !slices.ContainsFunc(f.any, func(g productFilter) bool { return g.holds(o) }) {
			return false
		}
		return !slices.ContainsFunc(f.all, func(g productFilter) bool { return !g.holds(o) })
	}
	have := text(o.Attrs[f.field])
	want := text(f.value)
	switch f.op {
	case "eq":
		return strings.EqualFold(have, want)
	case "neq":
		return !strings.EqualFold(have, want)
	case "contains":
		return strings.Contains(have, want)
	case "i_contains":
		return strings.Contains(strings.ToLower(have), strings.ToLower(want))
	case "not_contains":
		return !strings.Contains(strings.ToLower(have), strings.ToLower(want))
	case "starts_with":
		return strings.HasPrefix(have, want)
	case "is_any", "is_not_any":
		list, _ := f.value.([]any)
		found := slices.ContainsFunc(list, func(v any) bool { return text(v) == have })
		return found == (f.op == "is_any")
	}
	a, bad := strconv.ParseFloat(have, 64)
	b, worse := strconv.ParseFloat(want, 64)
	if bad != nil || worse != nil {
		return false
	}
	return map[string]bool{"lt": a < b, "lte": a <= b, "gt": a > b, "gte": a >= b}[f.op]
}

// minorPrice reads a price of a batch: "19.99 GBP".
func minorPrice(s string) (amount int64, currency string, ok bool) {
	number, currency, found := strings.Cut(strings.TrimSpace(s), " ")
	if !found || !graphspec.IsCurrency(currency) {
		return 0, "", false
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || v < 0 {
		return 0, "", false
	}
	return int64(v*float64(graphspec.MinorUnits(currency)) + 0.5), currency, true
}
