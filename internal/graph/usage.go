package graph

import (
	"encoding/json"
	"net/http"
	"time"
)

// Usage is what Meta says about the budget that is left.
type Usage struct {
	Percent      float64       // the highest share used of any limit, 0…100
	RegainAccess time.Duration // until calls are allowed again; 0 when they are
}

// usageOf reads the three usage headers; one that does not parse is ignored, for
// they are advice.
func usageOf(h http.Header) Usage {
	var u Usage
	type limits struct {
		CallCount    float64 `json:"call_count"`
		TotalCPUTime float64 `json:"total_cputime"`
		TotalTime    float64 `json:"total_time"`
		Regain       float64 `json:"estimated_time_to_regain_access"` // minutes
		AccountUtil  float64 `json:"acc_id_util_pct"`
		Reset        float64 `json:"reset_time_duration"` // seconds
	}
	take := func(l limits) {
		u.Percent = max(u.Percent, l.CallCount, l.TotalCPUTime, l.TotalTime, l.AccountUtil)
		u.RegainAccess = max(u.RegainAccess, time.Duration(l.Regain*float64(time.Minute)))
		if l.AccountUtil >= 100 {
			u.RegainAccess = max(u.RegainAccess, time.Duration(l.Reset*float64(time.Second)))
		}
	}
	for _, name := range []string{"X-App-Usage", "X-Ad-Account-Usage"} {
		var l limits
		if v := h.Get(name); v != "" && json.Unmarshal([]byte(v), &l) == nil {
			take(l)
		}
	}
	for _, name := range []string{"X-Business-Use-Case-Usage", "X-Business-Use-Case"} {
		var m map[string][]limits
		if v := h.Get(name); v != "" && json.Unmarshal([]byte(v), &m) == nil {
			for _, list := range m {
				for _, l := range list {
					take(l)
				}
			}
		}
	}
	return u
}
