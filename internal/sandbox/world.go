package sandbox

import (
	"strconv"
	"time"

	"sluice/internal/sandbox/world"
)

// The documented world. Ids and tokens are part of the contract.
const (
	Token               = "sandbox-token"                 // system user, all scopes, never expires
	TokenExpired        = "sandbox-token-expired"         // answers 190/463
	ThreadsToken        = "sandbox-threads-token"         // all scopes of Threads
	ThreadsTokenExpired = "sandbox-threads-token-expired" // answers 190/463
	PageTokenPrefix     = "sandbox-page-token-"           // and the id of the Page

	Dataset             = world.DatasetID
	DatasetUnmerged     = "1000000000000002" // not a consolidated container
	Business            = world.BusinessID
	AdAccount           = world.AdAccountID
	Page                = world.PageID
	InstagramAccount    = world.InstagramID
	ThreadsAccount      = world.ThreadsID
	Catalog             = world.CatalogID
	App                 = world.AppID
	AppSecret           = "sandbox-app-secret"
	SystemUser          = world.SystemUserID
	firstCreatedDataset = 1_000_000_000_000_003
)

const kindDataset = "AdsPixel"

// state is the objects and tokens. The server's mutex guards it.
type state struct {
	*world.World
	tokens  []*token
	created int // datasets made by requests
}

// graphTime is how Graph writes times: no colon in the zone.
func graphTime(t time.Time) string { return world.GraphTime(t) }

func (s *Server) newState() state {
	st := state{World: world.New(s.clock.now), tokens: documentedTokens()}
	st.dataset(Dataset, "Sandbox dataset", true)
	st.dataset(DatasetUnmerged, "Sandbox dataset, not consolidated", false)
	for _, id := range s.opts.Datasets {
		if st.Get(id) == nil {
			st.dataset(id, "Sandbox dataset "+id, true)
		}
	}
	st.Computed = s.computed
	return st
}

// dataset adds a dataset that belongs to the sandbox's business.
func (st *state) dataset(id, name string, consolidated bool) *world.Object {
	return st.AddAs(id, kindDataset, st.Get(Business), world.Attrs{
		"name": name, "is_consolidated_container": consolidated, "is_crm": false, "is_created_by_business": true,
		"is_unavailable": false, "is_restricted_use": false, "is_mta_use": false,
		"owner_business": world.Ref(Business), "owner_ad_account": world.Ref(AdAccount), "creator": world.Ref(SystemUser),
		"data_use_setting": "ADVERTISING_AND_ANALYTICS", "enable_automatic_matching": false, "automatic_matching_fields": []any{},
		"first_party_cookie_status": "FIRST_PARTY_COOKIE_ENABLED", "can_proxy": false, "description": "",
		"has_1p_pixel_event": false, "enable_auto_assign_to_accounts": false,
	})
}

// create makes a new dataset with the next id.
func (st *state) create(name string, crm bool) *world.Object {
	id := strconv.Itoa(firstCreatedDataset + st.created)
	st.created++
	o := st.dataset(id, name, true)
	o.Attrs["is_crm"] = crm
	return o
}

// consolidated reports whether a dataset takes offline events.
func consolidated(o *world.Object) bool {
	yes, _ := o.Attrs["is_consolidated_container"].(bool)
	return yes
}

// computed returns what a dataset says of its events. The caller holds mu.
func (s *Server) computed(o *world.Object, name string) any {
	if o.Kind != kindDataset {
		return nil
	}
	log := s.store.log(o.ID)
	offline := &log.offline
	switch name {
	case "last_fired_time":
		if !log.last.IsZero() {
			return log.last
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
