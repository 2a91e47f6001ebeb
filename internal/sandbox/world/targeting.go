package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

var targetingBehaviours = map[string]Behaviour{
	"GET Root.search":                 searchTargeting,
	"GET AdAccount.targetingsearch":   searchAccountTargeting,
	"GET AdAccount.targetingbrowse":   browseAccountTargeting,
	"GET AdAccount.reachestimate":     estimateReach,
	"GET AdAccount.delivery_estimate": estimateDelivery,
	"GET AdSet.delivery_estimate":     estimateAdSet,
}

// searchTargeting answers /search by its type.
func searchTargeting(c *Call) (any, *Error) {
	kind, word := c.Param("type"), strings.ToLower(c.Param("q"))
	var rows []map[string]any
	switch {
	case kind == "adgeolocation":
		rows = searchPlaces(word, c.Strings("location_types"), c.Param("country_code"))
	case kind == "adcountry":
		rows = searchPlaces(word, []string{"country"}, "")
	case kind == "adlocale":
		for _, l := range locales {
			if strings.HasPrefix(strings.ToLower(l.name), word) {
				rows = append(rows, map[string]any{"key": l.key, "name": l.name})
			}
		}
	case kind == "adTargetingCategory":
		rows = browseOptions(c.Param("class"))
	case searchKinds[kind] != "":
		if word == "" {
			return nil, Bad("The parameter q is required")
		}
		for _, o := range targetingOptions {
			if o.kind == searchKinds[kind] && strings.Contains(strings.ToLower(o.name), word) {
				rows = append(rows, o.row(kind))
			}
		}
	default:
		return nil, Bad("Unsupported search type " + kind)
	}
	return c.Rows("TargetingOption", rows)
}

// row writes an option as /search does: jobs and schools have no size but a count.
func (o option) row(search string) map[string]any {
	m := map[string]any{"id": o.id, "name": o.name}
	if search == "adinterest" || search == "adTargetingCategory" {
		m["audience_size_lower_bound"], m["audience_size_upper_bound"] = o.size*92/100, o.size*108/100
		m["path"] = o.path
		if search == "adTargetingCategory" {
			m["type"] = o.kind
			return m
		}
		m["topic"] = o.path[1]
		return m
	}
	m["coverage"], m["subject_count"] = 0.5, o.size
	return m
}

// browseOptions lists a class of categories; some classes are shown inside demographics.
func browseOptions(class string) []map[string]any {
	inside := []string{"life_events", "industries", "income", "family_statuses"}
	var rows []map[string]any
	for _, o := range targetingOptions {
		if class == "" || o.kind == class || class == "demographics" && slices.Contains(inside, o.kind) {
			rows = append(rows, o.row("adTargetingCategory"))
		}
	}
	return rows
}

func searchPlaces(word string, kinds []string, country string) []map[string]any {
	var rows []map[string]any
	for _, p := range places {
		if !strings.HasPrefix(strings.ToLower(p.name), word) || country != "" && p.country != country ||
			len(kinds) > 0 && !slices.Contains(kinds, p.kind) {
			continue
		}
		m := map[string]any{"key": p.key, "name": p.name, "type": p.kind, "country_code": p.country, "supports_city": true, "supports_region": true}
		if i := slices.IndexFunc(places, func(q place) bool { return q.kind == "country" && q.key == p.country }); i >= 0 {
			m["country_name"] = places[i].name
		}
		if p.region != "" {
			m["region"] = p.region
		}
		rows = append(rows, m)
	}
	return rows
}

func searchAccountTargeting(c *Call) (any, *Error) {
	word := strings.ToLower(c.Param("q"))
	return c.Rows("AdAccountTargetingUnified", unified(c, func(o option) bool { return strings.Contains(strings.ToLower(o.name), word) }))
}

func browseAccountTargeting(c *Call) (any, *Error) {
	return c.Rows("AdAccountTargetingUnified", unified(c, func(option) bool { return true }))
}

// unified are the options of an ad account. Campaigns on housing, jobs and credit may
// not aim at demographics.
func unified(c *Call, wanted func(option) bool) []map[string]any {
	regulated := slices.ContainsFunc(c.Strings("regulated_categories"), func(s string) bool { return s != "NONE" })
	var rows []map[string]any
	for _, o := range targetingOptions {
		limit := c.Param("limit_type")
		if !wanted(o) || limit != "" && o.kind != limit || regulated && o.path[0] == "Demographics" {
			continue
		}
		rows = append(rows, map[string]any{
			"id": o.id, "name": o.name, "type": o.kind, "path": o.path,
			"audience_size_lower_bound": o.size * 92 / 100, "audience_size_upper_bound": o.size * 108 / 100,
		})
	}
	return rows
}

