package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// shorthands writes out what public guides print inside the rule of a tool: action with
// reason, and rate_limit.
func (r *reader) shorthands(n *node, at string, t *toolModel) {
	r.action(n, at, t)
	if v := n.member("rate_limit"); v != nil {
		r.rateLimit(v, at+"/rate_limit", t)
	}
}

func (r *reader) action(n *node, at string, t *toolModel) {
	reason := r.text(n, at, "reason")
	v := n.member("action")
	if v == nil {
		if n.member("reason") != nil {
			r.fault(codeAction, at+"/reason", "there is no action that the reason explains", `add "action": "deny", or use on_deny in a rule`)
		}
		return
	}
	at += "/action"
	if v.kind != kindString {
		r.fault(codeAction, at, "an action is a string", "actions are allow, deny, require_approval")
		return
	}
	switch v.text {
	case "deny":
		t.denyIf = append([]ruleModel{{at: at, message: reason}}, t.denyIf...)
		r.fault(noticeAction, at, "written out as a deny_if rule without conditions", "")
	case "require_approval":
		t.approveIf = append(t.approveIf, ruleModel{at: at, message: reason})
		r.fault(noticeAction, at, "written out as an approve_if rule without conditions", "")
	case "allow":
		r.fault(noticeAction, at, "a listed tool is allowed: the action was left out", "")
		if n.member("reason") != nil {
			r.fault(codeAction, strings.TrimSuffix(at, "action")+"reason", "what is allowed needs no reason", "leave it out")
		}
	default:
		fix := "actions are allow, deny, require_approval"
		if meant := closest(v.text, []string{"allow", "deny", "require_approval"}); meant != "" {
			fix = fmt.Sprintf("did you mean %q?", meant)
		}
		r.fault(codeAction, at, "there is no action "+strconv.Quote(v.text), fix)
	}
}

func (r *reader) rateLimit(v *node, at string, t *toolModel) {
	const fix = `write it as {"max": 10, "window": 60}: calls and seconds`
	if v.kind != kindObject {
		r.fault(codeRateLimit, at, "a rate limit is an object", fix)
		return
	}
	r.only(v, at, rateFields)
	for _, key := range rateFields {
		if v.member(key) == nil {
			r.fault(codeRateLimit, at+"/"+key, key+" is missing", fix)
			return
		}
	}
	most := r.whole(v, at, "max", codeRateLimit, 0, maxMax)
	seconds := r.whole(v, at, "window", codeRateLimit, 1, maxWindow)
	if most == nil || seconds == nil {
		return
	}
	if *most == 0 {
		r.fault(warnMaxZero, at+"/max", "no call is admitted", "use deny_if to deny a tool with a message of its own")
	}
	_, named := windowName(*seconds)
	l := limitModel{at: at, counter: rateCounter(t.name), seconds: *seconds, sliding: !named, max: *most, scope: PerGrant}
	if sameCounter(t.limits, l) {
		r.fault(codeDupCounter, at, fmt.Sprintf("counter %s comes twice for this window and scope", strconv.Quote(l.counter)), "leave the rate limit out")
	}
	t.limits = append(t.limits, l)
	r.fault(noticeRateLimit, at, fmt.Sprintf("written out as a limit with the counter %s", strconv.Quote(l.counter)), "")
}

// rateCounter names the counter of a rate limit after its tool.
func rateCounter(tool string) string {
	const suffix = "_rate"
	name := []rune(tool)
	return string(name[:min(len(name), maxName-len(suffix))]) + suffix
}
