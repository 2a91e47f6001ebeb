// Package obs writes metrics in Prometheus's text format (version 0.0.4).
//
// Its guarantee: one output for one state, names and labels escaped and in order.
// Its limit: it formats; what is measured, and that no label identifies a person,
// is decided by who fills the families.
package obs

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a family.
type Kind string

// The kinds.
const (
	Gauge   Kind = "gauge"
	Counter Kind = "counter"
	Summary Kind = "summary" // samples may carry a suffix: _sum, _count
	// Histogram samples have _bucket with the label le last, _sum and _count. They are
	// written in the order they were added: buckets rise.
	Histogram Kind = "histogram"
)

// Label is one name and value.
type Label struct{ Name, Value string }

// Sample is one value.
type Sample struct {
	Suffix string
	Labels []Label
	Value  float64
}

// Family is one metric with its samples.
type Family struct {
	Name, Help string
	Kind       Kind
	Samples    []Sample
}

// Add appends a sample; labels are name, value, name, value …
func (f *Family) Add(value float64, labels ...string) { f.AddTo("", value, labels...) }

// AddTo appends a sample of a part of the family, such as _sum.
func (f *Family) AddTo(suffix string, value float64, labels ...string) {
	s := Sample{Suffix: suffix, Value: value}
	for i := 0; i+1 < len(labels); i += 2 {
		s.Labels = append(s.Labels, Label{labels[i], labels[i+1]})
	}
	f.Samples = append(f.Samples, s)
}

// Text writes the families, by name.
func Text(families []Family) []byte {
	var b bytes.Buffer
	families = slices.Clone(families)
	slices.SortStableFunc(families, func(a, b Family) int { return cmp.Compare(a.Name, b.Name) })
	for i := range families {
		f := &families[i]
		b.WriteString("# HELP " + f.Name + " " + escapeHelp.Replace(f.Help) + "\n# TYPE " + f.Name + " " + string(f.Kind) + "\n")
		lines := make([]string, len(f.Samples))
		for j := range f.Samples {
			lines[j] = f.Samples[j].line(f.Name)
		}
		if f.Kind != Histogram {
			slices.Sort(lines)
		}
		for _, line := range lines {
			b.WriteString(line)
		}
	}
	return b.Bytes()
}

var (
	escapeHelp  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeValue = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (s *Sample) line(name string) string {
	var b strings.Builder
	b.WriteString(name + s.Suffix)
	for i, l := range s.Labels {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(l.Name + `="` + escapeValue.Replace(strings.ToValidUTF8(l.Value, "\uFFFD")) + `"`)
	}
	if len(s.Labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + Number(s.Value) + "\n")
	return b.String()
}

// Number writes a value as the format has it.
func Number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	default:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
}
