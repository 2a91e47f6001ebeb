package app

import (
	"regexp"
	"strings"
)

// Bounds of a command line on a screen, in characters.
const (
	longestArgument = 48
	longestLine     = 100
)

// secretive are names of arguments whose values are not for a screen.
var secretive = regexp.MustCompile(`(?i)token|secret|passw|api-?_?key|auth|bearer|credential|header`)

// commandLine is a command as a person recognizes it: long arguments are cut, and what
// may be a secret is left out.
func commandLine(command []string) string {
	var out []string
	hide := false
	for i, arg := range command {
		name, value, has := strings.Cut(arg, "=")
		switch {
		case hide && !strings.HasPrefix(arg, "-"):
			arg, hide = "…", false
		case i > 0 && has && value != "" && secretive.MatchString(name):
			arg, hide = name+"=…", false
		case i > 0 && strings.Contains(arg, "://") && strings.ContainsAny(arg, "@?"):
			scheme, _, _ := strings.Cut(arg, "://")
			arg, hide = scheme+"://…", false
		case i > 0 && !strings.HasPrefix(arg, "-") && strings.Contains(strings.ToLower(arg), "bearer "):
			arg = "…"
		default:
			hide = i > 0 && strings.HasPrefix(arg, "-") && !has && secretive.MatchString(arg)
			arg = cut(arg, longestArgument)
		}
		out = append(out, arg)
	}
	return cut(strings.Join(out, " "), longestLine)
}

func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
