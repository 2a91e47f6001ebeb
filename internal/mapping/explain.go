package mapping

import (
	"slices"
	"strings"
)

// Step is how one value of an event came about.
type Step struct {
	Target     string      `json:"target"`               // user.em, value, time …
	Columns    []string    `json:"columns,omitempty"`    // none for a constant
	Line       int64       `json:"line,omitempty"`       // of the row; 0 where the order has one row, and for constants
	Raw        string      `json:"raw"`                  // what the columns held; masked when personal
	Transforms []Transform `json:"transforms,omitempty"` // in the order they ran
	Value      string      `json:"value"`                // the result; masked when personal, empty when dropped
	// Warnings are the codes of what is wrong with this value, such as the
	// scientific_phone for which it was dropped.
	Warnings []string `json:"warnings,omitempty"`
}

// Transform is one transform and what it made of the value.
type Transform struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// maxShown bounds the text that an explanation shows of a value.
const maxShown = 80

// tracer collects steps. A nil tracer collects nothing.
type tracer struct {
	steps   []Step
	running []Transform
	// evaluating tells that a warning is about the value at hand, not about the
	// one that was finished last.
	evaluating bool
	codes      []string
}

// shown is what an explanation may print of a value.
func (e *expression) shown(v string) string {
	if e.personal {
		return Mask(v)
	}
	if r := []rune(v); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return v
}

func (t *tracer) begin() {
	if t != nil {
		t.evaluating = true
	}
}

func (t *tracer) step(e *expression, name, v string) {
	t.running = append(t.running, Transform{Name: name, Value: e.shown(v)})
}

// warned notes a code for the value at hand, or for the last one of the column.
func (t *tracer) warned(code, column string) {
	if t == nil {
		return
	}
	if t.evaluating {
		t.codes = append(t.codes, code)
		return
	}
	for i, s := range slices.Backward(t.steps) {
		if strings.Join(s.Columns, "+") == column {
			if !slices.Contains(s.Warnings, code) {
				t.steps[i].Warnings = append(t.steps[i].Warnings, code)
			}
			return
		}
	}
}

func (t *tracer) add(e *expression, line int64, raw, v string) {
	t.steps = append(t.steps, Step{
		Target: e.target, Columns: e.names, Line: line, Raw: e.shown(raw), Transforms: t.running, Value: e.shown(v), Warnings: t.codes,
	})
	t.running, t.codes, t.evaluating = nil, nil, false
}

// traced ends the explanation of a value.
func (p *Mapper) traced(e *expression, row []string, raw, v string) {
	if p.trace == nil {
		return
	}
	var line int64
	if len(p.rows) > 1 && !e.isConstant() {
		for i := range p.rows {
			// The same slice, not the same content: lines of an order may be alike.
			if r := p.rows[i].Values; len(r) > 0 && &r[0] == &row[0] {
				line = p.rows[i].Line
			}
		}
	}
	p.trace.add(e, line, raw, v)
}

// Explain maps the rows of one order and tells how each value came about, in the
// order in which the mapper needed them. A value that was needed twice is told
// once; the lines of an order are told one by one, even where they are alike.
func (p *Mapper) Explain(rows []Row) (*Result, []Step) {
	p.trace = &tracer{}
	defer func() { p.trace = nil }()
	r := p.Map(rows)
	type place struct {
		target, columns string
		line            int64
		raw, value      string
	}
	seen := map[place]int{}
	var steps []Step
	for _, s := range p.trace.steps {
		at := place{s.Target, strings.Join(s.Columns, "\x00"), 0, s.Raw, s.Value}
		if strings.HasPrefix(s.Target, "lines.") {
			at.line = s.Line
		}
		i, told := seen[at]
		if !told {
			seen[at] = len(steps)
			steps = append(steps, s)
			continue
		}
		for _, w := range s.Warnings {
			if !slices.Contains(steps[i].Warnings, w) {
				steps[i].Warnings = append(steps[i].Warnings, w)
			}
		}
	}
	return r, steps
}
