package sandbox

import (
	"fmt"
	"net/http"
	"strings"

	"sluice/internal/sandbox/world"
)

// usagePools count calls by the pool they are charged to, as the headers of meta-graph
// §6 tell it. The server's mutex guards it. Our own counts never pass usageMost, so that
// nobody is slowed down unless a fault asks for it.
type usagePools struct {
	app   int
	asset map[string]int // type + id
}

const (
	callsPerPercent = 20
	usageMost       = 50
)

func percentOf(calls int) int { return min(usageMost, 1+calls/callsPerPercent) }

// pool is what a call is charged to: a business use case and the asset.
type pool struct{ kind, asset string }

// poolOf finds it; an empty kind is the app's pool alone.
func (s *Server) poolOf(r *request) pool {
	if r.object == nil {
		return pool{}
	}
	kind := useCase(r.object.Kind, r.edge)
	owner := map[string]string{
		"ads_management": "AdAccount", "ads_insights": "AdAccount", "custom_audience": "AdAccount", "pages": "Page", "messenger": "Page",
		"leadgen": "Page", "instagram": "IGUser", "catalog_management": "ProductCatalog", "catalog_batch": "ProductCatalog",
	}[kind]
	if kind == "" {
		return pool{}
	}
	if o := s.world.Above(r.object, owner); o != nil {
		return pool{kind, strings.TrimPrefix(o.ID, "act_")}
	}
	return pool{kind, Business}
}

// useCase is the business use case of a node type and edge.
func useCase(kind, edge string) string {
	switch edge {
	case "insights":
		if strings.HasPrefix(kind, "Ad") || kind == "Campaign" {
			return "ads_insights"
		}
	case "leads", "leadgen_forms":
		return "leadgen"
	case "conversations", "messages", "messenger_profile", "thread_settings":
		return "messenger"
	case "items_batch", "batch", "check_batch_request_status":
		return "catalog_batch"
	case "customaudiences", "users", "usersreplace":
		if kind == "AdAccount" && edge == "users" {
			return "ads_management"
		}
		return "custom_audience"
	}
	switch {
	case kind == "AdReportRun":
		return "ads_insights"
	case kind == "CustomAudience" || kind == "SavedAudience":
		return "custom_audience"
	case kind == "Conversation" || kind == "Message" || strings.HasPrefix(kind, "Messag"):
		return "messenger"
	case strings.HasPrefix(kind, "Lead"):
		return "leadgen"
	case strings.HasPrefix(kind, "IG"):
		return "instagram"
	case strings.HasPrefix(kind, "Product"):
		return "catalog_management"
	case strings.HasPrefix(kind, "Ad") || kind == "Campaign" || kind == "CustomConversion" || kind == "HighDemandPeriod":
		return "ads_management"
	case strings.HasPrefix(kind, "Threads") || kind == "User" || kind == "Business" || kind == "Application" || kind == "UploadSession":
		return ""
	}
	return "pages"
}

// write counts a call and puts the usage headers on its answer, unless a fault has put
// others there.
func (u *usagePools) write(s *Server, r *request, rep *reply) {
	if r.grant == nil || r.grant.kind == world.KindThreads {
		return
	}
	h := rep.header
	s.mu.Lock()
	defer s.mu.Unlock()
	u.app++
	app := percentOf(u.app)
	set(h, "X-App-Usage", `{"call_count":%d,"total_time":%d,"total_cputime":%d}`, app, app, app)
	p := r.pool
	if r.id == "me" {
		p = s.poolOf(r)
	}
	if p.kind == "" {
		return
	}
	if u.asset == nil {
		u.asset = map[string]int{}
	}
	u.asset[p.kind+p.asset]++
	n := percentOf(u.asset[p.kind+p.asset])
	set(h, "X-Business-Use-Case-Usage", `{"%s":[{"type":"%s","call_count":%d,"total_cputime":%d,"total_time":%d,`+
		`"estimated_time_to_regain_access":0,"ads_api_access_tier":"standard_access"}]}`, p.asset, p.kind, n, n, n)
	switch p.kind {
	case "ads_management", "custom_audience":
		set(h, "X-Ad-Account-Usage", `{"acc_id_util_pct":%d,"reset_time_duration":0,"ads_api_access_tier":"standard_access"}`, n)
	case "ads_insights":
		set(h, "X-Fb-Ads-Insights-Throttle", `{"app_id_util_pct":%d,"acc_id_util_pct":%d,"ads_api_access_tier":"standard_access"}`, app, n)
	}
}

// set writes a header that is not there yet.
func set(h http.Header, name, format string, args ...any) {
	if h.Get(name) == "" {
		h.Set(name, fmt.Sprintf(format, args...))
	}
}
