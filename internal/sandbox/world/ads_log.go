package world

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// eventWords are what the log says of its events to people, and the category that
// finds them.
var eventWords = map[string]struct{ words, category string }{
	"create_campaign_group":               {"Campaign created", "CAMPAIGN"},
	"create_ad_set":                       {"Ad set created", "AD_SET"},
	"create_ad":                           {"Ad created", "AD"},
	"update_campaign_name":                {"Campaign name updated", "CAMPAIGN"},
	"update_campaign_run_status":          {"Campaign status updated", "STATUS"},
	"update_campaign_budget":              {"Campaign budget updated", "BUDGET"},
	"update_campaign_group_spend_cap":     {"Campaign spending limit updated", "BUDGET"},
	"update_campaign_schedule":            {"Campaign schedule updated", "DATE"},
	"update_campaign_high_demand_periods": {"Budget schedule updated", "BUDGET"},
	"update_ad_set_name":                  {"Ad set name updated", "AD_SET"},
	"update_ad_set_run_status":            {"Ad set status updated", "STATUS"},
	"update_ad_set_budget":                {"Ad set budget updated", "BUDGET"},
	"update_ad_set_bidding":               {"Ad set bid updated", "BID"},
	"update_ad_set_duration":              {"Ad set schedule updated", "DATE"},
	"update_ad_set_target_spec":           {"Ad set targeting updated", "TARGETING"},
	"update_ad_set_optimization_goal":     {"Ad set performance goal updated", "AD_SET"},
	"update_ad_friendly_name":             {"Ad name updated", "AD"},
	"update_ad_run_status":                {"Ad status updated", "STATUS"},
	"update_ad_creative":                  {"Ad creative updated", "AD"},
	"ad_review_approved":                  {"Ad approved", "AD"},
	"ad_review_declined":                  {"Ad rejected", "AD"},
	"add_images":                          {"Images added", "AD"},
}

var objectTypes = map[string]string{"Campaign": "CAMPAIGN", "AdSet": "AD_SET", "Ad": "AD", "AdAccount": "ACCOUNT"}

// log writes a change into the account's log.
func (c *Call) log(o *Object, event string, extra map[string]any) {
	account := c.account(o)
	if account == nil {
		return
	}
	actor, name := SystemUserID, "Sandbox system user"
	if c.Token != nil && c.Token.User != "" {
		actor = c.Token.User
	}
	if user := c.World.Get(actor); user != nil && user.Str("name") != "" {
		name = user.Str("name")
	}
	c.World.writeLog(account, o, event, actor, name, c.Now, extra)
}

func (w *World) writeLog(account, o *Object, event, actor, name string, at time.Time, extra map[string]any) {
	text := "{}"
	if b, err := json.Marshal(extra); err == nil && extra != nil {
		text = string(b)
	}
	entry := w.Add("AdActivity", account, Attrs{
		"event_type": event, "translated_event_type": eventWords[event].words, "event_time": at, "actor_id": actor, "actor_name": name,
		"object_id": o.ID, "object_name": o.Str("name"), "object_type": objectTypes[o.Kind], "extra_data": text,
		"application_id": AppID, "application_name": "Sandbox app", "date_time_in_timezone": at.UTC().Format("01/02/2006 at 3:04 PM"),
	})
	w.Link(account, "activities", entry)
}

// logChanges writes one entry for each event whose fields the update changed.
func (c *Call) logChanges(before Attrs, events map[string]string) {
	for _, field := range []string{"name", "status", "daily_budget", "lifetime_budget", "bid_amount", "spend_cap", "stop_time", "end_time", "targeting", "optimization_goal", "creative"} {
		event, ok := events[field]
		if !ok || !c.Has(field) {
			continue
		}
		c.log(c.On, event, map[string]any{"old_value": plain(before[field]), "new_value": plain(c.On.Attrs[field])})
	}
}

func plain(v any) any {
	if t, ok := v.(time.Time); ok {
		return GraphTime(t)
	}
	return v
}

// listActivities answers a log, newest first: the last week unless since says more.
func listActivities(c *Call) (any, *Error) {
	account := c.account(c.On)
	from, to := c.Now.Add(-7*24*time.Hour), c.Now
	for name, into := range map[string]*time.Time{"since": &from, "until": &to} {
		if c.Has(name) {
			t, err := c.When(name)
			if err != nil {
				return nil, err
			}
			*into = t
		}
	}
	about := c.Param("oid")
	if c.On.Kind == "AdSet" {
		about = c.On.ID
	}
	list := slices.DeleteFunc(c.World.Linked(account, "activities"), func(o *Object) bool {
		at, _ := o.Attrs["event_time"].(time.Time)
		switch {
		case at.Before(from) || at.After(to):
		case c.Has("category") && eventWords[o.Str("event_type")].category != c.Param("category"):
		case c.Has("uid") && o.Str("actor_id") != c.Param("uid"):
		case about != "" && !c.concerns(o.Str("object_id"), about):
		default:
			return false
		}
		return true
	})
	slices.SortStableFunc(list, func(a, b *Object) int {
		x, _ := a.Attrs["event_time"].(time.Time)
		y, _ := b.Attrs["event_time"].(time.Time)
		return y.Compare(x)
	})
	return c.List(list)
}

// concerns reports whether an entry is about an object, or with add_children about what
// is below it.
func (c *Call) concerns(id, about string) bool {
	if id == about {
		return true
	}
	if !c.Bool("add_children") {
		return false
	}
	for o := c.World.Get(id); o != nil; o = c.World.Get(o.Owner) {
		if o.ID == about {
			return true
		}
	}
	return false
}

// trimmed cuts a name for a copy at Meta's length.
func trimmed(name string) string {
	if r := []rune(strings.TrimSpace(name)); len(r) > 400 {
		return string(r[:400])
	}
	return name
}
