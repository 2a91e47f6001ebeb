package tool

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

// guardBudget refuses a budget above the ceiling of its ad account. Where the account
// or its currency can't be found out, it refuses as well.
func (e *Env) guardBudget(ctx context.Context) error {
	if len(e.Settings.Ceilings) == 0 {
		return nil
	}
	budgets := map[string]int64{}
	named := map[string]string{}
	found := func(what, at string, amount int64) {
		if amount > budgets[what] {
			budgets[what], named[what] = amount, at
		}
	}
	collectBudgets(e.Tool.Args, e.Args, "", found)
	if err := e.copiedBudgets(ctx, found); err != nil {
		return err
	}
	if err := e.startedBudgets(ctx, found); err != nil {
		return err
	}
	if len(budgets) == 0 {
		return nil
	}
	account, err := e.account(ctx)
	if err != nil {
		return err
	}
	return e.within(ctx, account, budgets, named)
}

// copiedBudgets finds the budgets that a copy takes over from its original, and with
// deep_copy from what is inside: no argument says them, and the copy spends them anew.
func (e *Env) copiedBudgets(ctx context.Context, found func(what, at string, amount int64)) error {
	s := e.Tool.last()
	if s == nil || s.Edge != "copies" {
		return nil
	}
	fields := map[string]string{"Campaign": "daily_budget,lifetime_budget", "AdSet": "daily_budget,lifetime_budget,bid_amount"}[s.On]
	if fields == "" {
		return nil // an ad has no budget
	}
	path, _, err := e.path(s)
	if err != nil {
		return err
	}
	if s.On == "Campaign" && e.Args.Bool("deep_copy") {
		fields += ",adsets.limit(25){daily_budget,lifetime_budget,bid_amount}" // Meta copies at most three objects
	}
	original, err := e.Object(ctx, graph.Request{Method: "GET", Path: path[:1], Query: map[string][]string{"fields": {fields}}})
	if err != nil {
		return err
	}
	objects := []any{original}
	inside, _ := original["adsets"].(map[string]any)
	list, _ := inside["data"].([]any)
	for _, item := range append(objects, list...) {
		m, _ := item.(map[string]any)
		for name, what := range map[string]string{"daily_budget": "daily", "lifetime_budget": "lifetime", "bid_amount": "bid"} {
			given, _ := text(m[name])
			if amount, err := strconv.ParseInt(given, 10, 64); err == nil {
				found(what, "the original's "+name, amount)
			}
		}
	}
	return nil
}

// Within holds an amount that no argument has as it is to the ceiling of an ad account:
// what is "daily", "lifetime" or "bid", argument the one to name in a refusal.
func (e *Env) Within(ctx context.Context, account, what, argument string, amount int64) error {
	if len(e.Settings.Ceilings) == 0 {
		return nil
	}
	id, ok := graphspec.AdAccount.Parse(account)
	if !ok {
		return fault.New(fault.BudgetCeiling, "it can't be found out which ad account the budget belongs to, so its ceiling can't be checked")
	}
	return e.within(ctx, id, map[string]int64{what: amount}, map[string]string{what: argument})
}

func (e *Env) within(ctx context.Context, account string, budgets map[string]int64, named map[string]string) error {
	ceiling, ok := e.Settings.Ceilings[account]
	if !ok {
		if ceiling, ok = e.Settings.Ceilings["*"]; !ok {
			return nil
		}
	}
	currency, err := e.currency(ctx, account)
	if err != nil {
		return err
	}
	if ceiling.Currency != "" && ceiling.Currency != currency {
		return fault.New(fault.BudgetCeiling, "the ceiling of %s is in %s, and the account's currency is %s", account, ceiling.Currency, currency).
			WithFix("have the ceiling set in %s", currency)
	}
	for _, what := range []string{"daily", "lifetime", "bid", "any"} {
		amount, limit := budgets[what], ceiling.of(what)
		if amount > 0 && limit == 0 && (ceiling.Daily > 0 || ceiling.Lifetime > 0) {
			return fault.New(fault.BudgetCeiling, "%s: the ceiling of %s names no limit for budgets of that kind, so that none of them is allowed", named[what], account).
				WithFix("choose the other kind of budget, or have a %s ceiling set in sluice.yaml", what).With("argument", named[what])
		}
		if limit > 0 && amount > limit {
			return fault.New(fault.BudgetCeiling, "%s: %s is above the ceiling of %s for %s", named[what],
				graphspec.FormatMinor(amount, currency), graphspec.FormatMinor(limit, currency), account).
				WithFix("choose at most %d, in the minor unit of %s, or have the ceiling raised", limit, currency).
				With("ceiling", limit).With("currency", currency).With("argument", named[what])
		}
	}
	return nil
}

// of is the limit of a kind of budget. A bid can't be higher than what a day may cost.
// What may be either, and a bid where no day is limited, is held to what there is.
func (c Ceiling) of(what string) int64 {
	switch {
	case what == "lifetime", c.Daily == 0 && what != "daily", what == "any" && c.Lifetime != 0 && c.Lifetime < c.Daily:
		return c.Lifetime
	}
	return c.Daily
}

func collectBudgets(args []Arg, given map[string]any, at string, found func(what, at string, amount int64)) {
	for i := range args {
		a := &args[i]
		v, ok := given[a.Name]
		if !ok {
			continue
		}
		if a.Money != "" {
			if n, isNumber := v.(json.Number); isNumber {
				amount, err := n.Int64()
				if err == nil {
					found(a.Money, at+a.Name, amount)
				}
			}
		}
		if inner, isObject := v.(map[string]any); isObject && len(a.Props) > 0 {
			collectBudgets(a.Props, inner, at+a.Name+".", found)
		}
	}
}

// account is the ad account a call is about: named by an argument, or the owner of the
// object that is changed.
func (e *Env) account(ctx context.Context) (string, error) {
	if e.Args.Has("ad_account_id") {
		return e.Args.Str("ad_account_id"), nil
	}
	for _, name := range []string{"adset_id", "campaign_id", "ad_id", "rule_id"} {
		if !e.Args.Has(name) {
			continue
		}
		m, err := e.Object(ctx, graph.Request{Method: "GET", Path: []string{e.Args.Str(name)}, Query: map[string][]string{"fields": {"account_id"}}})
		if err != nil {
			return "", err
		}
		id, ok := m["account_id"].(string)
		if !ok {
			break
		}
		if id, ok = graphspec.AdAccount.Parse(strings.TrimPrefix(id, "act_")); ok {
			return id, nil
		}
	}
	return "", fault.New(fault.BudgetCeiling, "it can't be found out which ad account the budget belongs to, so its ceiling can't be checked").
		WithFix("name the object by campaign_id, adset_id or ad_account_id")
}

func (e *Env) currency(ctx context.Context, account string) (string, error) {
	m, err := e.Object(ctx, graph.Request{Method: "GET", Path: []string{account}, Query: map[string][]string{"fields": {"currency"}}})
	if err != nil {
		return "", err
	}
	code, _ := m["currency"].(string)
	if code == "" {
		return "", fault.New(fault.BudgetCeiling, "the currency of %s can't be read, so its ceiling can't be checked", account).
			WithFix("check that the token has ads_read for the account")
	}
	return code, nil
}
