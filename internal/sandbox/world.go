package sandbox

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// The documented world. Ids and tokens are part of the contract.
const (
	Token        = "sandbox-token"         // system user, all scopes, never expires
	TokenExpired = "sandbox-token-expired" // answers 190/463

	Dataset             = "1000000000000001"
	DatasetUnmerged     = "1000000000000002" // not a consolidated container
	Business            = "2000000000000001"
	AdAccount           = "act_3000000000000001"
	Page                = "4000000000000001"
	InstagramAccount    = "5000000000000001"
	ThreadsAccount      = "6000000000000001"
	Catalog             = "7000000000000001"
	App                 = "8000000000000001"
	AppSecret           = "sandbox-app-secret"
	SystemUser          = "9000000000000001"
	firstCreatedDataset = 1_000_000_000_000_003
)

// object is a node of the graph. Attribute values are strings, numbers, booleans,
// lists of strings, or a ref to another object.
type object struct {
	id    string
	kind  kind
	attrs map[string]any
}

// ref is an attribute that points at another object.
type ref string

// kind is a node type.
type kind string

const (
	kindDataset  kind = "AdsPixel"
	kindBusiness kind = "Business"
	kindAccount  kind = "AdAccount"
	kindPage     kind = "Page"
	kindIG       kind = "IGUser"
	kindThreads  kind = "ThreadsUser"
	kindCatalog  kind = "ProductCatalog"
	kindApp      kind = "Application"
	kindUser     kind = "User"
)

// kindSpec says which fields a node type has and which come without being asked for.
type kindSpec struct {
	defaults []string
	fields   []string
}

var kinds = map[kind]kindSpec{
	kindDataset: {[]string{"id"}, []string{
		"id", "name", "is_consolidated_container", "is_crm", "is_created_by_business", "is_unavailable", "is_restricted_use",
		"is_mta_use", "creation_time", "last_fired_time", "owner_business", "owner_ad_account", "creator", "data_use_setting",
		"enable_automatic_matching", "automatic_matching_fields", "first_party_cookie_status", "can_proxy", "code", "config",
		"description", "has_1p_pixel_event", "enable_auto_assign_to_accounts", "valid_entries", "matched_entries",
		"duplicate_entries", "match_rate_approx", "event_time_min", "event_time_max", "event_stats", "last_upload_app", "usage",
	}},
	kindBusiness: {[]string{"id", "name"}, []string{"id", "name", "primary_page", "verification_status", "created_time", "timezone_id"}},
	kindAccount: {[]string{"id"}, []string{
		"id", "account_id", "name", "account_status", "currency", "timezone_name", "business", "balance", "amount_spent", "spend_cap",
	}},
	kindPage:    {[]string{"id", "name"}, []string{"id", "name", "category", "link", "instagram_business_account"}},
	kindIG:      {[]string{"id"}, []string{"id", "name", "username", "followers_count", "media_count"}},
	kindThreads: {[]string{"id"}, []string{"id", "name", "username"}},
	kindCatalog: {[]string{"id", "name"}, []string{"id", "name", "business", "product_count", "vertical"}},
	kindApp:     {[]string{"id", "name"}, []string{"id", "name", "link", "namespace"}},
	kindUser:    {[]string{"id", "name"}, []string{"id", "name"}},
}

// world is the objects and tokens. The server's mutex guards it.
type world struct {
	objects map[string]*object
	tokens  []*token
	created int // datasets made by requests
}

// graphTime is how Graph writes times: no colon in the zone.
func graphTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }

func newWorld(born time.Time) world {
	w := world{objects: map[string]*object{}, tokens: documentedTokens()}
	w.dataset(Dataset, "Sandbox dataset", true, born)
	w.dataset(DatasetUnmerged, "Sandbox dataset, not consolidated", false, born)
	for _, o := range []object{
		{Business, kindBusiness, map[string]any{
			"name": "Sandbox business", "primary_page": ref(Page), "verification_status": "verified", "created_time": graphTime(born), "timezone_id": 1,
		}},
		{AdAccount, kindAccount, map[string]any{
			"account_id": AdAccount[len("act_"):], "name": "Sandbox ad account", "account_status": 1, "currency": "GBP",
			"timezone_name": "Europe/London", "business": ref(Business), "balance": "0", "amount_spent": "0", "spend_cap": "0",
		}},
		{Page, kindPage, map[string]any{
			"name": "Sandbox shop", "category": "Retail company", "link": "https://www.facebook.com/" + Page, "instagram_business_account": ref(InstagramAccount),
		}},
		{InstagramAccount, kindIG, map[string]any{"name": "Sandbox shop", "username": "sandbox_shop", "followers_count": 0, "media_count": 0}},
		{ThreadsAccount, kindThreads, map[string]any{"name": "Sandbox shop", "username": "sandbox_shop"}},
		{Catalog, kindCatalog, map[string]any{"name": "Sandbox catalog", "business": ref(Business), "product_count": 0, "vertical": "commerce"}},
		{App, kindApp, map[string]any{"name": "Sandbox app", "link": "https://example.com/", "namespace": "sandbox"}},
		{SystemUser, kindUser, map[string]any{"name": "Sandbox system user"}},
	} {
		w.objects[o.id] = &o
	}
	return w
}

// dataset adds a dataset that belongs to the sandbox's business.
func (w *world) dataset(id, name string, consolidated bool, born time.Time) *object {
	o := &object{id: id, kind: kindDataset, attrs: map[string]any{
		"name": name, "is_consolidated_container": consolidated, "is_crm": false, "is_created_by_business": true,
		"is_unavailable": false, "is_restricted_use": false, "is_mta_use": false, "creation_time": graphTime(born),
		"owner_business": ref(Business), "owner_ad_account": ref(AdAccount), "creator": ref(SystemUser),
		"data_use_setting": "ADVERTISING_AND_ANALYTICS", "enable_automatic_matching": false, "automatic_matching_fields": []string{},
		"first_party_cookie_status": "FIRST_PARTY_COOKIE_ENABLED", "can_proxy": false, "description": "",
		"has_1p_pixel_event": false, "enable_auto_assign_to_accounts": false,
	}}
	w.objects[id] = o
	return o
}

// create makes a new dataset with the next id.
func (w *world) create(name string, crm bool, now time.Time) *object {
	id := strconv.Itoa(firstCreatedDataset + w.created)
	w.created++
	o := w.dataset(id, name, true, now)
	o.attrs["is_crm"] = crm
	return o
}

// datasets lists all datasets by id.
func (w *world) datasets() []*object {
	var out []*object
	for _, id := range slices.Sorted(maps.Keys(w.objects)) {
		if o := w.objects[id]; o.kind == kindDataset {
			out = append(out, o)
		}
	}
	return out
}

func (o *object) name() string {
	name, _ := o.attrs["name"].(string)
	return name
}

// consolidated reports whether a dataset takes offline events.
func (o *object) consolidated() bool {
	yes, _ := o.attrs["is_consolidated_container"].(bool)
	return yes
}
