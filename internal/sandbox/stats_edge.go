package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// statsRow is one value of a stats bucket.
type statsRow struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
	Event string `json:"event,omitempty"`
}

// statsBucket is one hour of the stats edge.
type statsBucket struct {
	Start       string     `json:"start_time"`
	Aggregation string     `json:"aggregation"`
	Data        []statsRow `json:"data"`
}

// emit gives a value and its count to the bucket being made.
type emit func(value string, count uint64)

// aggregations are the values of the aggregation parameter and how a cell answers
// them. nil means that events alone can't tell: those answer an empty list.
// Hours are those of event_time; which hour Meta takes is not documented.
var aggregations = map[string]func(c *cell, event string, e emit){
	"event":              func(c *cell, event string, e emit) { e(event, c.received) },
	"event_total_counts": func(c *cell, event string, e emit) { e(event, c.received) },
	"pixel_fire":         func(c *cell, _ string, e emit) { e("pixel_fire", c.received) },
	"event_source":       func(c *cell, _ string, e emit) { e("SERVER", c.received) },
	"event_processing_results": func(c *cell, _ string, e emit) {
		e("processed", c.kept)
		e("deduplicated", c.duplicates)
	},
	"match_keys": func(c *cell, _ string, e emit) {
		for k, n := range c.keys {
			e(userKey(k).String(), n)
		}
	},
	"had_pii": func(c *cell, _ string, e emit) {
		e("true", c.hashed)
		e("false", c.received-c.hashed)
	},
	"host":         func(c *cell, _ string, e emit) { c.hosts.each(e) },
	"url":          func(c *cell, _ string, e emit) { c.urls.each(e) },
	"device_type":  func(c *cell, _ string, e emit) { c.devices.each(e) },
	"device_os":    func(c *cell, _ string, e emit) { c.systems.each(e) },
	"browser_type": func(c *cell, _ string, e emit) { c.browsers.each(e) },
	"custom_data_field": func(c *cell, _ string, e emit) {
		for k, n := range c.custom {
			e(customKey(k).String(), n)
		}
		c.properties.each(e)
	},
	"event_value_count": func(c *cell, event string, e emit) { e(event, c.custom[cuValue]) },
	// How an event was detected and which URL rules exist is known to the browser
	// and to Events Manager only.
	"event_detection_method": nil,
	"url_by_rule":            nil,
}

func (t tally) each(e emit) {
	for text, n := range t {
		e(text, *n)
	}
}

// readStats answers GET /{dataset}/stats.
func (s *Server) readStats(r *request) (any, *apiError) {
	aggregation := r.param("aggregation")
	if aggregation == "" {
		aggregation = "event"
	}
	from, known := aggregations[aggregation]
	if !known {
		return nil, errParam.with("what", "Param aggregation must be one of {"+strings.Join(slices.Sorted(maps.Keys(aggregations)), ", ")+"}")
	}
	start, err := r.unixParam("start_time", 0)
	if err != nil {
		return nil, err
	}
	end, err := r.unixParam("end_time", r.now.Add(time.Hour).Unix())
	if err != nil {
		return nil, err
	}
	buckets := []statsBucket{}
	source := r.param("event_source")
	if from == nil || source != "" && !strings.EqualFold(source, "SERVER") {
		return map[string]any{"data": buckets}, nil
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.store.log(r.object.ID).stats
	type rowKey struct{ value, event string }
	hours := map[int64]map[rowKey]uint64{}
	for key, c := range st.cells {
		event := st.names.texts[key.name]
		if key.hour+3599 < start || key.hour > end || !matches(r.param("event"), event) || !st.sentBy(key, r.param("agent")) {
			continue
		}
		rows := hours[key.hour]
		if rows == nil {
			rows = map[rowKey]uint64{}
			hours[key.hour] = rows
		}
		from(c, event, func(value string, count uint64) {
			if count > 0 {
				rows[rowKey{value, event}] += count
			}
		})
	}
	for _, hour := range slices.Sorted(maps.Keys(hours)) {
		b := statsBucket{Start: graphTime(time.Unix(hour, 0)), Aggregation: aggregation, Data: []statsRow{}}
		for k, n := range hours[hour] {
			row := statsRow{Value: k.value, Count: n, Event: k.event}
			if row.Value == row.Event {
				row.Event = ""
			}
			b.Data = append(b.Data, row)
		}
		slices.SortFunc(b.Data, func(a, b statsRow) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value), strings.Compare(a.Event, b.Event))
		})
		buckets = append(buckets, b)
	}
	return map[string]any{"data": buckets}, nil
}

// matches reports whether a filter lets a text through; empty filters do.
func matches(filter, text string) bool { return filter == "" || filter == text }

// sentBy filters cells by agent name.
func (s *stats) sentBy(key cellKey, agent string) bool {
	return agent == "" || s.agents.texts[key.agent] == agentName(agent)
}
