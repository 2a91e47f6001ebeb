package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readNode answers GET /{id}?fields=…
func (s *Server) readNode(r *request) (any, *apiError) {
	wanted, err := r.fields()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.render(r.object, wanted)
}

// fields reads the fields parameter; nil without one.
func (r *request) fields() ([]selection, *apiError) {
	if text := r.param("fields"); text != "" {
		return parseFields(text)
	}
	return nil, nil
}

// render writes a node with the wanted fields, or its default ones. A field that
// has no value is left out, as Graph does. The caller holds mu.
func (s *Server) render(o *object, wanted []selection) (map[string]any, *apiError) {
	spec := kinds[o.kind]
	if len(wanted) == 0 {
		for _, name := range spec.defaults {
			wanted = append(wanted, selection{name: name})
		}
	}
	out := map[string]any{"id": o.id}
	for _, w := range wanted {
		if !slices.Contains(spec.fields, w.name) {
			return nil, errNoField.with("field", w.name, "type", string(o.kind))
		}
		switch v := s.field(o, w.name).(type) {
		case nil:
		case ref:
			target := s.world.objects[string(v)]
			sub := w.sub
			if len(sub) == 0 {
				sub = []selection{{name: "id"}, {name: "name"}}
			}
			inner, err := s.render(target, sub)
			if err != nil {
				return nil, err
			}
			out[w.name] = inner
		default:
			out[w.name] = v
		}
	}
	return out, nil
}

// field returns the value of a field: an attribute, or for a dataset a total of
// its events. The caller holds mu.
func (s *Server) field(o *object, name string) any {
	if name == "id" {
		return o.id
	}
	if v, ok := o.attrs[name]; ok {
		return v
	}
	if o.kind != kindDataset {
		return nil
	}
	log := s.store.log(o.id)
	offline := &log.offline
	switch name {
	case "last_fired_time":
		if !log.last.IsZero() {
			return graphTime(log.last)
		}
	case "valid_entries":
		return offline.valid
	case "matched_entries":
		return offline.matched
	case "duplicate_entries":
		return offline.dup
	case "match_rate_approx":
		return offline.matchRate()
	case "event_time_min":
		if offline.valid > 0 {
			return offline.timeMin
		}
	case "event_time_max":
		if offline.valid > 0 {
			return offline.timeMax
		}
	case "event_stats":
		return offline.stats()
	case "usage":
		return map[string]any{"num_lift_studies": 0}
	}
	return nil
}

// datasetUpdates are the parameters a dataset can be updated with: their allowed
// values, or nil for free text.
var datasetUpdates = map[string][]string{
	"name":                      nil,
	"enable_automatic_matching": {"true", "false"},
	"automatic_matching_fields": nil,
	"first_party_cookie_status": {"EMPTY", "FIRST_PARTY_COOKIE_DISABLED", "FIRST_PARTY_COOKIE_ENABLED"},
	"data_use_setting":          {"EMPTY", "ADVERTISING_AND_ANALYTICS", "ANALYTICS_ONLY"},
}

var matchingFields = []string{"em", "fn", "ln", "ph", "ge", "zp", "ct", "st", "country", "db", "external_id"}

