package world_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox/world"
)

const (
	newsletter = "3900000000000001"
	hashOne    = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
	hashTwo    = "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"
)

func at(m map[string]any, path string) any {
	var v any = m
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (s *shop) wants(m map[string]any, pairs ...any) {
	s.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := at(m, pairs[i].(string)); fmt.Sprint(got) != fmt.Sprint(pairs[i+1]) {
			s.Errorf("%s is %v, want %v", pairs[i], got, pairs[i+1])
		}
	}
}

// A customer list counts its members once Meta has taken them in, forgets those that are
// removed, and starts anew when it is replaced.
func TestMembersOfAnAudience(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.must("POST", world.AdAccountID, "customaudiences", "name", "Loyalty", "subtype", "CUSTOM", "customer_file_source", "USER_PROVIDED_ONLY")["id"].(string)
	size := func(want int, code int) {
		s.Helper()
		m := s.must("GET", id, "", "fields", "approximate_count_lower_bound,operation_status")
		s.wants(m, "approximate_count_lower_bound", want, "operation_status.code", code)
	}
	size(0, 200)
	both := `{"schema":["EMAIL"],"data":[["` + hashOne + `"],["` + hashTwo + `"],["not a hash"]]}`
	m := s.must("POST", id, "users", "payload", both, "session", `{"session_id":7,"batch_seq":1,"last_batch_flag":true}`)
	s.wants(m, "num_received", 3, "num_invalid_entries", 1, "session_id", 7, "invalid_entry_samples.0", "not a hash")
	size(-1, 441)
	s.wants(s.must("GET", id, "sessions"), "data.0.stage", "processing")
	s.at = s.at.Add(time.Hour)
	size(1000, 200) // small ones show as 1000
	s.wants(s.must("GET", id, "sessions", "session_id", "7"), "data.0.num_received", 3, "data.0.progress", 100)
	s.refused("parameter", "POST", id, "users", "payload", both, "session", `{"session_id":7,"batch_seq":2,"last_batch_flag":true}`)

	s.must("DELETE", id, "users", "payload", `{"schema":["EMAIL"],"data":[["`+hashOne+`"],["`+hashTwo+`"]]}`)
	s.at = s.at.Add(time.Hour)
	size(0, 200)

	s.must("POST", newsletter, "usersreplace", "payload", `{"schema":"EMAIL","data":[["`+hashOne+`"]]}`, "session", `{"session_id":8,"batch_seq":1,"last_batch_flag":true}`)
	s.at = s.at.Add(time.Hour)
	s.wants(s.must("GET", newsletter, "", "fields", "approximate_count_upper_bound"), "approximate_count_upper_bound", 1000)
}

func TestMembersRefused(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one := `{"schema":["EMAIL"],"data":[["` + hashOne + `"]]}`
	s.refused("audience_blocked", "POST", "3900000000000004", "users", "payload", one)
	s.refused("parameter", "POST", "3900000000000002", "users", "payload", one) // a lookalike
	s.refused("parameter", "POST", newsletter, "users")
	s.refused("parameter", "POST", newsletter, "users", "payload", `{"schema":["SHOE"],"data":[["x"]]}`)
	s.refused("parameter", "POST", newsletter, "users", "payload", `{"schema":["EMAIL"],"data":[`+strings.Repeat(`["`+hashOne+`"],`, 10_000)+`["`+hashTwo+`"]]}`)
	s.refused("parameter", "POST", newsletter, "usersreplace", "payload", one) // without session
	s.refused("parameter", "POST", world.AdAccountID, "customaudiences", "name", "x", "subtype", "CUSTOM")
	s.refused("parameter", "POST", world.AdAccountID, "customaudiences", "name", "x", "subtype", "WEBSITE")
	s.refused("parameter", "POST", world.AdAccountID, "customaudiences", "name", "x", "subtype", "LOOKALIKE",
		"origin_audience_id", "3900000000000003", "lookalike_spec", `{"country":"GB","ratio":0.01}`) // 12 people
}

