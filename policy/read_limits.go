package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// limits reads a list of limits; tool is empty for those of all tools.
func (r *reader) limits(n *node, at, tool string) []limitModel {
	if !r.is(n, kindArray, at) {
		return nil
	}
	if len(n.members) > maxRules {
		r.fault(codeSize, at, fmt.Sprintf("%d limits; at most %d are read", len(n.members), maxRules), "")
		return nil
	}
	var out []limitModel
	for i := range n.members {
		here := at + "/" + strconv.Itoa(i)
		if !r.is(&n.members[i], kindObject, here) {
			continue
		}
		l := r.limit(&n.members[i], here, tool)
		if sameCounter(out, l) {
			r.fault(codeDupCounter, here, fmt.Sprintf("counter %s comes twice for this window and scope", strconv.Quote(l.counter)), "give one of them another name")
		}
		out = append(out, l)
	}
	return out
}

func sameCounter(limits []limitModel, l limitModel) bool {
	for i := range limits {
		if limits[i].counter == l.counter && limits[i].seconds == l.seconds && limits[i].scope == l.scope {
			return l.counter != "" && l.seconds != 0
		}
	}
	return false
}

func (r *reader) limit(n *node, at, tool string) limitModel {
	l := limitModel{at: at, scope: PerGrant}
	r.only(n, at, limitFields)
	switch v := n.member("counter"); {
	case v == nil:
		r.fault(codeCounter, at+"/counter", "the counter has no name", `add "counter": "<name>"`)
	case v.kind != kindString:
		r.fault(codeCounter, at+"/counter", "the name of a counter is a string", "")
	default:
		if p := nameProblem(v.text); p != "" {
			r.fault(codeCounter, at+"/counter", p, "")
		} else {
			l.counter = v.text
		}
	}
	if v := n.member("scope"); v != nil {
		if l.scope = Scope(v.text); v.kind != kindString || !l.scope.known() {
			r.fault(codeScope, at+"/scope", "there is no such scope", "scopes are grant, session, server, org")
		}
	}
	if v := n.member("algorithm"); v != nil {
		switch {
		case v.kind == kindString && v.text == "sliding":
			l.sliding = true
		case v.kind != kindString || v.text != "fixed":
			r.fault(codeAlgorithm, at+"/algorithm", "there is no such algorithm", "algorithms are fixed and sliding")
		}
	}
	l.message = r.text(n, at, "on_deny")
	r.window(n, at, &l)
	if v := n.member("key"); v != nil {
		l.key = r.keyPath(v, at+"/key", codeKey, tool)
	}
	if n.member("after") != nil {
		r.after(n, at, tool, &l)
		return l
	}
	r.amount(n, at, tool, &l)
	return l
}

func (s Scope) known() bool {
	return s == PerGrant || s == PerSession || s == PerServer || s == PerOrg
}

// window reads window, window_seconds or after.within_seconds, exactly one of them.
func (r *reader) window(n *node, at string, l *limitModel) {
	var given []string
	if v := n.member("window"); v != nil {
		given = append(given, "window")
		for _, w := range windows {
			if v.kind == kindString && v.text == w.name {
				l.seconds = w.seconds
			}
		}
		if l.seconds == 0 {
			fix := "windows are minute, hour, day; any other length is window_seconds"
			if v.kind == kindNumber {
				fix = `write "window_seconds": ` + v.text
			}
			r.fault(codeWindow, at+"/window", "there is no such window", fix)
		}
	}
	if n.member("window_seconds") != nil {
		given = append(given, "window_seconds")
		if s := r.whole(n, at, "window_seconds", codeWindow, 1, maxWindow); s != nil {
			l.seconds = *s
			if name, named := windowName(*s); named {
				r.fault(noticeWindow, at+"/window_seconds", fmt.Sprintf("written as \"window\": %q", name), "")
			}
		}
	}
	if v := n.member("after"); v != nil && v.kind == kindObject && v.member("within_seconds") != nil {
		given = append(given, "after.within_seconds")
		if s := r.whole(v, at+"/after", "within_seconds", codeWindow, 1, maxWindow); s != nil {
			l.seconds = *s
			r.fault(noticeAfter, at+"/after", "the time was written beside after, as window or window_seconds", "")
		}
	}
	switch {
	case len(given) == 0:
		r.fault(codeWindow, at+"/window", "the window is missing", `add "window": "minute", "hour" or "day"`)
	case len(given) > 1:
		r.fault(codeWindow, at, "the window is given as "+strings.Join(given, " and as "), "leave one out")
	}
}

