package world

import (
	"encoding/json"
	"maps"
)

func createAd(c *Call) (any, *Error) {
	if err := c.newStatus(); err != nil {
		return nil, err
	}
	for _, name := range []string{"adset_id", "creative"} {
		if !c.Has(name) {
			return nil, Bad("The parameter " + name + " is required")
		}
	}
	set, err := c.child("adset_id", "AdSet")
	if err != nil {
		return nil, err
	}
	creative, err := c.creative(c.account(c.On))
	if err != nil {
		return nil, err
	}
	if set.Attrs["is_dynamic_creative"] == true && len(c.World.Linked(set, "ads")) > 0 {
		return nil, Fail("dynamic_creative")
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	o.Attrs["creative"] = Ref(creative.ID)
	c.World.placeAd(o, set)
	defaults(o, Attrs{"status": "ACTIVE", "updated_time": c.Now, "review_until": c.Now.Add(reviewTime)})
	c.log(o, "create_ad", map[string]any{"new_value": creative.ID})
	return answer, nil
}

// placeAd puts an ad below its ad set.
func (w *World) placeAd(ad, set *Object) {
	campaign := w.Above(set, "Campaign")
	ad.Owner = set.ID
	ad.Attrs["adset_id"], ad.Attrs["campaign_id"], ad.Attrs["account_id"] = set.ID, campaign.ID, w.Above(set, "AdAccount").Str("account_id")
	w.Link(set, "ads", ad)
	w.Link(campaign, "ads", ad)
}

// creative finds the creative that an ad names, or makes one of the specification that
// it gives in its place.
func (c *Call) creative(account *Object) (*Object, *Error) {
	var spec map[string]any
	if err := c.JSON("creative", &spec); err != nil {
		return nil, err
	}
	id, named := spec["creative_id"].(string)
	if n, isNumber := spec["creative_id"].(json.Number); isNumber {
		id, named = n.String(), true
	}
	if named {
		o := c.World.Get(id)
		if o == nil || o.Kind != "AdCreative" || c.account(o) != account || o.Str("status") == "DELETED" {
			return nil, Fail("creative_unusable", "what", "The creative does not exist in this ad account")
		}
		return o, nil
	}
	if err := usable(spec); err != nil {
		return nil, err
	}
	if c.ValidateOnly() {
		return &Object{Kind: "AdCreative"}, nil
	}
	attrs := Attrs{"status": "ACTIVE", "account_id": account.Str("account_id")}
	maps.Copy(attrs, spec)
	o := c.World.Add("AdCreative", account, attrs)
	c.World.Link(account, "adcreatives", o)
	c.World.furnish(o)
	return o, nil
}

func updateAd(c *Call) (any, *Error) {
	if err := c.changeable(); err != nil {
		return nil, err
	}
	if !c.Has("creative") {
		return c.changeAdObject(adEvents)
	}
	creative, err := c.creative(c.account(c.On))
	if err != nil {
		return nil, err
	}
	answer, err := c.changeAdObject(adEvents)
	if err == nil && !c.ValidateOnly() {
		c.On.Attrs["creative"], c.On.Attrs["review_until"] = Ref(creative.ID), c.Now.Add(reviewTime)
		delete(c.On.Attrs, "review")
		delete(c.On.Attrs, "issues_info")
	}
	return answer, err
}

var adEvents = map[string]string{"name": "update_ad_friendly_name", "status": "update_ad_run_status", "creative": "update_ad_creative"}

// children are the objects below one, without the deleted.
func (w *World) children(o *Object) []*Object {
	edge := map[string]string{"Campaign": "adsets", "AdSet": "ads"}[o.Kind]
	var list []*Object
	for _, child := range w.Linked(o, edge) {
		if effective(w, child) != "DELETED" {
			list = append(list, child)
			list = append(list, w.children(child)...)
		}
	}
	return list
}
