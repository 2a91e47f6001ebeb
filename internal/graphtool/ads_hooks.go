package graphtool

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/graphtool/tool"
)

// platforms are those that have placements of their own in placement_soft_opt_out.
var platforms = []string{"facebook", "instagram", "audience_network", "messenger", "threads", "whatsapp", "oculus"}

// softOptOut turns the list of placements into the object that Meta takes since it
// groups them by platform: facebook:marketplace becomes facebook_positions ["marketplace"].
func softOptOut(e *tool.Env) error {
	const name = "placement_soft_opt_out"
	if !e.Args.Has(name) {
		return nil
	}
	grouped := map[string]any{}
	for i, item := range e.Args.Strings(name) {
		platform, position, ok := strings.Cut(item, ":")
		platform = strings.TrimSuffix(platform, "_positions")
		if !ok || position == "" || !slices.Contains(platforms, platform) {
			return tool.Bad(name+"."+strconv.Itoa(i), "it is no placement", "write platform:position, such as facebook:marketplace; platforms are "+strings.Join(platforms, ", "))
		}
		list, _ := grouped[platform+"_positions"].([]any)
		grouped[platform+"_positions"] = append(list, position)
	}
	e.Args[name] = grouped
	return nil
}

// raiseBudget plans a temporary raise. What a day may cost then is the daily budget
// with the raise, which no argument says: the hook reads the budget and holds the sum
// to the ceiling.
func raiseBudget(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	at := tool.Step{Verb: "GET", On: "Campaign|AdSet", ID: "campaign_id|adset_id", Fields: "id,account_id,daily_budget", Takes: []string{}}
	got, err := e.Call(ctx, at, nil)
	if err != nil {
		return nil, err
	}
	object, _ := got.(map[string]any)
	daily, err := strconv.ParseInt(text(object, "daily_budget"), 10, 64)
	if err != nil || daily <= 0 {
		return nil, tool.Bad("campaign_id or adset_id", "it has no daily budget of its own", "name the level that has the daily budget")
	}
	value, kind, argument := e.Args.Int("raise_amount"), "ABSOLUTE", "raise_amount"
	raised := daily + value
	if e.Args.Has("multiplier") {
		value, kind, argument = e.Args.Int("multiplier"), "MULTIPLIER", "multiplier"
		raised = daily * value
	}
	if err := e.Within(ctx, text(object, "account_id"), "daily", argument, raised); err != nil {
		return nil, err
	}
	made, err := e.Call(ctx, tool.Step{
		Verb: "POST", On: "Campaign|AdSet", ID: "campaign_id|adset_id", Edge: "budget_schedules", Takes: []string{"start_time", "end_time"},
	}, map[string]any{"budget_value": value, "budget_value_type": kind})
	if err != nil {
		return nil, err
	}
	answer, _ := made.(map[string]any)
	if answer == nil {
		answer = map[string]any{}
	}
	answer["budget_value"], answer["budget_value_type"] = json.Number(strconv.FormatInt(value, 10)), kind
	answer["raised_daily_budget"] = strconv.FormatInt(raised, 10)
	return &tool.Answer{Data: answer}, nil
}
