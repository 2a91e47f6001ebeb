package policy

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxRegex is how long a pattern may be, in bytes.
const maxRegex = 1000

// maxSteps is what looking for a pattern may cost: at worst a step for each byte of the
// text and each instruction of the pattern. Who calls chooses the text, and must not keep
// the gateway busy with it.
const maxSteps = 1 << 28

var opRegex = operator{
	name: "regex", operand: "a string", example: `"^[a-z]+$"`,
	means: "the argument is a string in which the RE2 pattern is found, anywhere unless it has ^ and $; unknown where the text is so long that looking would take seconds",
	check: func(n *node) string {
		if n.kind != kindString {
			return "a string is needed, not " + n.kind.String()
		}
		return ""
	},
	judge: func(o *operand, v value) Truth {
		switch v.kind {
		case kindAbsent, kindNull:
			return False
		case kindString:
			text, ok := v.text()
			if !ok {
				return Unknown
			}
			if len(text) > maxSteps/o.steps {
				return Unknown
			}
			return truthOf(o.re.Match(text))
		}
		return Unknown
	},
}

// stepsOf is how many instructions a pattern has that compiles.
func stepsOf(pattern string) int {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return maxSteps
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return maxSteps
	}
	return len(prog.Inst)
}

// compileRegex says what is wrong with a pattern.
func compileRegex(pattern string) (*regexp.Regexp, string) {
	if len(pattern) > maxRegex {
		return nil, fmt.Sprintf("the pattern has %d bytes; at most %d are allowed", len(pattern), maxRegex)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, strings.TrimPrefix(err.Error(), "error parsing regexp: ")
	}
	return re, ""
}
