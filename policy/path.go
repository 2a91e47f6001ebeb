package policy

import (
	"strings"
)

// path says where in the arguments a value stands. The head are the names up to the
// first extension; all heads of a tool are looked up in one pass. The rest is walked from
// there.
type path struct {
	text string // as written
	head []string
	tail []step
}

// step is one segment behind the head.
type step struct {
	kind stepKind
	name string
}

type stepKind uint8

const (
	byName   stepKind = iota
	each              // [*]: every element of an array
	toLength          // $length: how many elements an array has, or characters a string
)

// portable reports whether the path is one of version 1 as published.
func (p *path) portable() bool {
	return len(p.tail) == 0 && !strings.Contains(p.text, `["`)
}

// many reports whether the path may lead to several values.
func (p *path) many() bool {
	for _, s := range p.tail {
		if s.kind == each {
			return true
		}
	}
	return false
}

// parsePath reads a path; the problem is empty where it is one.
//
//	path    = "args" 1*segment
//	segment = "." name | `["` … `"]` | "[*]" | ".$length" at the end
//
// A name has no dot, space or bracket: what looks like an index would otherwise be the
// name of a member that no call has.
func parsePath(text string) (p path, problem, fix string) {
	const shape = "write it as args.<name>.<name>…"
	rest, ok := strings.CutPrefix(text, "args")
	if !ok || rest == "" || rest[0] != '.' && rest[0] != '[' {
		return p, "a path begins with args. and the name of an argument", shape
	}
	p.text = text
	add := func(s step) {
		if s.kind == byName && len(p.tail) == 0 {
			p.head = append(p.head, s.name)
		} else {
			p.tail = append(p.tail, s)
		}
	}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "[*]"):
			if len(p.head) == 0 {
				return p, "args itself is an object: [*] stands behind the name of an array", "write it as args.<name>[*]"
			}
			add(step{kind: each})
			rest = rest[len("[*]"):]
		case strings.HasPrefix(rest, `["`):
			end, ok := stringEnd([]byte(rest), 1)
			if !ok || end == len(rest) || rest[end] != ']' {
				return p, `a quoted name does not end with "]`, `write it as args["a.b"]`
			}
			name, ok := appendText(nil, []byte(rest[1:end]))
			if !ok {
				return p, "an escape sequence in a quoted name is malformed", `write it as args["a.b"]`
			}
			add(step{name: string(name)})
			rest = rest[end+1:]
		case rest[0] == '[':
			return p, "only [*] and a quoted name stand in brackets: one element can't be picked by its place", `use [*] for every element, ["…"] for a name with a bracket`
		case rest[0] != '.':
			return p, "a segment begins with a dot or a bracket", shape
		default:
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name := rest[:end]
			rest = rest[end:]
			switch {
			case name == "":
				return p, "a name is empty", `write it as args.<name>.<name>…, or args[""] for an empty name`
			case strings.IndexFunc(name, isBlank) >= 0:
				return p, "a name has a space in it", `quote it: args["two words"]`
			case strings.ContainsRune(name, ']'):
				return p, "a name has a bracket in it", `quote it: args["a]b"]`
			case name == "$length" && rest != "":
				return p, "$length is a number: nothing follows it", `quote a member that has this name: args["$length"]`
			case name == "$length" && len(p.head) == 0:
				return p, "args itself has no length", shape
			case name == "$length":
				add(step{kind: toLength})
			default:
				add(step{name: name})
			}
		}
	}
	return p, "", ""
}

func isBlank(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 || r >= 0x2000 && r <= 0x200f || r == 0x2028 || r == 0x2029 || r == 0x3000 || r == 0xfeff
}