// amount reads max and increment_from.
func (r *reader) amount(n *node, at, tool string, l *limitModel) {
	switch v := n.member("max"); {
	case v == nil:
		r.fault(codeMax, at+"/max", "the limit has no max", `add "max": 30`)
	default:
		if most := r.whole(n, at, "max", codeMax, 0, maxMax); most != nil {
			l.max = *most
			if l.max == 0 {
				r.fault(warnMaxZero, at+"/max", "no call is admitted", "use deny_if to deny a tool with a message of its own")
			}
		}
	}
	v := n.member("increment_from")
	if v == nil {
		return
	}
	at += "/increment_from"
	switch {
	case tool == "":
		r.fault(codeIncrement, at, "limits of all tools are static", "put the limit into the tools that have the argument")
	case v.kind != kindString:
		r.fault(codeIncrement, at, "increment_from is a path", `write "increment_from": "args.<name>"`)
	default:
		p := r.path(v.text, at, codeIncrement)
		l.increment = &p
	}
}

// keyPath reads the path of one value.
func (r *reader) keyPath(v *node, at, code, tool string) *path {
	switch {
	case tool == "":
		r.fault(code, at, "limits of all tools are static", "put the limit into the tools that have the argument")
		return nil
	case v.kind != kindString:
		r.fault(code, at, "a key is a path", `write "key": "args.<name>"`)
		return nil
	}
	p := r.path(v.text, at, code)
	if p.many() {
		r.fault(code, at, "a key is one value, and [*] leads to several", "")
	}
	return &p
}

// after reads a condition on what was done before: the name of a tool, or an object with
// tool, key and within_seconds.
func (r *reader) after(n *node, at, tool string, l *limitModel) {
	v := n.member("after")
	here := at + "/after"
	if tool == "" {
		r.fault(codeAfter, here, "limits of all tools are static", "put the limit into the tools that have to wait")
	}
	for _, key := range []string{"increment_from", "algorithm"} {
		if n.member(key) != nil {
			r.fault(codeAfter, at+"/"+key, "nothing is counted beside after", "leave it out, or make two limits")
		}
	}
	if n.member("max") != nil && r.whole(n, at, "max", codeMax, 0, maxMax) != nil {
		r.fault(noticeAfter, at+"/max", "max means nothing beside after and was left out", "")
	}
	name, key := v, (*node)(nil)
	if v.kind == kindObject {
		r.only(v, here, afterFields)
		name, key = v.member("tool"), v.member("key")
		here += "/tool"
	}
	switch {
	case name == nil || name.kind != kindString || strings.TrimSpace(name.text) == "" || name.text == "*":
		r.fault(codeAfter, here, "after names the tool that has to be called before", `write "after": "<tool>"`)
	case name.text == tool:
		r.fault(codeAfter, here, "a tool that waits for itself is never called", "name another tool")
	default:
		l.after = name.text
	}
	l.afterKey = l.key
	if key == nil {
		return
	}
	if l.key == nil {
		r.fault(codeAfter, at+"/after/key", "there is no key to compare it with", `add "key": "args.<name>" to the limit`)
		return
	}
	if l.afterKey = r.keyPath(key, at+"/after/key", codeKey, tool); l.afterKey != nil && l.key.text == l.afterKey.text {
		r.fault(noticeAfter, at+"/after/key", "the key of the limit is meant already", "")
	}
}

// sessionOnly warns of limits that a client resets by connecting anew.
func (r *reader) sessionOnly(limits []limitModel, at string) {
	for i := range limits {
		if limits[i].scope != PerSession {
			return
		}
	}
	if len(limits) > 0 {
		r.fault(warnSessionOnly, at, "all limits are per session: a client that connects anew starts from zero", "add one with scope grant")
	}
}
