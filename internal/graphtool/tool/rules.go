package tool

import "strings"

// Rule is what holds between arguments besides AnyOf and OneOf. Records list them; a
// call that breaks one is refused before any request. Names may lead into an object
// (promoted_object.page_id), and several joined by | mean any one of them.
type Rule struct {
	kind  ruleKind
	args  []string
	value string // of WhenIs
	set   any    // of the defaults
}

type ruleKind int

const (
	ruleAtMostOne ruleKind = iota
	ruleNeeds
	ruleInOrder
	ruleWhen
	ruleDefault
)

// AtMostOne takes one of the arguments, or none.
func AtMostOne(args ...string) Rule { return Rule{kind: ruleAtMostOne, args: args} }

// Needs wants all of the others where the first argument is given.
func Needs(arg string, others ...string) Rule {
	return Rule{kind: ruleNeeds, args: append([]string{arg}, others...)}
}

// WhenIs wants all of the others where the argument has the value, or one of several
// separated by |.
func WhenIs(arg, value string, others ...string) Rule {
	return Rule{kind: ruleWhen, args: append([]string{arg}, others...), value: value}
}

// InOrder wants one time, or number, to be before another, where both are given.
func InOrder(first, second string) Rule {
	return Rule{kind: ruleInOrder, args: []string{first, second}}
}

// DefaultUnless gives an argument a value where neither it nor any of the others is
// given: what Meta wants said although it follows from the rest.
func DefaultUnless(arg string, value any, others ...string) Rule {
	return Rule{kind: ruleDefault, args: append([]string{arg}, others...), set: value}
}

func (r Rule) check(a Args) error {
	first := r.args[0]
	switch r.kind {
	case ruleAtMostOne:
		var given []string
		for _, name := range r.args {
			if a.reaches(name) {
				given = append(given, name)
			}
		}
		if len(given) > 1 {
			return Bad(given[1], "it excludes "+given[0], "give one of "+strings.Join(r.args, ", ")+", not several")
		}
	case ruleNeeds, ruleWhen:
		if !a.reaches(first) || r.kind == ruleWhen && !oneOf(r.value, a.Str(first)) {
			return nil
		}
		for _, name := range r.args[1:] {
			if !a.reaches(name) {
				return Bad(either(name), "it is missing, and "+r.cause()+" needs it", "give "+either(name))
			}
		}
	case ruleInOrder:
		if a.Has(first) && a.Has(r.args[1]) && a.Float(first) >= a.Float(r.args[1]) {
			return Bad(r.args[1], "it is not after "+first, "choose "+r.args[1]+" later than "+first)
		}
	case ruleDefault:
		for _, name := range r.args {
			if a.reaches(name) {
				return nil
			}
		}
		setIn(a, first, standard(r.set))
	}
	return nil
}

func (r Rule) cause() string {
	if r.kind == ruleWhen {
		return r.args[0] + " " + strings.ReplaceAll(r.value, "|", " or ")
	}
	return r.args[0]
}

func either(name string) string { return strings.ReplaceAll(name, "|", " or ") }

func oneOf(values, value string) bool {
	for _, v := range strings.Split(values, "|") {
		if v == value {
			return true
		}
	}
	return false
}

// reaches reports whether an argument, a member inside of one, or one of several is
// given. No, an empty text and an empty list are none.
func (a Args) reaches(names string) bool {
	for _, path := range strings.Split(names, "|") {
		var v any = map[string]any(a)
		for _, name := range strings.Split(path, ".") {
			m, _ := v.(map[string]any)
			v = m[name]
		}
		switch x := v.(type) {
		case nil:
		case bool:
			if x {
				return true
			}
		case string:
			if x != "" {
				return true
			}
		case []any:
			if len(x) > 0 {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// checkRules holds the arguments to the record's rules.
func (e *Env) checkRules() error {
	for _, r := range e.Tool.Rules {
		if err := r.check(e.Args); err != nil {
			return err
		}
	}
	return nil
}

// addWord puts the word of a flag into the list that it belongs to.
func addWord(params map[string]any, name, word string) {
	list, _ := params[name].([]any)
	params[name] = append(list, word)
}

// setIn sets a member at the end of a path of names, making the objects on the way.
// Objects that are on the way already are copied first: they belong to the arguments.
func setIn(params map[string]any, path string, v any) {
	outer, inner, nested := strings.Cut(path, ".")
	if !nested {
		params[outer] = v
		return
	}
	copied := map[string]any{}
	if m, ok := params[outer].(map[string]any); ok {
		for name, old := range m {
			copied[name] = old
		}
	}
	params[outer] = copied
	setIn(copied, inner, v)
}
