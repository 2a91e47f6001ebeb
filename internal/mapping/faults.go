package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/internal/fault"
)

// maxFaults keeps the report of a hopeless document readable.
const maxFaults = 100

// Fault is one thing that is wrong with a mapping document.
type Fault struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901) into the document
	Line    int    `json:"line"`    // 1-based
	Column  int    `json:"column"`  // 1-based, in characters
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// String returns "LINE:COLUMN POINTER: message; fix".
func (f Fault) String() string {
	s := fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Pointer, f.Message)
	if f.Fix != "" {
		s += "; " + f.Fix
	}
	return s
}

// FaultsOf returns the faults inside an error of Parse.
func FaultsOf(err error) []Fault {
	e, ok := fault.As(err)
	if !ok {
		return nil
	}
	list, _ := e.Details["faults"].([]Fault)
	return list
}

// Excerpt returns the line of src that a fault is about, with a caret below the
// place, ready to print. It is empty when src has no such line.
func Excerpt(src []byte, f Fault) string {
	n := 1
	for line := range strings.Lines(string(src)) {
		if n != f.Line {
			n++
			continue
		}
		line = strings.TrimRight(line, "\r\n")
		const most = 120
		if utf8.RuneCountInString(line) > most {
			line = string([]rune(line)[:most])
		}
		var pad strings.Builder
		for i, r := range []rune(line) {
			if i >= f.Column-1 {
				break
			}
			// A tab in the pad keeps the caret below its character.
			if r != '\t' {
				r = ' '
			}
			pad.WriteRune(r)
		}
		return fmt.Sprintf("%5d | %s\n      | %s^\n", f.Line, line, pad.String())
	}
	return ""
}

// invalid makes the error of Parse from its faults.
func invalid(name string, faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	count := len(faults)
	faults = faults[:min(count, maxFaults)]
	first := faults[0]
	message := fmt.Sprintf("%s:%d: %s", name, first.Line, first.Message)
	if count > 1 {
		message += fmt.Sprintf(" (and %d more)", count-1)
	}
	e := fault.New(fault.MappingInvalid, "%s", message).With("faults", faults).With("file", name)
	if first.Fix != "" {
		e = e.WithFix("%s", first.Fix)
	}
	return e
}
