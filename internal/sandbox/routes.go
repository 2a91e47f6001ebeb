package sandbox

import (
	"net/http"
	"slices"
)

// edgeEvents is the edge conversions are posted to.
const edgeEvents = "events"

// handler answers one route. It is called with the token checked and r.object
// set, and returns what the JSON reply holds.
type handler func(*Server, *request) (any, *apiError)

// route is one operation of the Graph surface.
type route struct {
	method string
	kinds  []string // node types it belongs to; nil for a route without node
	edge   string   // empty for the node itself; the name of a route without node
	scopes []string
	does   string
	handle handler
}

var (
	readAds   = []string{"ads_read", "ads_management", "business_management"}
	manageAds = []string{"ads_management", "business_management"}
	messaging = []string{"page_events", "whatsapp_business_manage_events", "instagram_manage_events", "business_management"}
)

// routes lists the operations that the sandbox has of its own, around datasets, events and
// tokens; all others are the world's. It is an explicit table so that its order, and the
// index made from it, are stable.
func routes() []route {
	dataset := []string{kindDataset}
	return []route{
		{http.MethodPost, dataset, edgeEvents, append([]string{"page_events", "whatsapp_business_manage_events", "instagram_manage_events"}, manageAds...),
			"take in conversion events", (*Server).postEvents},
		{http.MethodPost, dataset, "", manageAds, "update a dataset's settings", (*Server).updateDataset},
		{http.MethodGet, []string{"AdAccount", "Business"}, "adspixels", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodGet, []string{"Business"}, "owned_pixels", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodGet, []string{"Business"}, "client_pixels", readAds, "list shared datasets: none here", (*Server).listNothing},
		{http.MethodGet, []string{"Business"}, "ads_dataset", readAds, "list datasets", (*Server).listDatasets},
		{http.MethodPost, []string{"Business"}, "ads_dataset", manageAds, "create a dataset", (*Server).createDataset},
		{http.MethodPost, []string{"AdAccount"}, "adspixels", manageAds, "create a pixel: refused where the account has one", (*Server).createPixel},
		{http.MethodGet, []string{"Page", "IGUser"}, "dataset", messaging, "read the messaging dataset", (*Server).messagingDataset},
		{http.MethodPost, []string{"Page", "IGUser"}, "dataset", messaging, "read the messaging dataset, made on first use", (*Server).messagingDataset},
		{http.MethodGet, dataset, "offline_event_uploads", readAds, "list offline uploads by upload_tag", (*Server).listUploads},
		{http.MethodGet, dataset, "stats", readAds, "totals of received events", (*Server).readStats},
		{http.MethodGet, nil, "dataset_quality", readAds, "match quality by event", (*Server).readQuality},
		{http.MethodGet, nil, "debug_token", nil, "describe a token", (*Server).debugToken},
	}
}

// route finds the sandbox's own operation that a request asks for, nil when it is the
// world's.
func (s *Server) route(r *request) *route {
	method := r.method()
	for i := range s.routes {
		rt := &s.routes[i]
		switch {
		case rt.method != method:
		case rt.kinds == nil && r.edge == "" && rt.edge == r.id:
			return rt
		case rt.kinds != nil && r.object != nil && rt.edge == r.edge && slices.Contains(rt.kinds, r.object.Kind):
			return rt
		}
	}
	return nil
}