// Estimates get smaller with every restriction, and there is none while an audience is
// still being filled.
func TestEstimates(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	reach := func(spec string) float64 {
		s.Helper()
		n, _ := at(s.must("GET", world.AdAccountID, "reachestimate", "targeting_spec", spec), "data.users_lower_bound").(float64)
		return n
	}
	last := reach(`{"geo_locations":{"countries":["GB","DE"]}}`)
	for _, spec := range []string{
		`{"geo_locations":{"countries":["GB"]}}`, `{"geo_locations":{"countries":["GB"]},"age_min":25,"age_max":40}`,
		`{"geo_locations":{"countries":["GB"]},"age_min":25,"age_max":40,"genders":[1]}`,
		`{"geo_locations":{"countries":["GB"]},"age_min":25,"age_max":40,"genders":[1],"flexible_spec":[{"interests":[{"id":"6000000000103"}]}]}`,
		`{"custom_audiences":[{"id":"` + newsletter + `"}]}`,
	} {
		n := reach(spec)
		if n <= 0 || n >= last {
			t.Errorf("%s reaches %v, and more before: %v", spec, n, last)
		}
		last = n
	}
	like := s.must("POST", world.AdAccountID, "customaudiences", "name", "Like", "subtype", "LOOKALIKE",
		"origin_audience_id", newsletter, "lookalike_spec", `{"country":"GB","ratio":0.02}`)["id"].(string)
	spec := `{"custom_audiences":[{"id":"` + like + `"}]}`
	if n := reach(spec); n != -1 {
		t.Errorf("an audience that is being filled reaches %v", n)
	}
	s.at = s.at.Add(7 * time.Hour)
	if n := reach(spec); n < 900_000 || n > 1_000_000 {
		t.Errorf("2 %% of the country are %v", n)
	}
	s.refused("parameter", "GET", world.AdAccountID, "reachestimate", "targeting_spec", `{"age_min":20}`)
	s.refused("parameter", "GET", world.AdAccountID, "delivery_estimate", "targeting_spec", `{"geo_locations":{"countries":["GB"]}}`)
	s.wants(s.must("GET", "3200000000000001", "delivery_estimate"), "data.0.estimate_ready", true)
}

// A batch is done a moment after it was sent; what it could not do is told then.
func TestProductBatch(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	handle := at(s.must("POST", world.CatalogID, "items_batch", "item_type", "PRODUCT_ITEM", "requests", `[
		{"method":"CREATE","data":{"id":"cup","title":"Cup","price":"9.99 GBP","availability":"in stock","link":"https://example.com/c","image_link":"https://example.com/c.png"}},
		{"method":"UPDATE","data":{"id":"mug-blue","price":"11.00 GBP","availability":"out of stock"}},
		{"method":"UPDATE","data":{"id":"teapot","price":"free"}},
		{"method":"DELETE","data":{"id":"mug-red"}}]`), "handles.0").(string)
	status := func(pairs ...any) {
		s.Helper()
		s.wants(s.must("GET", world.CatalogID, "check_batch_request_status", "handle", handle, "load_ids_of_invalid_requests", "true"), pairs...)
	}
	status("data.0.status", "started", "data.0.errors_total_count", 0)
	s.at = s.at.Add(time.Minute)
	status("data.0.status", "finished", "data.0.errors_total_count", 1, "data.0.ids_of_invalid_requests.0", "teapot")
	m := s.must("GET", world.CatalogID, "products", "fields", "retailer_id,price", "filter", `{"retailer_id":{"is_any":["cup","mug-blue","mug-red","teapot"]}}`)
	s.wants(m, "data.0.retailer_id", "cup", "data.0.price", "9.99 GBP", "data.1.retailer_id", "teapot", "data.1.price", "34.00 GBP",
		"data.2.retailer_id", "mug-blue", "data.2.price", "11.00 GBP", "data.3", nil)
	s.wants(s.must("GET", "7200000000000001", "", "fields", "product_count"), "product_count", 2) // in stock: teapot, cup
	s.refused("parameter", "GET", world.CatalogID, "check_batch_request_status", "handle", "7100000000000001")
	s.refused("parameter", "POST", world.CatalogID, "items_batch", "item_type", "VEHICLE", "requests", `[]`)
}

func TestProductsOneByOne(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	bowl := []string{"retailer_id", "bowl", "name", "Bowl", "price", "1999", "currency", "GBP", "availability", "in stock"}
	id := s.must("POST", world.CatalogID, "products", bowl...)["id"].(string)
	s.wants(s.must("GET", id, "", "fields", "price,review_status"), "price", "19.99 GBP", "review_status", "pending")
	s.refused("product_exists", "POST", world.CatalogID, "products", bowl...)
	s.refused("parameter", "POST", id, "", "availability", "sold")
	s.refused("parameter", "POST", id, "", "price", "19.99")
	s.must("POST", id, "", "price", "1500")
	s.at = s.at.Add(2 * time.Hour)
	s.wants(s.must("GET", id, "", "fields", "price,review_status"), "price", "15.00 GBP", "review_status", "approved")
	s.wants(s.must("GET", world.CatalogID, "", "fields", "product_count"), "product_count", 5)
	s.must("DELETE", id, "")
	s.wants(s.must("GET", world.CatalogID, "", "fields", "product_count"), "product_count", 4)
	if s.world.Get(id) != nil {
		t.Error("it is still there")
	}
}

func TestLeadsByTime(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const form = "4700000000000001"
	if got := s.ids(form, "leads"); got != "4800000000000003 4800000000000002 4800000000000001" {
		t.Error(got)
	}
	since := fmt.Sprintf(`[{"field":"time_created","operator":"GREATER_THAN","value":%s}]`, s.in(-48*time.Hour))
	if got := s.ids(form, "leads", "filtering", since); got != "4800000000000003 4800000000000002" {
		t.Error(got)
	}
	if got := s.ids("3300000000000001", "leads"); got != "4800000000000003 4800000000000001" {
		t.Error(got)
	}
	s.refused("parameter", "GET", form, "leads", "filtering", `[{"field":"name","operator":"EQUAL","value":1}]`)
}
