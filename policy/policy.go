package policy

import (
	"slices"
	"strconv"
	"strings"
)

// Policy is a compiled document. It is immutable and safe for concurrent use.
type Policy struct {
	allow    bool
	hidesAll bool
	hidesAny bool
	tools    map[string]*tool
	allTools []*Limit
}

// Fault is one thing that is wrong with a document, or worth a look.
type Fault struct {
	Code    string `json:"code"`    // E_… keeps the document from being used, W_… does not, N_… tells of a rewriting
	Pointer string `json:"pointer"` // RFC 6901, into the document as it was given; of a missing member, where it would stand
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

// Fatal reports whether the fault keeps the document from being used.
func (f Fault) Fatal() bool { return strings.HasPrefix(f.Code, "E_") }

// Document is a checked document.
type Document struct {
	model     *model
	canonical []byte
	portable  bool
}

// Parse checks a document and reports all its faults. The document is nil when one of
// them is an error. Shorthands are rewritten, each with a notice.
func Parse(raw []byte) (*Document, []Fault) {
	n, faults := parseNode(raw)
	if n == nil {
		return nil, faults
	}
	r := reader{faults: faults}
	m := r.document(n)
	if slices.ContainsFunc(r.faults, Fault.Fatal) {
		return nil, r.faults
	}
	w := writer{}
	w.document(m)
	if len(w.b) > MaxSize {
		r.fault(codeSize, "", "the document is too large with its shorthands written out", "split it over several servers")
		return nil, r.faults
	}
	return &Document{model: m, canonical: w.b, portable: !w.extended}, r.faults
}

// Canonical is the document as it is stored: shorthands written out, members in the
// order of the specification; parsing it again gives the same bytes.
func (d *Document) Canonical() []byte { return slices.Clone(d.canonical) }

// Portable reports whether the document uses nothing but version 1 as published.
func (d *Document) Portable() bool { return d.portable }

// maxHints is for how many unknown names a similar one is looked for: each costs a
// comparison with every tool.
const maxHints = 50

// Unknown warns of names that the server has no tool of, given the names it has now.
func (d *Document) Unknown(tools []string) []Fault {
	var faults []Fault
	look := func(name, at string) {
		if name == "*" || slices.Contains(tools, name) {
			return
		}
		f := Fault{Code: warnUnknownTool, Pointer: at, Message: "the server has no tool " + strconv.Quote(name)}
		if len(faults) < maxHints {
			if meant := closest(name, tools); meant != "" {
				f.Fix = "did you mean `" + meant + "`?"
			}
		}
		faults = append(faults, f)
	}
	for i, name := range d.model.hide {
		look(name, "/hide/"+strconv.Itoa(i))
	}
	for i := range d.model.tools {
		t := &d.model.tools[i]
		look(t.name, "/tools/"+escapePointer(t.name))
		for j := range t.limits {
			if l := &t.limits[j]; l.after != "" {
				look(l.after, l.at+"/after")
			}
		}
	}
	return faults
}

// Compile makes a document fit for deciding. It can't fail: Parse has checked
// everything.
func (d *Document) Compile() *Policy { return compile(d.model) }

// Hides reports whether the name is hidden; HidesAny whether any is.
func (p *Policy) Hides(tool string) bool {
	t := p.tools[tool]
	return p.hidesAll || t != nil && t.hidden
}

// HidesAny reports whether the document hides anything.
func (p *Policy) HidesAny() bool { return p.hidesAny }

// DefaultAllow reports whether tools that the document does not list are allowed.
func (p *Policy) DefaultAllow() bool { return p.allow }

// Callable reports whether some call of the tool could be allowed: it is neither hidden
// nor unlisted under default deny nor denied without condition.
func (p *Policy) Callable(tool string) bool {
	if p.Hides(tool) {
		return false
	}
	t := p.tools[tool]
	if t == nil || !t.listed {
		return p.allow
	}
	return !t.uncalled
}
