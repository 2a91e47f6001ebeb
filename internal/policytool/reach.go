package policytool

import (
	"encoding/json"
	"slices"
	"strings"
)

// Reach is what may be done with a tool before and after an import.
type Reach struct {
	Tool    string `json:"tool"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Changed bool   `json:"changed"`
}

// The words of reach; a tool may be checked and limited.
const (
	reachAllowed = "allowed"
	reachChecked = "checked" // its arguments are
	reachLimited = "limited"
	reachDenied  = "denied"
	reachHidden  = "hidden"
)

// otherTools stands for all that are not listed.
const otherTools = "(every other tool)"

// reach compares the tools of both documents, each read on its own.
func reach(f *interceptFile, canonical json.RawMessage) []Reach {
	after := reachOf(canonical)
	var names []string
	for _, t := range f.tools {
		if t.name != everyTool {
			names = append(names, t.name)
		}
	}
	for _, h := range f.hide {
		if h != everyTool && !slices.Contains(names, h) {
			names = append(names, h)
		}
	}
	slices.Sort(names)
	var out []Reach
	for _, name := range append(names, otherTools) {
		r := Reach{Tool: name, Before: f.reach(name), After: after(name)}
		r.Changed = r.Before != r.After
		out = append(out, r)
	}
	return out
}

// reach is what the original lets a tool do.
func (f *interceptFile) reach(name string) string {
	if slices.Contains(f.hide, everyTool) || slices.Contains(f.hide, name) {
		return reachHidden
	}
	listed := false
	var denied, checked, limited bool
	for _, t := range f.tools {
		listed = listed || t.name == name
		if t.name != name && t.name != everyTool {
			continue
		}
		for _, r := range t.rules {
			denied = denied || r.deny
			limited = limited || r.rate != nil
			for _, c := range r.conditions {
				if strings.HasPrefix(c.path, "args.") {
					checked = true
				} else {
					limited = true
				}
			}
		}
	}
	if !listed && !f.defaultAllow {
		denied = true
	}
	return reachWord(denied, checked, limited)
}

func reachWord(denied, checked, limited bool) string {
	switch {
	case denied:
		return reachDenied
	case checked && limited:
		return reachChecked + ", " + reachLimited
	case checked:
		return reachChecked
	case limited:
		return reachLimited
	default:
		return reachAllowed
	}
}

// reachOf reads a canonical document.
func reachOf(canonical json.RawMessage) func(name string) string {
	var d document
	if json.Unmarshal(canonical, &d) != nil {
		return func(string) string { return reachDenied }
	}
	return func(name string) string {
		if slices.Contains(d.Hide, everyTool) || slices.Contains(d.Hide, name) {
			return reachHidden
		}
		t, listed := d.Tools[name]
		denied := !listed && d.Default != "allow"
		for _, r := range t.DenyIf {
			denied = denied || len(r.Conditions) == 0
		}
		limited := len(t.Limits) > 0 || d.AllTools != nil && len(d.AllTools.Limits) > 0
		return reachWord(denied, len(t.Require) > 0 || len(t.DenyIf) > 0, limited)
	}
}
