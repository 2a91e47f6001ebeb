package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// maxRegex is how long a pattern may be, in bytes.
const maxRegex = 1000

var opRegex = operator{
	name: "regex", operand: "a string", example: `"^[a-z]+$"`,
	means: "the argument is a string in which the RE2 pattern is found, anywhere unless it has ^ and $",
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
			return truthOf(o.re.Match(text))
		}
		return Unknown
	},
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