// estimateReach answers with an object in data, not with a list.
func estimateReach(c *Call) (any, *Error) {
	n, err := c.reach(c.Param("targeting_spec"))
	if err != nil {
		return nil, err
	}
	lower, upper := bounds(n)
	return map[string]any{"data": map[string]any{"users_lower_bound": lower, "users_upper_bound": upper, "estimate_ready": true}}, nil
}

func estimateDelivery(c *Call) (any, *Error) { return c.delivery(c.Param("targeting_spec")) }

// estimateAdSet estimates an ad set by its own targeting, unless the call gives another.
func estimateAdSet(c *Call) (any, *Error) {
	spec := c.Param("targeting_spec")
	if spec == "" {
		spec = text(c.On.Attrs["targeting"])
	}
	if spec == "" {
		spec = `{"geo_locations":{"countries":["GB"]}}`
	}
	return c.delivery(spec)
}

func (c *Call) delivery(spec string) (any, *Error) {
	n, err := c.reach(spec)
	if err != nil {
		return nil, err
	}
	lower, upper := bounds(n)
	day := n * 7 / 10
	if n < 0 {
		day = n
	}
	return c.Rows(c.Op.Returns, []map[string]any{{
		"estimate_dau": day, "estimate_mau_lower_bound": lower, "estimate_mau_upper_bound": upper, "estimate_ready": true,
	}})
}

// bounds are lower and upper bound of an estimate; -1 is none.
func bounds(n int64) (lower, upper int64) {
	if n < 0 {
		return -1, -1
	}
	round := func(v int64) int64 { return max(1000, v/100*100) }
	return round(n * 92 / 100), round(n * 108 / 100)
}

// targetingSpec is what the estimate looks at.
type targetingSpec struct {
	Geo *struct {
		Countries []string   `json:"countries"`
		Cities    []placeKey `json:"cities"`
		Regions   []placeKey `json:"regions"`
		Zips      []placeKey `json:"zips"`
	} `json:"geo_locations"`
	AgeMin   int64             `json:"age_min"`
	AgeMax   int64             `json:"age_max"`
	Genders  []int             `json:"genders"`
	Flexible []json.RawMessage `json:"flexible_spec"`
	Custom   []struct {
		ID string `json:"id"`
	} `json:"custom_audiences"`
}

type placeKey struct {
	Key string `json:"key"`
}

// reach is a rough, steady count: people of the places, less by age, gender and each
// group of interests. -1 is given while a custom audience is still being filled.
func (c *Call) reach(text string) (int64, *Error) {
	var spec targetingSpec
	if json.Unmarshal([]byte(text), &spec) != nil {
		return 0, Bad("Param targeting_spec must be a targeting specification")
	}
	if spec.Geo == nil && len(spec.Custom) == 0 {
		return 0, Bad("Param targeting_spec: geo_locations is required")
	}
	var n int64
	if spec.Geo != nil {
		keys := slices.Clone(spec.Geo.Countries)
		for _, p := range slices.Concat(spec.Geo.Cities, spec.Geo.Regions, spec.Geo.Zips) {
			keys = append(keys, p.Key)
		}
		for _, key := range keys {
			n += peopleOf(key)
		}
	}
	for i, a := range spec.Custom {
		o := c.World.Get(a.ID)
		if o == nil || o.Kind != "CustomAudience" {
			return 0, Bad("Custom audience " + strconv.Quote(clip(a.ID)) + " does not exist")
		}
		if c.filling(o) {
			return -1, nil
		}
		if i == 0 {
			n = 0
		}
		n += people(o)
	}
	from, to := max(spec.AgeMin, 18), spec.AgeMax
	if to == 0 {
		to = 65
	}
	if to < from {
		return 0, Bad("Param targeting_spec: age_max is less than age_min")
	}
	n = n * (to - from + 1) / 48
	if len(spec.Genders) == 1 {
		n /= 2
	}
	for range spec.Flexible {
		n = n * 12 / 100
	}
	return n, nil
}

// peopleOf is how many people a place has; unknown ones have a million.
func peopleOf(key string) int64 {
	for _, p := range places {
		if p.key == key {
			return p.people
		}
	}
	return 1_000_000
}
