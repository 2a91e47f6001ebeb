package graphspec

import (
	"regexp"
	"strings"
)

// Form is what ids of a node type look like. An id that isn't of its form never
// enters a path.
type Form string

// The forms.
const (
	Digits    Form = "digits"    // 1784…
	Composite Form = "composite" // 400_123, of Page posts and comments; plain digits as well
	AdAccount Form = "act"       // act_123; bare digits get their prefix
	Opaque    Form = "opaque"    // m_mid.$cAA…, t_123: messages, threads, upload sessions
	NoID      Form = ""          // the node is no object
)

var forms = map[Form]*regexp.Regexp{
	Digits:    regexp.MustCompile(`^\d{1,32}$`),
	Composite: regexp.MustCompile(`^\d{1,32}(_\d{1,32}){0,2}$`),
	AdAccount: regexp.MustCompile(`^act_\d{1,32}$`),
	Opaque:    regexp.MustCompile(`^[A-Za-z0-9_:.$=\-]{1,256}$`),
}

// Describe says how an id of the form is written.
func (f Form) Describe() string {
	switch f {
	case Digits:
		return "digits"
	case Composite:
		return "digits, or two groups of digits joined by _"
	case AdAccount:
		return "act_ and digits"
	case Opaque:
		return "letters, digits and _ : . $ = -"
	}
	return "no id"
}

// Parse checks an id and brings it into its usual form. It never lets dots alone
// pass, which a path would read as a direction.
func (f Form) Parse(text string) (string, bool) {
	if f == AdAccount && forms[Digits].MatchString(text) {
		text = "act_" + text
	}
	re := forms[f]
	if re == nil || !re.MatchString(text) || strings.Trim(text, ".") == "" {
		return "", false
	}
	return text, true
}
