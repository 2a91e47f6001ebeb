package world

import "maps"

// copyMost is how many objects one call copies; more need an asynchronous request.
const copyMost = 3

func copyCampaign(c *Call) (any, *Error) {
	if ended(c.On) {
		return nil, Fail("advantage_ended")
	}
	return c.copyTree(c.account(c.On), "copied_campaign_id", nil)
}

func copyAdSet(c *Call) (any, *Error) {
	into := c.World.Above(c.World.Get(c.On.Owner), "Campaign")
	if c.Has("campaign_id") {
		var err *Error
		if into, err = c.child("campaign_id", "Campaign"); err != nil {
			return nil, err
		}
		if (budgetOf(into) == "") == (budgetOf(c.On) == "") {
			return nil, Fail("budget_twice")
		}
	}
	return c.copyTree(c.account(c.On), "copied_adset_id", into)
}

func copyAd(c *Call) (any, *Error) {
	into := c.World.Above(c.World.Get(c.On.Owner), "AdSet")
	if c.Has("adset_id") {
		var err *Error
		if into, err = c.child("adset_id", "AdSet"); err != nil {
			return nil, err
		}
	}
	return c.copyTree(c.account(c.On), "copied_ad_id", into)
}

// copyTree copies an object, with deep_copy also what is below it, and answers which
// became which.
func (c *Call) copyTree(account *Object, member string, into *Object) (any, *Error) {
	if effective(c.World, c.On) == "DELETED" {
		return nil, Fail("ad_object_deleted")
	}
	deep := c.Bool("deep_copy")
	if deep && 1+len(c.World.children(c.On)) > copyMost {
		return nil, Fail("copy_too_large")
	}
	var made []any
	top, err := c.copyOf(c.On, account, into, deep, &made)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{member: top.ID, "success": true}
	if c.On.Kind != "Ad" {
		answer["ad_object_ids"] = made
	}
	return answer, nil
}

var copyTypes = map[string]string{"Campaign": "campaign", "AdSet": "ad_set", "Ad": "ad"}

func (c *Call) copyOf(from, account, into *Object, deep bool, made *[]any) (*Object, *Error) {
	attrs := maps.Clone(from.Attrs)
	status := orElse(c.Param("status_option"), "PAUSED")
	if status == "INHERITED_FROM_SOURCE" {
		status = from.Str("status")
	}
	attrs["status"], attrs["updated_time"], attrs["name"] = status, c.Now, c.copyName(from)
	attrs["created_time"] = c.Now
	delete(attrs, "turns")
	for _, name := range []string{"start_time", "end_time"} {
		if !c.Has(name) || from.Kind == "Ad" {
			continue
		}
		t, err := c.When(name)
		if err != nil {
			return nil, err
		}
		if name == "end_time" && from.Kind == "Campaign" {
			name = "stop_time"
		}
		attrs[name] = t
	}
	o := c.World.Add(from.Kind, account, attrs)
	*made = append(*made, map[string]any{"ad_object_type": copyTypes[from.Kind], "source_id": from.ID, "copied_id": o.ID})
	c.World.Link(from, "copies", o)
	switch from.Kind {
	case "Campaign":
		o.Attrs["source_campaign_id"] = from.ID
		c.World.Link(account, "campaigns", o)
		c.log(o, "create_campaign_group", nil)
	case "AdSet":
		o.Owner, o.Attrs["source_adset_id"], o.Attrs["campaign_id"], o.Attrs["learning_since"] = into.ID, from.ID, into.ID, c.Now
		c.World.Link(account, "adsets", o)
		c.World.Link(into, "adsets", o)
		c.log(o, "create_ad_set", nil)
	case "Ad":
		o.Attrs["source_ad_id"], o.Attrs["review_until"] = from.ID, c.Now.Add(reviewTime)
		c.World.Link(account, "ads", o)
		c.World.placeAd(o, into)
		c.log(o, "create_ad", nil)
	}
	if !deep {
		return o, nil
	}
	edge := map[string]string{"Campaign": "adsets", "AdSet": "ads"}[from.Kind]
	for _, child := range c.World.Linked(from, edge) {
		if effective(c.World, child) == "DELETED" {
			continue
		}
		if _, err := c.copyOf(child, account, o, true, made); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// copyName is the name of a copy: with what rename_options says, or " - Copy".
func (c *Call) copyName(from *Object) string {
	var options map[string]any
	if c.Has("rename_options") && c.JSON("rename_options", &options) == nil {
		prefix, _ := options["rename_prefix"].(string)
		suffix, _ := options["rename_suffix"].(string)
		if prefix != "" || suffix != "" {
			return trimmed(prefix + from.Str("name") + suffix)
		}
	}
	return trimmed(from.Str("name") + " - Copy")
}
