package source

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// bind finds the asked columns in the header of a file. first names the input
// whose header was bound before, "" for the first one: a column that is missing
// there means that the mapping does not fit, later that the header drifted.
func (t *table) bind(name, first string, columns []string) error {
	t.wanted = t.wanted[:0]
	var missing, twice []string
	for _, c := range columns {
		i := slices.Index(t.header, c)
		switch {
		case i < 0:
			missing = append(missing, c)
			continue
		case slices.Contains(t.header[i+1:], c):
			twice = append(twice, c)
		}
		t.wanted = append(t.wanted, i)
	}
	switch {
	case len(missing) > 0:
		return t.missing(name, first, missing)
	case len(twice) > 0:
		return fault.New(fault.SourceInvalid, "%s: the header has column %s more than once", name, quoteList(twice)).
			WithFix("rename one of them at the source: which one is meant can't be known").
			With("file", name).With("columns", twice)
	}
	return nil
}

// missing types columns that a header lacks. What a header has is only shown when
// none of it looks like a value: without a header, a customer stands there.
func (t *table) missing(name, first string, missing []string) error {
	if suggest.LooksLikeRow(t.header) {
		return headerless(name, len(t.header)).With("missing", missing)
	}
	shown := presentable(t.header)
	said := make([]string, len(missing))
	near := map[string]string{}
	for i, m := range missing {
		said[i] = fmt.Sprintf("%q", m)
		if c := suggest.Closest(m, t.header); c != "" && shown {
			near[m] = c
			said[i] += fmt.Sprintf(" (did you mean %q?)", c)
		}
	}
	list := strings.Join(said, ", ")
	var e *fault.Error
	switch {
	case first == "" && shown:
		e = fault.New(fault.MappingInvalid, "%s has no column %s", name, list).
			WithFix("the header is %s; correct the mapping, or `source.delimiter` if the header was cut wrongly", quoteList(t.header))
	case first == "":
		e = fault.New(fault.MappingInvalid, "%s has no column %s, and its first line does not look like a header (%d columns)", name, list, len(t.header)).
			WithFix("export the data with a line of column names on top; correct the mapping, or `source.delimiter` if the header was cut wrongly")
	default:
		e = fault.New(fault.SourceInvalid, "%s has no column %s, but %s has: the files do not have the same layout", name, list, first).
			WithFix("read files of different layouts with a mapping each")
	}
	return e.With("file", name).With("columns", missing).With("did_you_mean", near)
}

// quoteList prints names for a message, the first ones when there are many.
func quoteList(names []string) string {
	const most = 40
	said := make([]string, 0, min(len(names), most)+1)
	for _, n := range names[:min(len(names), most)] {
		if len(n) > 64 {
			n = n[:64]
		}
		said = append(said, fmt.Sprintf("%q", n))
	}
	if len(names) > most {
		said = append(said, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(said, ", ")
}
