package tool

import (
	"slices"
	"strings"
)

// choices checks the groups of arguments of which one, or at least one, is needed.
func (e *Env) choices() error {
	for _, group := range e.Tool.AnyOf {
		if len(e.among(group)) == 0 {
			why := "none of them is given"
			if len(e.notices) > 0 { // what was given has no effect any more
				why += " (" + strings.Join(e.notices, " ") + ")"
			}
			return Bad(listed(group), why, "give at least one of them")
		}
	}
	for _, group := range e.Tool.OneOf {
		switch given := e.among(group); len(given) {
		case 0:
			return Bad(listed(group), "none of them is given", "give one of them")
		case 1:
		default:
			return Bad(strings.Join(given, ", "), "only one of them can be given", "leave the others out")
		}
	}
	return nil
}

func (e *Env) among(group string) []string {
	return slices.DeleteFunc(strings.Fields(group), func(name string) bool { return !e.Args.Has(name) })
}

func listed(group string) string { return strings.Join(strings.Fields(group), ", ") }
