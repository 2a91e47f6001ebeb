package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"sluice/internal/sandbox/world"
)

// uploadLog groups physical_store events by their upload_tag, oldest tag first.
type uploadLog struct {
	byTag map[string]*upload
	order []*upload
}

// upload is what arrived under one tag.
type upload struct {
	id                  string
	tag                 string
	created, last       time.Time
	timeMin, timeMax    int64
	valid, matched, dup uint64
	calls               uint64
	byName              tally
}

// open finds or starts the upload of a tag and counts the call.
func (l *uploadLog) open(tag string, now time.Time) *upload {
	u := l.byTag[tag]
	if u == nil && len(l.order) >= maxLabels {
		tag = otherLabel
		u = l.byTag[tag]
	}
	if u == nil {
		if l.byTag == nil {
			l.byTag = map[string]*upload{}
		}
		u = &upload{id: strconv.Itoa(uploadIDs + len(l.order) + 1), tag: tag, created: now}
		l.byTag[tag] = u
		l.order = append(l.order, u)
	}
	u.last = now
	u.calls++
	return u
}

// uploadIDs is where the ids of uploads begin.
const uploadIDs = 9_100_000_000_000_000

func (u *upload) add(rec *record, v verdict) {
	if u.valid == 0 || rec.time < u.timeMin {
		u.timeMin = rec.time
	}
	u.timeMax = max(u.timeMax, rec.time)
	u.valid++
	if v.rule != ruleKept {
		u.dup++
	}
	if rec.keys.grade() >= gradeGood {
		u.matched++
	}
	u.byName.add(rec.name)
}

// matchRate is the share of matchable events in percent, -1 without events.
func (u *upload) matchRate() int64 {
	if u.valid == 0 {
		return -1
	}
	return int64(u.matched * 100 / u.valid)
}

// stats is the number of events by name, as JSON text.
func (u *upload) stats() string {
	text, _ := json.Marshal(u.byName) // a map of numbers always encodes
	if u.byName == nil {
		return "{}"
	}
	return string(text)
}

// fields are the upload in Graph's terms. Matching is by grade: nobody is matched here.
func (u *upload) fields() map[string]any {
	return map[string]any{
		"id": u.id, "upload_tag": u.tag, "creation_time": u.created.Unix(), "first_upload_time": u.created.Unix(),
		"last_upload_time": u.last.Unix(), "event_time_min": u.timeMin, "event_time_max": u.timeMax,
		"valid_entries": u.valid, "matched_entries": u.matched, "duplicate_entries": u.dup, "match_rate_approx": u.matchRate(),
		"event_stats": u.stats(), "api_calls": u.calls, "is_excluded_for_lift": false,
	}
}

// uploadSorts are the values of sort_by, each with the time or number it means.
var uploadSorts = map[string]func(*upload) int64{
	"CREATION_TIME":        func(u *upload) int64 { return u.created.UnixNano() },
	"FIRST_UPLOAD_TIME":    func(u *upload) int64 { return u.created.UnixNano() },
	"LAST_UPLOAD_TIME":     func(u *upload) int64 { return u.last.UnixNano() },
	"EVENT_TIME_MIN":       func(u *upload) int64 { return u.timeMin },
	"EVENT_TIME_MAX":       func(u *upload) int64 { return u.timeMax },
	"API_CALLS":            func(u *upload) int64 { return int64(u.calls) },
	"IS_EXCLUDED_FOR_LIFT": func(*upload) int64 { return 0 },
}

// listUploads answers GET /{dataset}/offline_event_uploads.
func (s *Server) listUploads(r *request) (any, *apiError) {
	wanted, err := r.fields()
	if err != nil {
		return nil, err
	}
	start, err := r.unixParam("start_time", 0)
	if err != nil {
		return nil, err
	}
	end, err := r.unixParam("end_time", r.now.Unix())
	if err != nil {
		return nil, err
	}
	by := uploadSorts["CREATION_TIME"]
	if name := r.param("sort_by"); name != "" {
		if by = uploadSorts[name]; by == nil {
			return nil, errParam.with("what", "Param sort_by is not one of the documented values")
		}
	}
	order := r.param("order")
	if order != "" && order != "ASCENDING" && order != "DESCENDING" {
		return nil, errParam.with("what", "Param order must be one of {ASCENDING, DESCENDING}")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*upload
	for _, u := range s.store.log(r.object.ID).uploads.order {
		tag := r.param("upload_tag")
		if (tag == "" || tag == u.tag) && u.created.Unix() <= end && u.last.Unix() >= start && u.valid > 0 {
			found = append(found, u)
		}
	}
	slices.SortStableFunc(found, func(a, b *upload) int {
		if order == "ASCENDING" {
			a, b = b, a
		}
		return cmp.Compare(by(b), by(a))
	})
	var refused *apiError
	v, bad := world.Paged(s.call(r), found, func(u *upload) string { return u.id }, func(u *upload) (any, *world.Error) {
		tree, err := choose(u.fields(), wanted, "OfflineConversionDataSetUpload")
		refused = cmp.Or(refused, err)
		return tree, nil
	})
	return v, cmp.Or(refused, fromWorld(bad))
}
