package tool

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
)

// marks are fields that only objects of one node type have. The Graph API deletes and
// changes whatever object an id names: without a look first, a tool for ads would delete
// a campaign, and a policy that lets agents delete products would let them delete that.
var marks = map[string]string{
	"Campaign": "objective", "AdSet": "optimization_goal", "Ad": "adset_id", "AdCreative": "effective_object_story_id",
	"AdRule": "execution_spec", "HighDemandPeriod": "budget_value_type", "CustomAudience": "lookalike_spec",
	"ProductItem": "retailer_product_group_id", "Comment": "can_remove", "IGComment": "hidden",
}

// started are those that a change can set going, so that it spends money.
var started = []string{"Campaign", "AdSet", "Ad"}

// guardKind refuses to delete, start, archive or copy an object of another type than the
// tool is for. Stopping one always goes through.
func (e *Env) guardKind(ctx context.Context) error {
	s := e.Tool.last()
	if s == nil || s.Edge != "" && s.Edge != "copies" || marks[s.On] == "" {
		return nil
	}
	status := e.Args.Str("status")
	starts := s.Verb == http.MethodPost && slices.Contains(started, s.On) && (s.Edge == "copies" || status != "" && status != "PAUSED")
	// A rule that is switched on acts by itself: its limit is held to the ceiling as that of a new one.
	enables := s.On == "AdRule" && status == "ENABLED" && len(e.Settings.Ceilings) > 0 && !e.Args.Has("execution_spec")
	if s.Verb != http.MethodDelete && !starts && !enables {
		return nil
	}
	look := Step{Verb: http.MethodGet, On: s.On, ID: s.ID, PageOf: s.PageOf, Fields: "id," + marks[s.On], Takes: []string{}}
	if s.On == "Campaign" || s.On == "AdSet" {
		look.Fields += ",account_id,daily_budget,lifetime_budget"
	}
	got, err := e.call(ctx, &look, nil)
	f, _ := fault.As(err)
	switch {
	case err == nil:
		e.object, _ = got.(map[string]any)
		if enables && e.Tool.Check != nil {
			e.Args["execution_spec"] = e.object["execution_spec"]
			err = e.Tool.Check(e)
			delete(e.Args, "execution_spec") // it is there already
		}
		return err
	case f != nil && f.Code == fault.MetaRefused && f.Details["field"] == marks[s.On]:
		return fault.New(fault.ObjectNotFound, "%s: the object with that id is no %s", s.ID, s.On).
			WithFix("take the tool that is for it; meta_batch_read shows what it is")
	case f != nil && f.Code == fault.ScopeMissing && (!starts && !enables || len(e.Settings.Ceilings) == 0): // whoever may not read it may still change it
		return nil
	}
	return err
}

// startedBudgets finds the budgets that a call sets going: those that the object has
// already, where it is made ACTIVE and no new ones are given, and a new daily budget with
// the raises that are planned on it.
func (e *Env) startedBudgets(ctx context.Context, found func(what, at string, amount int64)) error {
	s := e.Tool.last()
	if s == nil || s.Verb != http.MethodPost || s.Edge != "" || s.On != "Campaign" && s.On != "AdSet" {
		return nil
	}
	if e.Args.Str("status") == "ACTIVE" && !e.Args.Has("daily_budget") && !e.Args.Has("lifetime_budget") {
		for name, what := range map[string]string{"daily_budget": "daily", "lifetime_budget": "lifetime"} {
			given, _ := text(e.object[name])
			if amount, err := strconv.ParseInt(given, 10, 64); err == nil && amount > 0 {
				found(what, "the "+name+" that it has", amount)
			}
		}
	}
	if !e.Args.Has("daily_budget") {
		return nil
	}
	got, err := e.call(ctx, &Step{
		Verb: http.MethodGet, On: s.On, ID: s.ID, Edge: "budget_schedules", Fields: "budget_value,budget_value_type,time_end",
		Fixed: map[string]string{"limit": "100"}, Takes: []string{},
	}, nil)
	if err != nil {
		return err
	}
	m, _ := got.(map[string]any)
	raises, _ := m["data"].([]any)
	for _, item := range raises {
		raise, _ := item.(map[string]any)
		given, _ := text(raise["budget_value"])
		value, err := strconv.ParseInt(given, 10, 64)
		if err != nil || over(raise["time_end"], e.Now()) {
			continue
		}
		amount := e.Args.Int("daily_budget")
		if raise["budget_value_type"] == "MULTIPLIER" {
			amount *= value
		} else {
			amount += value
		}
		found("daily", "daily_budget with the raise that is planned on it", amount)
	}
	return nil
}

// over reports whether a time of Graph's, in either of its forms, has passed.
func over(v any, now time.Time) bool {
	said, _ := text(v)
	at, ok := readTime(strings.TrimSpace(said))
	return ok && at.Before(now)
}
