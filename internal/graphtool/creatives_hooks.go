package graphtool

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// storySpec puts the single texts of a new creative where Meta wants them: those of a
// link ad and those of a video ad have other names and another place.
func storySpec(e *tool.Env) error {
	a := e.Args
	if spec := a.Map("object_story_spec"); spec != nil {
		for _, name := range []string{"page_id", "instagram_user_id"} {
			if given := text(spec, name); given != "" && a.Has(name) && given != a.Str(name) {
				return tool.Bad("object_story_spec."+name, "it is not "+name, "give one of them, or the same twice")
			}
		}
		spec["page_id"] = a.Str("page_id")
		withAccount(a, spec)
		return nil
	}
	switch {
	case a.Has("object_story_id"):
		return nil
	case a.Has("asset_feed_spec") && !a.Has("link_url"):
		a["object_story_spec"] = withAccount(a, map[string]any{"page_id": a.Str("page_id")})
		return nil
	}
	kind, names := "link_data", map[string]string{
		"body": "message", "title": "name", "description": "description", "image_url": "picture", "image_hash": "image_hash", "link_url": "link",
	}
	if a.Has("video_id") {
		kind, names = "video_data", map[string]string{
			"body": "message", "title": "title", "description": "link_description", "image_url": "image_url", "image_hash": "image_hash", "video_id": "video_id",
		}
	} else if !a.Has("link_url") {
		return tool.Bad("link_url", "a link ad needs it", "give link_url, or video_id, or object_story_id of a Page post")
	}
	content := map[string]any{}
	for arg, member := range names {
		if a.Has(arg) {
			content[member] = a[arg]
		}
	}
	if a.Has("call_to_action_type") {
		button := map[string]any{"type": a.Str("call_to_action_type")}
		if a.Has("link_url") {
			button["value"] = map[string]any{"link": a.Str("link_url")}
		}
		content["call_to_action"] = button
	}
	a["object_story_spec"] = withAccount(a, map[string]any{"page_id": a.Str("page_id"), kind: content})
	return nil
}

func withAccount(a tool.Args, spec map[string]any) map[string]any {
	if a.Has("instagram_user_id") {
		spec["instagram_user_id"] = a.Str("instagram_user_id")
	}
	return spec
}

// oneImage takes the picture out of the answer, which is keyed by the name that was sent.
func oneImage(_ *tool.Env, answer *tool.Answer) error {
	data, _ := answer.Data.(map[string]any)
	images, _ := data["images"].(map[string]any)
	for _, image := range images {
		if m, ok := image.(map[string]any); ok {
			answer.Data = m
		}
	}
	return nil
}

// studyCells writes the cells of a study as Meta takes them, and holds their shares to
// the whole.
func studyCells(e *tool.Env) error {
	total := 0.0
	var cells []any
	seen := map[any]bool{}
	for i, item := range e.Args.List("cells") {
		given, _ := item.(map[string]any)
		cell := map[string]any{}
		for name, v := range given {
			switch name {
			case "campaign_ids":
				name = "campaigns"
			case "adset_ids":
				name = "adsets"
			}
			cell[name] = v
		}
		share, _ := given["treatment_percentage"].(json.Number)
		part, _ := share.Float64()
		total += part
		at := "cells." + strconv.Itoa(i)
		if cell["campaigns"] != nil && cell["adsets"] != nil {
			return tool.Bad(at+".adset_ids", "it excludes campaign_ids", "give one of them in all cells")
		}
		for _, name := range []string{"campaign_ids", "adset_ids"} {
			list, _ := given[name].([]any)
			for _, id := range list {
				if seen[id] {
					return tool.Bad(at+"."+name, "an earlier cell has the same one", "put each into one cell only")
				}
				seen[id] = true
			}
		}
		if cell["campaigns"] == nil && cell["adsets"] == nil && e.Args.Str("type") == "SPLIT_TEST" {
			return tool.Bad(at, "it has nothing to test", "give campaign_ids or adset_ids")
		}
		cells = append(cells, cell)
	}
	if total > 100 {
		return tool.Bad("cells", "their shares come to more than 100 %", "choose treatment_percentage so that the sum is at most 100")
	}
	e.Args["cells"] = cells
	return nil
}

// harmless are the actions of rules that change no budget and no bid. What else Meta has,
// or will have, may set one higher.
var harmless = []string{"", "PAUSE", "UNPAUSE", "NOTIFICATION", "ROTATE", "PING_ENDPOINT"}

// ruleLimit bounds rules that raise budgets or bids. They act later and without this
// server, so that only a limit inside the rule can hold them below a ceiling: it is put
// there, or read from there, as budget_limit, which the ceilings are held against.
func ruleLimit(e *tool.Env) error {
	spec := e.Args.Map("execution_spec")
	action, isText := spec["execution_type"].(string)
	if spec != nil && !isText {
		return tool.Bad("execution_spec.execution_type", "it is no text", "write one action, such as PAUSE")
	}
	if slices.Contains(harmless, strings.ToUpper(strings.TrimSpace(action))) {
		if e.Args.Has("budget_limit") {
			return tool.Bad("budget_limit", "execution_spec changes no budget or bid that it could bound", "leave it out, or give the execution_spec that it belongs into")
		}
		return nil
	}
	options, _ := spec["execution_options"].([]any)
	bounded := false
	for _, item := range options {
		option, _ := item.(map[string]any)
		change, _ := option["value"].(map[string]any)
		if field, _ := option["field"].(string); !strings.EqualFold(field, "change_spec") {
			continue
		}
		if change == nil { // as a text it could say what is not looked at
			return unbounded(e)
		}
		inside, has := change["limit"].(json.Number)
		if has {
			// 1e9 is a number of JSON as well, and one that Int64 does not read.
			limit, err := inside.Float64()
			if err != nil || limit != math.Trunc(limit) || limit < 1 || limit > 1e15 {
				return tool.Bad("execution_spec.execution_options", "the limit of a change_spec is no whole number", "write it in the minor unit of the account's currency")
			}
			inside = json.Number(strconv.FormatInt(int64(limit), 10))
			change["limit"] = inside
		}
		given, wanted := e.Args["budget_limit"].(json.Number)
		switch {
		case has && wanted && given != inside:
			return tool.Bad("budget_limit", "execution_spec has another limit", "give one of them")
		case has:
			e.Args["budget_limit"] = inside
		case wanted:
			change["limit"] = given
		default:
			return unbounded(e)
		}
		bounded = true
	}
	if bounded {
		return nil
	}
	return unbounded(e)
}

func unbounded(e *tool.Env) error {
	if len(e.Settings.Ceilings) == 0 {
		return nil
	}
	return fault.New(fault.BudgetCeiling, "budget_limit: a rule that changes budgets or bids needs a limit, because a ceiling is configured").
		WithFix("give budget_limit, and execution_options with a change_spec that it can go into")
}
