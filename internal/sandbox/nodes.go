package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/sandbox/world"
)

// fields reads the fields parameter; nil without one.
func (r *request) fields() ([]world.Selection, *apiError) {
	wanted, err := world.ParseSelection(r.param("fields"))
	return wanted, fromWorld(err)
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
			var list []any
			if json.Unmarshal([]byte(v), &list) != nil || slices.ContainsFunc(list, func(f any) bool { return !isMatchingField(f) }) {
				return nil, errParam.with("what", "Param automatic_matching_fields must be an array of "+strings.Join(matchingFields, ", "))
			}
			changes[name] = list
		default:
			changes[name] = clip(v)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(r.object.Attrs, changes)
	return map[string]any{"success": true}, nil
}

func isMatchingField(v any) bool {
	name, ok := v.(string)
	return ok && slices.Contains(matchingFields, name)
}

// createDataset answers POST /{business}/ads_dataset.
func (s *Server) createDataset(r *request) (any, *apiError) {
	name := r.param("name")
	if name == "" {
		return nil, errParam.with("what", "The parameter name is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.world.create(clip(name), r.param("is_crm") == "true")
	return map[string]any{"id": o.ID}, nil
}

// createPixel answers POST /act_…/adspixels. An ad account has at most one.
func (s *Server) createPixel(r *request) (any, *apiError) {
	name := r.param("name")
	if name == "" {
		return nil, errParam.with("what", "The parameter name is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.world.All(kindDataset), func(o *world.Object) bool { return ownedBy(o, r.object.ID) }) {
		return nil, errPixelExists.with()
	}
	o := s.world.create(clip(name), false)
	o.Attrs["owner_ad_account"] = world.Ref(r.object.ID)
	return map[string]any{"id": o.ID}, nil
}

// ownedBy reports whether a dataset is an ad account's.
func ownedBy(o *world.Object, account string) bool {
	return o.Attrs["owner_ad_account"] == world.Ref(account)
}

// messagingDataset answers GET and POST of a Page's or account's dataset edge.
func (s *Server) messagingDataset(*request) (any, *apiError) {
	return map[string]any{"id": Dataset}, nil
}

// listDatasets answers the listing edges of a business and an ad account.
func (s *Server) listDatasets(r *request) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*world.Object
	for _, o := range s.world.All(kindDataset) {
		if r.object.Kind == "AdAccount" && !ownedBy(o, r.object.ID) &&
			!slices.Contains(s.world.Linked(o, "shared_accounts"), r.object) {
			continue
		}
		if id := r.param("id_filter"); id != "" && o.ID != id {
			continue
		}
		if name := r.param("name_filter"); name != "" && !strings.Contains(strings.ToLower(o.Str("name")), strings.ToLower(name)) {
			continue
		}
		found = append(found, o)
	}
	switch by := r.param("sort_by"); by {
	case "":
	case "NAME":
		slices.SortStableFunc(found, func(a, b *world.Object) int { return strings.Compare(a.Str("name"), b.Str("name")) })
	case "LAST_FIRED_TIME":
		slices.SortStableFunc(found, func(a, b *world.Object) int { return s.store.log(b.ID).last.Compare(s.store.log(a.ID).last) })
	default:
		return nil, errParam.with("what", "Param sort_by must be one of {LAST_FIRED_TIME, NAME}")
	}
	v, err := s.call(r).List(found)
	return v, fromWorld(err)
}

// listNothing answers an edge that is empty in this world.
func (s *Server) listNothing(r *request) (any, *apiError) {
	v, err := s.call(r).List(nil)
	return v, fromWorld(err)
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
