package world

import (
	"slices"
	"strings"
)

// Datasets themselves, their events and statistics are the sandbox's own: it keeps what
// was sent. Here is what is around them.

var datasetBehaviours = map[string]Behaviour{
	"GET AdsPixel.shared_accounts":     listShares,
	"POST AdsPixel.shared_accounts":    shareDataset,
	"DELETE AdsPixel.shared_accounts":  unshareDataset,
	"GET AdsPixel.da_checks":           checkDataset,
	"POST AdAccount.customconversions": createConversion,
}

var datasetFields = map[string]fieldOf{}

func seedDatasets(w *World) {
	account := w.Get(AdAccountID)
	w.Link(account, "customconversions", w.AddAs("3950000000000001", "CustomConversion", account, Attrs{
		"name": "Order over 50 pounds", "account_id": account.ID[len("act_"):], "pixel": Ref(DatasetID), "custom_event_type": "PURCHASE",
		"rule":                     `{"and":[{"event":{"eq":"Purchase"}},{"value":{"gt":"50"}}]}`,
		"default_conversion_value": 0, "is_archived": false, "is_unavailable": false, "retention_days": 0,
	}))
}

// listShares lists the owner and those it was shared with, of one business.
func listShares(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "shared_accounts")
	if owner, ok := c.On.Attrs["owner_ad_account"].(Ref); ok {
		if o := c.World.Get(string(owner)); o != nil {
			list = append(list, o)
		}
	}
	return c.List(slices.DeleteFunc(list, func(o *Object) bool { return text(o.Attrs["business"]) != c.Param("business") }))
}

// shared finds the account and the business of a call about sharing.
func (c *Call) shared() (*Object, *Error) {
	account := c.World.Get("act_" + strings.TrimPrefix(c.Param("account_id"), "act_"))
	if account == nil || account.Kind != "AdAccount" {
		return nil, Bad("Param account_id must be a valid ad account")
	}
	if b := c.World.Get(c.Param("business")); b == nil || b.Kind != "Business" || text(account.Attrs["business"]) != b.ID {
		return nil, Bad("Param business must be the business of the ad account")
	}
	return account, nil
}

func shareDataset(c *Call) (any, *Error) {
	account, err := c.shared()
	if err != nil {
		return nil, err
	}
	c.World.Link(c.On, "shared_accounts", account)
	return OK(), nil
}

func unshareDataset(c *Call) (any, *Error) {
	account, err := c.shared()
	if err != nil {
		return nil, err
	}
	if !c.World.Unlink(c.On, "shared_accounts", account) {
		return nil, Bad("The dataset is not shared with this ad account")
	}
	return OK(), nil
}

// checkDataset says whether the events suit catalog ads; here they always do.
func checkDataset(c *Call) (any, *Error) {
	return c.Rows("DACheck", []map[string]any{
		{"key": "pixel_events_received", "title": "Events arrive", "result": "passed", "description": "Events that catalog ads need are received."},
		{"key": "pixel_content_ids", "title": "Products are named", "result": "passed", "description": "Events carry content ids."},
	})
}

// createConversion checks rule and dataset, and that the name is new.
func createConversion(c *Call) (any, *Error) {
	if c.Has("rule") {
		var rule map[string]any
		if err := c.JSON("rule", &rule); err != nil {
			return nil, err
		}
	}
	source := c.World.Get(c.Param("event_source_id"))
	if source == nil || source.Kind != "AdsPixel" {
		return nil, Bad("Param event_source_id must be a dataset of the business")
	}
	o, answer, err := c.Create()
	if o != nil {
		o.Attrs["pixel"], o.Attrs["account_id"], o.Attrs["is_archived"] = Ref(source.ID), c.On.ID[len("act_"):], false
	}
	return answer, err
}
