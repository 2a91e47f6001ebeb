package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// edgeEvents is the edge conversions are posted to.
const edgeEvents = "events"

// handler answers one route. It is called with the token checked and r.object
// set, and returns what the JSON reply holds.
type handler func(*Server, *request) (any, *apiError)

// route is one operation of the Graph surface.
type route struct {
	method string
	kinds  []kind // node types it belongs to; nil for a route without node
	edge   string // empty for the node itself; the name of a route without node
	scopes []string
	does   string
	handle handler
}

var (
	readAds   = []string{"ads_read", "ads_management", "business_management"}
	manageAds = []string{"ads_management", "business_management"}
	messaging = []string{"page_events", "whatsapp_business_manage_events", "instagram_manage_events", "business_management"}
)

// routes lists every operation, an explicit table so that its order, and the
// index made from it, are stable.
func routes() []route {
	every := []kind{kindDataset, kindBusiness, kindAccount, kindPage, kindIG, kindThreads, kindCatalog, kindApp, kindUser}
	dataset := []kind{kindDataset}
	return []route{
		{http.MethodPost, dataset, edgeEvents, append([]string{"page_events", "whatsapp_business_manage_events", "instagram_manage_events"}, manageAds...),
			"take in conversion events", (*Server).postEvents},
		{http.MethodGet, every, "", nil, "read a node's fields", (*Server).readNode},
		{http.MethodPost, dataset, "", manageAds, "update a dataset's settings", (*Server).updateDataset},
		{http.MethodGet, []kind{kindAccount, kindBusiness}, "adspixels", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodGet, []kind{kindBusiness}, "owned_pixels", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodGet, []kind{kindBusiness}, "client_pixels", readAds, "list shared datasets: none here", (*Server).listNothing},
		{http.MethodGet, []kind{kindBusiness}, "ads_dataset", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodPost, []kind{kindBusiness}, "ads_dataset", manageAds, "create a dataset", (*Server).createDataset},
		{http.MethodPost, []kind{kindAccount}, "adspixels", manageAds, "create a pixel: refused, the account has one", (*Server).createPixel},
		{http.MethodGet, []kind{kindPage, kindIG}, "dataset", messaging, "read the messaging dataset", (*Server).messagingDataset},
		{http.MethodPost, []kind{kindPage, kindIG}, "dataset", messaging, "read the messaging dataset, made on first use", (*Server).messagingDataset},
		{http.MethodGet, dataset, "offline_event_uploads", readAds, "list offline uploads by upload_tag", (*Server).listUploads},
		{http.MethodGet, dataset, "stats", readAds, "totals of received events", (*Server).readStats},
		{http.MethodGet, nil, "dataset_quality", readAds, "match quality by event", (*Server).readQuality},
		{http.MethodGet, nil, "debug_token", nil, "describe a token", (*Server).debugToken},
	}
}

// dispatch checks token and object and runs the operation.
func (s *Server) dispatch(r *request) (any, *apiError) {
	if r.token, _ = tokenOf(r); r.token == "" {
		return nil, errTokenInvalid.with()
	}
	s.mu.Lock()
	tok, err := s.world.verify(r.token, r.now)
	target := r.id
	if target == "me" {
		target = SystemUser
	}
	r.object = s.world.objects[target]
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	r.grant = tok
	rt, noRoute := s.route(r)
	if rt != nil && !tok.allows(rt.scopes) {
		return nil, errPermission.with()
	}
	if r.object != nil && !tok.assigned(r.object.id) {
		return nil, errAssignment.with()
	}
	if err := checkProof(r, s.opts.RequireProof); err != nil {
		return nil, err
	}
	if noRoute != nil {
		return nil, noRoute
	}
	if r.bodyErr != nil {
		return nil, r.bodyErr
	}
	return rt.handle(s, r)
}

// route finds the operation a request asks for.
func (s *Server) route(r *request) (*route, *apiError) {
	method := r.method()
	for i := range s.routes {
		rt := &s.routes[i]
		switch {
		case rt.method != method:
		case rt.kinds == nil && r.edge == "" && rt.edge == r.id:
			return rt, nil
		case rt.kinds != nil && r.object != nil && rt.edge == r.edge && slices.Contains(rt.kinds, r.object.kind):
			return rt, nil
		}
	}
	if r.object != nil && method == http.MethodGet && r.edge != "" {
		return nil, errNoField.with("field", r.edge, "type", string(r.object.kind))
	}
	return nil, errNoObject.with("method", strings.ToLower(method), "id", r.id)
}
