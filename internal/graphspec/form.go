package graphspec

import "strings"

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

// MadeOf reports whether a text is ASCII letters, digits and the characters of others, and
// one to most bytes long. (The regular expression for it takes up to half a megabyte.)
func MadeOf(text, others string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// digits reports whether a text is one to 32 digits.
func digits(text string) bool {
	return text != "" && len(text) <= 32 && strings.Trim(text, "0123456789") == ""
}

func (f Form) matches(text string) bool {
	switch f {
	case Digits:
		return digits(text)
	case Composite:
		parts := 0
		for part := range strings.SplitSeq(text, "_") {
			if parts++; parts > 3 || !digits(part) {
				return false
			}
		}
		return true
	case AdAccount:
		id, prefixed := strings.CutPrefix(text, "act_")
		return prefixed && digits(id)
	case Opaque:
		return MadeOf(text, "_:.$=-", 256)
	}
	return false
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
	if f == AdAccount && digits(text) {
		text = "act_" + text
	}
	if !f.matches(text) || strings.Trim(text, ".") == "" {
		return "", false
	}
	return text, true
}
