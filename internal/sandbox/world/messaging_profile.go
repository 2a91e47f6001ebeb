package world

import (
	"encoding/json"
	"slices"
	"strings"
)

// profileProperties are what a messenger profile holds.
var profileProperties = []string{"greeting", "ice_breakers", "persistent_menu", "get_started", "whitelisted_domains", "account_linking_url"}

func profileKey(platform string) string {
	return "messenger_profile:" + orDefault(platform, "messenger")
}

func (c *Call) profile() map[string]any {
	p, _ := c.On.Attrs[profileKey(c.Param("platform"))].(map[string]any)
	if p == nil {
		p = map[string]any{}
		c.On.Attrs[profileKey(c.Param("platform"))] = p
	}
	return p
}

func readProfile(c *Call) (any, *Error) {
	row := map[string]any{}
	for _, name := range c.Strings("fields") {
		if !slices.Contains(profileProperties, name) {
			return nil, noField(clip(name), "MessengerProfile")
		}
		if v := c.profile()[name]; v != nil {
			row[name] = v
		}
	}
	if len(row) == 0 {
		return map[string]any{"data": []any{}}, nil
	}
	return map[string]any{"data": []any{row}}, nil
}

func writeProfile(c *Call) (any, *Error) {
	given := map[string]any{}
	for _, name := range profileProperties {
		if !c.Has(name) {
			continue
		}
		var v any
		if json.Unmarshal([]byte(c.Param(name)), &v) != nil {
			v = c.Param(name)
		}
		given[name] = v
	}
	_, menu := given["persistent_menu"]
	_, button := given["get_started"]
	switch {
	case len(given) == 0:
		return nil, Bad("Requires at least one of the params: " + strings.Join(profileProperties, ","))
	case menu && !button && c.profile()["get_started"] == nil:
		return nil, Bad("You must set a Get Started button (get_started) if you also wish to use persistent menu")
	}
	for name, v := range given {
		c.profile()[name] = v
	}
	return map[string]any{"result": "success"}, nil
}

func deleteProfile(c *Call) (any, *Error) {
	names := c.Strings("fields")
	if slices.Contains(names, "get_started") && !slices.Contains(names, "persistent_menu") && c.profile()["persistent_menu"] != nil {
		return nil, Bad("You must remove the persistent menu before the Get Started button (get_started)")
	}
	for _, name := range names {
		delete(c.profile(), name)
	}
	return map[string]any{"result": "success"}, nil
}
