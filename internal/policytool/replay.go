package policytool

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/policy"
)

// Past is one recorded call, as far as it can be judged again.
type Past struct {
	At   time.Time
	Call audit.Call // of the decision
	// Arguments as they were; nil: they were not kept.
	Arguments []byte
	// Failed says that the call was let through and nothing was done: it took no quota.
	Failed bool
}

// PastOf is a recorded call with its arguments opened; open may be nil.
func PastOf(r *enforce.RecordedCall, open func(sealed []byte) ([]byte, error)) Past {
	p := Past{At: r.At, Call: r.Call, Failed: r.Call.Settlement == "rollback"}
	if open != nil && len(r.Arguments) > 0 {
		if plain, err := open(r.Arguments); err == nil {
			p.Arguments = plain
		}
	}
	return p
}

// Report is what a document would have meant for calls of the past.
type Report struct {
	Since time.Time `json:"since,omitzero"` // of the first call
	Until time.Time `json:"until,omitzero"` // of the last
	Calls int       `json:"calls"`
	// Changed calls would have another answer; they are the sum of the three below, and of
	// those that waited for a person and would be decided at once.
	Changed     int `json:"changed"`
	AllowToDeny int `json:"allow_to_deny"`
	DenyToAllow int `json:"deny_to_allow"`
	ToApproval  int `json:"to_approval"`
	Unchanged   int `json:"unchanged"`
	// CannotTell are calls on whose arguments the document decides, and which were not
	// kept.
	CannotTell int `json:"cannot_tell"`
	// Skipped are calls that were refused for reasons no document changes.
	Skipped int `json:"skipped"`
	// Grants that would see a change.
	Grants int      `json:"grants_changed"`
	Rows   []Change `json:"rows"` // most changes first
}

// Change counts the calls of one grant to one tool.
type Change struct {
	Grant      string `json:"grant"`
	GrantName  string `json:"grant_name,omitempty"` // where somebody knows it
	Tool       string `json:"tool"`
	Calls      int    `json:"calls"`
	Unchanged  int    `json:"unchanged"`
	CannotTell int    `json:"cannot_tell"`
	Moves      []Move `json:"moves,omitempty"`
}

// Move counts calls that would be decided otherwise, by one rule.
type Move struct {
	From  string `json:"from"` // allow, deny, approval
	To    string `json:"to"`
	Rule  string `json:"rule,omitempty"` // that decides now; empty: none stands in the way
	Calls int    `json:"calls"`
}

// Changed is how many of the calls would have another answer.
func (c *Change) Changed() (n int) {
	for _, m := range c.Moves {
		n += m.Calls
	}
	return n
}

