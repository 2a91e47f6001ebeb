package policy

import (
	"fmt"
	"time"
)

// The texts for the agent where the document has none. A hidden tool gets that of an
// unlisted one, so that the two can't be told apart.
const notPermitted = "This tool is not permitted."

func engineText(list, label string) string {
	if list == "approve_if" {
		return "A person has to agree to this call first, by rule " + label + "."
	}
	return "Denied by rule " + label + "."
}

func (l *Limit) engineText() string {
	if l.After == "" {
		return "Limit exceeded for " + l.Rule + "."
	}
	text := fmt.Sprintf("Call %s first: this call needs one within the last %s", l.After, span(l.Window))
	if l.afterKey != nil {
		text += fmt.Sprintf(", with its %s the same as %s here", l.afterKey.text, l.key.text)
	}
	return text + "."
}

// span writes a window for people.
func span(d time.Duration) string {
	for _, u := range [...]struct {
		name   string
		length time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / u.length; d%u.length == 0 && n > 1 {
			return fmt.Sprintf("%d %ss", n, u.name)
		} else if d%u.length == 0 && n == 1 {
			return u.name
		}
	}
	return d.String()
}
