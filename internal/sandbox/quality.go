package sandbox

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// readQuality answers GET /dataset_quality. The shape is Meta's; the numbers are
// computed from the keys of the stored events and are only good for comparing.
func (s *Server) readQuality(r *request) (any, *apiError) {
	id := r.param("dataset_id")
	if id == "" {
		return nil, errParam.with("what", "The parameter dataset_id is required")
	}
	wanted, err := r.fields()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.world.Get(id)
	if o == nil || o.Kind != kindDataset || !r.grant.assigned(id) {
		return nil, errQualityDataset.with()
	}
	web, offline := s.store.log(id).stats.byEvent(r.param("agent_name"))
	tree := map[string]any{"web": webQuality(web), "offline": offlineQuality(offline)}
	return choose(tree, wanted, "AdsPixelDatasetQuality")
}

// byEvent sums the cells of an agent by event name, website and physical_store apart.
func (s *stats) byEvent(agent string) (web, offline map[string]*cell) {
	web, offline = map[string]*cell{}, map[string]*cell{}
	for key, c := range s.cells {
		var into map[string]*cell
		switch key.source {
		case sourceWebsite:
			into = web
		case sourceStore:
			into = offline
		}
		if into == nil || !s.sentBy(key, agent) {
			continue
		}
		name := s.names.texts[key.name]
		sum := into[name]
		if sum == nil {
			sum = &cell{}
			into[name] = sum
		}
		sum.received += c.received
		sum.withID += c.withID
		sum.delay += c.delay
		for k, n := range c.keys {
			sum.keys[k] += n
		}
	}
	return web, offline
}

// qualityKeys are the identifiers Dataset Quality speaks of, with our weight of
// each in a match score; the weights add up to 10.
var qualityKeys = []struct {
	identifier string
	key        userKey
	weight     float64
}{
	{"email", keyEM, 3}, {"phone", keyPH, 2}, {"external_id", keyExternalID, 1}, {"fbc", keyFBC, 1}, {"fbp", keyFBP, 0.5},
	{"ip_address", keyIP, 0.5}, {"user_agent", keyUserAgent, 0.5}, {"first_name", keyFN, 0.5}, {"last_name", keyLN, 0.5}, {"zip", keyZP, 0.5},
}

// percent is the share of a cell's events that carry a key.
func (c *cell) percent(k userKey) float64 {
	return rounded(100 * float64(c.keys[k]) / float64(c.received))
}

// score is the weighted coverage of the quality keys, 0 to 10.
func (c *cell) score() float64 {
	var sum float64
	for _, q := range qualityKeys {
		sum += q.weight * c.percent(q.key) / 100
	}
	return rounded(sum)
}

func rounded(v float64) float64 { return math.Round(v*10) / 10 }

// freshness words the mean delay between event and receipt as Meta's values do.
func (c *cell) freshness() string {
	switch hours := float64(c.delay) / float64(c.received) / 3600; {
	case hours < 1:
		return "real_time"
	case hours < 24:
		return "hourly"
	case hours < 48:
		return "daily"
	}
	return "weekly"
}

func webQuality(events map[string]*cell) []map[string]any {
	out := []map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(events)) {
		c := events[name]
		feedback := []map[string]any{}
		for _, q := range qualityKeys {
			if c.keys[q.key] > 0 {
				feedback = append(feedback, map[string]any{"identifier": q.identifier, "coverage": map[string]any{"percentage": c.percent(q.key)}})
			}
		}
		withID := rounded(100 * float64(c.withID) / float64(c.received))
		fresh := c.freshness()
		out = append(out, map[string]any{
			"event_name":          name,
			"event_match_quality": map[string]any{"composite_score": c.score(), "match_key_feedback": feedback},
			// No browser events arrive here, so there is nothing to be covered by.
			"event_coverage": map[string]any{"percentage": 0.0, "goal_percentage": 75.0},
			"dedupe_key_feedback": []map[string]any{{
				"dedupe_key":               "event_id",
				"server_events_with_key":   map[string]any{"percentage": withID},
				"browser_events_with_key":  map[string]any{"percentage": 0.0},
				"overall_browser_coverage": map[string]any{"percentage": 0.0},
			}},
			"data_freshness": map[string]any{
				"upload_frequency": fresh, "description": "Events arrive " + strings.ReplaceAll(fresh, "_", " ") + ".",
			},
			"acr":                              map[string]any{"percentage": 0.0},
			"event_potential_aly_acr_increase": map[string]any{"percentage": 0.0},
		})
	}
	return out
}

func offlineQuality(events map[string]*cell) []map[string]any {
	out := []map[string]any{}
	advice := func(score float64) string {
		if score >= 8.5 {
			return ""
		}
		return "Send more identifiers, sooner and more often."
	}
	for _, name := range slices.Sorted(maps.Keys(events)) {
		c := events[name]
		match := c.score()
		days := float64(c.delay) / float64(c.received) / 86400
		fresh := rounded(math.Max(0, 10-days*10/62))
		part := func(score float64) map[string]any {
			return map[string]any{"score": score, "recommendation": advice(score)}
		}
		keys := part(match)
		keys["coverage"] = map[string]any{"email": c.percent(keyEM), "phone": c.percent(keyPH)}
		out = append(out, map[string]any{
			"event_name": name, "composite": part(rounded((match + fresh) / 2)), "match_key": keys,
			"frequency": part(fresh), "freshness": part(fresh),
		})
	}
	return out
}
