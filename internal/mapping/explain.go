package mapping

// Step is how one value of an event came about.
type Step struct {
	Target     string      // user.em, value, time …
	Columns    []string    // none for a constant
	Raw        string      // what the columns held; masked when personal
	Transforms []Transform // in the order they ran
	Value      string      // the result; masked when personal, empty when dropped
}

// Transform is one transform and what it made of the value.
type Transform struct {
	Name  string
	Value string
}

// maxShown bounds the text that an explanation shows of a value.
const maxShown = 80

// tracer collects steps. A nil tracer collects nothing.
type tracer struct {
	steps   []Step
	running []Transform
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

func (t *tracer) step(e *expression, name, v string) {
	t.running = append(t.running, Transform{Name: name, Value: e.shown(v)})
}

func (t *tracer) add(e *expression, raw, v string) {
	if t == nil {
		return
	}
	t.steps = append(t.steps, Step{
		Target: e.target, Columns: e.names, Raw: e.shown(raw), Transforms: t.running, Value: e.shown(v),
	})
	t.running = nil
}

// Explain maps the rows of one order and tells how each value came about, in the
// order in which the mapper needed them. A value that was needed twice is told
// once.
func (p *Mapper) Explain(rows []Row) (*Result, []Step) {
	p.trace = &tracer{}
	defer func() { p.trace = nil }()
	r := p.Map(rows)
	type place struct{ target, raw, value string }
	seen := map[place]bool{}
	var steps []Step
	for _, s := range p.trace.steps {
		at := place{s.Target, s.Raw, s.Value}
		if !seen[at] {
			seen[at] = true
			steps = append(steps, s)
		}
	}
	return r, steps
}