// updateDataset answers POST /{dataset}: all parameters are checked before one is set.
func (s *Server) updateDataset(r *request) (any, *apiError) {
	changes := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(datasetUpdates)) {
		if !r.hasParam(name) {
			continue
		}
		v := r.param(name)
		allowed := datasetUpdates[name]
		switch {
		case allowed != nil && !slices.Contains(allowed, v), name == "name" && v == "":
			return nil, errParam.with("what", "Param "+name+" must be one of "+strings.Join(allowed, ", "))
		case name == "enable_automatic_matching":
			changes[name] = v == "true"
		case name == "automatic_matching_fields":
			var list []string
			if json.Unmarshal([]byte(v), &list) != nil || slices.ContainsFunc(list, func(f string) bool { return !slices.Contains(matchingFields, f) }) {
				return nil, errParam.with("what", "Param automatic_matching_fields must be an array of "+strings.Join(matchingFields, ", "))
			}
			changes[name] = list
		default:
			changes[name] = clip(v)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(r.object.attrs, changes)
	return map[string]any{"success": true}, nil
}

// createDataset answers POST /{business}/ads_dataset.
func (s *Server) createDataset(r *request) (any, *apiError) {
	name := r.param("name")
	if name == "" {
		return nil, errParam.with("what", "The parameter name is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.world.create(clip(name), r.param("is_crm") == "true", r.now)
	return map[string]any{"id": o.id}, nil
}

// createPixel answers POST /act_…/adspixels. An ad account has at most one.
func (s *Server) createPixel(r *request) (any, *apiError) {
	if r.param("name") == "" {
		return nil, errParam.with("what", "The parameter name is required")
	}
	return nil, errPixelExists.with()
}

// messagingDataset answers GET and POST of a Page's or account's dataset edge.
func (s *Server) messagingDataset(*request) (any, *apiError) {
	return map[string]any{"id": Dataset}, nil
}

// debugToken answers GET /debug_token: what a token is, never the token.
func (s *Server) debugToken(r *request) (any, *apiError) {
	input := r.param("input_token")
	if input == "" {
		return nil, errParam.with("what", "The parameter input_token is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tok, err := s.world.verify(input, r.now)
	if tok == nil && err.row == errTokenInvalid {
		return debugData(map[string]any{"is_valid": false, "scopes": []string{}, "error": debugError(err)}), nil
	}
	known := s.world.find(input)
	data := map[string]any{
		"app_id": App, "type": known.kind, "application": s.world.objects[App].name(), "is_valid": err == nil,
		"expires_at": 0, "data_access_expires_at": 0, "scopes": slices.Clone(known.scopes), "granular_scopes": s.granular(known),
	}
	if known.kind != "APP" {
		data["user_id"] = SystemUser
	}
	if !known.expires.IsZero() {
		data["expires_at"] = known.expires.Unix()
	}
	if err != nil {
		data["error"] = debugError(err)
	}
	return debugData(data), nil
}

func debugData(data map[string]any) map[string]any { return map[string]any{"data": data} }

func debugError(err *apiError) map[string]any {
	out := map[string]any{"code": err.row.Code, "message": err.fill(err.row.Message)}
	if err.row.Subcode != 0 {
		out["subcode"] = err.row.Subcode
	}
	return out
}

// granular lists the objects behind each scope. The caller holds mu.
func (s *Server) granular(t *token) []map[string]any {
	out := []map[string]any{}
	for _, scope := range t.scopes {
		entry := map[string]any{"scope": scope}
		if t.objects != nil {
			entry["target_ids"] = t.objects
		}
		out = append(out, entry)
	}
	return out
}

// listDatasets answers the listing edges of a business and an ad account.
func (s *Server) listDatasets(r *request) (any, *apiError) {
	wanted, err := r.fields()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*object
	for _, o := range s.world.datasets() {
		if id := r.param("id_filter"); id != "" && o.id != id {
			continue
		}
		if name := r.param("name_filter"); name != "" && !strings.Contains(strings.ToLower(o.name()), strings.ToLower(name)) {
			continue
		}
		found = append(found, o)
	}
	switch by := r.param("sort_by"); by {
	case "":
	case "NAME":
		slices.SortStableFunc(found, func(a, b *object) int { return strings.Compare(a.name(), b.name()) })
	case "LAST_FIRED_TIME":
		slices.SortStableFunc(found, func(a, b *object) int { return s.store.log(b.id).last.Compare(s.store.log(a.id).last) })
	default:
		return nil, errParam.with("what", "Param sort_by must be one of {LAST_FIRED_TIME, NAME}")
	}
	return paged(r, found, func(o *object) string { return o.id }, func(o *object) (map[string]any, *apiError) {
		return s.render(o, wanted)
	})
}

// listNothing answers an edge that is empty in this world.
func (s *Server) listNothing(r *request) (any, *apiError) {
	return paged(r, []*object(nil), func(o *object) string { return o.id }, func(o *object) (map[string]any, *apiError) { return nil, nil })
}

// unixParam reads a time parameter: Unix seconds or RFC 3339.
func (r *request) unixParam(name string, otherwise int64) (int64, *apiError) {
	text := r.param(name)
	if text == "" {
		return otherwise, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.Unix(), nil
	}
	return 0, errParam.with("what", "Param "+name+" must be a valid timestamp")
}