// Summary is the report in one sentence.
func (r *Report) Summary() string {
	s := fmt.Sprintf("%s, %s would change", plural(r.Grants, "grant"), plural(r.Changed, "call"))
	if r.CannotTell > 0 {
		s += fmt.Sprintf("; %s can't be told", plural(r.CannotTell, "call"))
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Replay judges calls of the past, oldest first, by another document. Limits are counted
// anew at the times the calls were made; a call counts where it was or would have been
// let through.
func Replay(calls iter.Seq[Past], d *policy.Document) *Report {
	r := replayer{
		judge: NewJudge(d.Compile()), needs: needsOf(d), rows: map[[2]string]*Change{}, untold: map[[2]string]bool{},
	}
	for c := range calls {
		r.add(&c)
	}
	return r.report()
}

type replayer struct {
	judge *Judge
	needs *needs
	rows  map[[2]string]*Change // by grant and tool
	// untold are grants and tools of which a call left a mark that can't be told.
	untold map[[2]string]bool
	total  Report
}

// notOfPolicy are codes of calls that no document decided.
var notOfPolicy = []string{string(policy.StoreUnavailable), string(policy.UpstreamAuthFailed), string(policy.MethodNotAllowed), "read_only_scope"}

func (r *replayer) add(c *Past) {
	if c.Call.Tool == "" || slices.Contains(notOfPolicy, c.Call.Code) {
		r.total.Skipped++
		return
	}
	if r.total.Calls == 0 {
		r.total.Since = c.At
	}
	r.total.Until = c.At
	r.total.Calls++
	key := [2]string{c.Call.Grant, c.Call.Tool}
	row := r.rows[key]
	if row == nil {
		row = &Change{Grant: c.Call.Grant, Tool: c.Call.Tool}
		r.rows[key] = row
	}
	row.Calls++
	if c.Arguments == nil && r.needs.arguments(c.Call.Tool) {
		row.CannotTell++
		r.untold[key] = true
		return
	}
	if c.Arguments == nil {
		r.untold[key] = true
	}
	before := class(&c.Call)
	w := Who{Workspace: c.Call.Workspace, Server: c.Call.Server, Grant: c.Call.Grant, Session: c.Call.Session}
	after := r.judge.decide(w, c.At, policy.Call{Tool: c.Call.Tool, Arguments: c.Arguments}, c.Call.Approval != "" && before == NeedsApproval && c.Call.Decision == "allow", !c.Failed)
	asked := after.Decision
	if after.approved {
		asked = NeedsApproval
	}
	if asked == Denied && r.needs.untold(c.Call.Tool, func(tool string) bool { return r.untold[[2]string{c.Call.Grant, tool}] }) {
		row.CannotTell++
		return
	}
	row.count(before, asked, after.Rule)
}

// count adds a call that was decided before and is decided after.
func (c *Change) count(before, after, rule string) {
	if before == after {
		c.Unchanged++
		return
	}
	for i := range c.Moves {
		if m := &c.Moves[i]; m.From == before && m.To == after && m.Rule == rule {
			m.Calls++
			return
		}
	}
	c.Moves = append(c.Moves, Move{before, after, rule, 1})
}

// class is how a call was decided then.
func class(c *audit.Call) string {
	switch {
	case c.Approval != "", c.Decision == "park", strings.HasPrefix(c.Code, "approval_"):
		return NeedsApproval
	case c.Decision == "deny", c.Decision == "observe":
		return Denied // observe: it would have been
	default:
		return Allowed
	}
}

func (r *replayer) report() *Report {
	out := r.total
	grants := map[string]bool{}
	out.Rows = []Change{}
	for _, row := range r.rows {
		slices.SortStableFunc(row.Moves, func(a, b Move) int { return b.Calls - a.Calls })
		out.Rows = append(out.Rows, *row)
		out.Changed += row.Changed()
		out.CannotTell += row.CannotTell
		out.Unchanged += row.Unchanged
		for _, m := range row.Moves {
			switch {
			case m.To == NeedsApproval:
				out.ToApproval += m.Calls
			case m.From == Allowed:
				out.AllowToDeny += m.Calls
			case m.From == Denied:
				out.DenyToAllow += m.Calls
			}
		}
		if row.Changed() > 0 {
			grants[row.Grant] = true
		}
	}
	out.Grants = len(grants)
	slices.SortFunc(out.Rows, func(a, b Change) int {
		if n := b.Changed() - a.Changed(); n != 0 {
			return n
		}
		return strings.Compare(a.Grant+"\x00"+a.Tool, b.Grant+"\x00"+b.Tool)
	})
	return &out
}

// needs says which tools of a document can't be judged without arguments.
type needs struct {
	policy *policy.Policy
	tools  map[string]toolNeeds
}

type toolNeeds struct {
	arguments bool
	after     []string // tools whose marks with a key are asked for
}

// needsOf reads the canonical document.
func needsOf(d *policy.Document) *needs {
	type rules []struct {
		Conditions []json.RawMessage `json:"conditions"`
	}
	var doc struct {
		Tools map[string]struct {
			Require   rules            `json:"require"`
			DenyIf    rules            `json:"deny_if"`
			ApproveIf rules            `json:"approve_if"`
			Limits    []map[string]any `json:"limits"`
		} `json:"tools"`
	}
	n := &needs{policy: d.Compile(), tools: map[string]toolNeeds{}}
	if json.Unmarshal(d.Canonical(), &doc) != nil {
		return n // what is not listed is not excused
	}
	looks := func(list ...rules) bool {
		for _, all := range list {
			for _, r := range all {
				if len(r.Conditions) > 0 {
					return true
				}
			}
		}
		return false
	}
	for name, t := range doc.Tools {
		var of toolNeeds
		of.arguments = looks(t.Require, t.DenyIf, t.ApproveIf)
		for _, l := range t.Limits {
			keyed := l["key"] != nil
			if after, ok := l["after"].(map[string]any); ok {
				keyed = keyed || after["key"] != nil
				if tool, ok := after["tool"].(string); ok && keyed {
					of.after = append(of.after, tool)
				}
			} else if tool, ok := l["after"].(string); ok && keyed {
				of.after = append(of.after, tool)
			}
			of.arguments = of.arguments || keyed || l["increment_from"] != nil
		}
		n.tools[name] = of
	}
	return n
}

// arguments reports whether the answer to a call of the tool depends on them.
func (n *needs) arguments(tool string) bool {
	return n.policy.Callable(tool) && n.tools[tool].arguments
}

// untold reports whether the tool asks for marks that may be missing.
func (n *needs) untold(tool string, missing func(tool string) bool) bool {
	return slices.ContainsFunc(n.tools[tool].after, missing)
}
