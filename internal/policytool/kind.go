package policytool

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Kind is what a tool does, as far as its definition tells.
type Kind string

// The kinds, from the most harmless on.
const (
	Read        Kind = "Read"
	Write       Kind = "Write"   // changes that can be taken back
	Execute     Kind = "Execute" // what happens depends on the arguments
	Financial   Kind = "Financial"
	Destructive Kind = "Destructive"
)

// Judgement is the kind of one tool, and why.
type Judgement struct {
	Kind Kind   `json:"kind"`
	Why  string `json:"why"`
	// Review asks a person to look: the definition says too little, or contradicts itself.
	Review bool `json:"needs_review"`

	verb string // it was judged by; empty: none was found
}

// Classify judges a tool by its name, its description and its parameters. A definition
// is written by whoever runs the server: a kind that only the description tells is to be
// reviewed, and annotations and what it calls its risk never make a tool more harmless.
func Classify(t Tool) Judgement {
	tokens := words(t.Name)
	j := byVerb(tokens, t.Description)
	j = t.adjust(j, tokens)
	if t.ReadOnlyHint != nil && *t.ReadOnlyHint && j.Kind != Read {
		j.Why += "; the server calls it read-only"
		j.Review = true
	}
	if t.DestructiveHint != nil && *t.DestructiveHint && j.Kind == Read {
		j.Kind, j.Why, j.Review = Write, j.Why+"; the server calls it destructive", true
	}
	if slices.Index(gravity, t.Declared) > slices.Index(gravity, j.Kind) {
		j.Kind, j.Why = t.Declared, "the server says so"
	}
	return j
}

// gravity orders the kinds.
var gravity = []Kind{Read, Write, Execute, Financial, Destructive}

// verbKind finds the kind of a verb.
func verbKind(word string) (Kind, bool) {
	for _, k := range []Kind{Destructive, Financial, Execute, Write, Read} {
		if slices.Contains(verbs[k], word) {
			return k, true
		}
	}
	return "", false
}

// byVerb judges by the first verb of the name, else of the description. A word that is
// a noun as well counts where nothing else is found, or in first place.
func byVerb(tokens []string, description string) Judgement {
	for _, nouns := range []bool{false, true} {
		for i, w := range tokens {
			if k, ok := verbKind(w); ok && (nouns || i == 0 || !slices.Contains(alsoNouns, w)) {
				return Judgement{Kind: k, Why: fmt.Sprintf("%q in its name", w), verb: w}
			}
		}
	}
	text := words(description)
	for _, w := range text[:min(len(text), 6)] {
		for _, form := range []string{w, strings.TrimSuffix(w, "s"), strings.TrimSuffix(w, "es")} {
			if k, ok := verbKind(form); ok {
				return Judgement{Kind: k, Why: fmt.Sprintf("%q at the start of its description", w), Review: true, verb: form}
			}
		}
	}
	return Judgement{Kind: Write, Why: "no verb that is known, taken for a write", Review: true}
}

// adjust looks at what the verb alone does not tell.
func (t Tool) adjust(j Judgement, tokens []string) Judgement {
	has := func(list []string) string {
		for _, w := range tokens {
			for _, form := range []string{w, strings.TrimSuffix(w, "s")} {
				if slices.Contains(list, form) {
					return form
				}
			}
		}
		return ""
	}
	if small := has(smallThings); small != "" && (has([]string{"remove", "clear"}) != "") && j.Kind == Destructive {
		return Judgement{Kind: Write, Why: fmt.Sprintf("%s, of a %s only", j.Why, small)}
	}
	if has([]string{"cancel"}) != "" && j.Kind != Financial {
		j = Judgement{Kind: Write, Why: `"cancel" in its name`, verb: "cancel"}
		if job := has([]string{"run", "job", "execution", "pipeline", "workflow"}); job != "" {
			j = Judgement{Kind: Execute, Why: `"cancel" with "` + job + `" in its name`, verb: "cancel"}
		}
	}
	if j.verb == "manage" || len(tokens) > 1 && tokens[len(tokens)-1] == "write" {
		j = highest(j, t.Description)
	}
	changing := j.Kind == Write || j.Kind == Execute
	if last := tokens[max(0, len(tokens)-1):]; j.Kind == Execute && len(tokens) > 1 &&
		slices.Contains(resultNouns, last[0]) && !slices.Contains([]string{"run", "execute", "trigger", "start", "stop"}, tokens[0]) {
		return Judgement{Kind: Read, Why: fmt.Sprintf("%q at the end of its name", last[0])}
	}
	if changing && j.verb != "" && has(notices) == "" {
		strong, weak := has(moneyNouns), has(weakMoneyNouns)
		money := t.hasParameter("price", "amount", "side", "symbol")
		closing := has([]string{"cancel", "accept", "finalize", "finalise", "capture", "issue", "place", "submit"})
		switch {
		case strong != "" && strong != j.verb:
			return Judgement{Kind: Financial, Why: fmt.Sprintf("%s, and %q", j.Why, strong)}
		case weak != "" && (closing != "" || money != ""):
			return Judgement{Kind: Financial, Why: fmt.Sprintf("%s, and %q", j.Why, weak)}
		case t.hasParameter("amount") != "" && t.hasParameter("currency") != "":
			return Judgement{Kind: Financial, Why: j.Why + ", and parameters amount and currency"}
		}
	}
	if code := t.hasParameter(codeParameters...); code != "" && (j.Kind == Read || j.Kind == Write) {
		return Judgement{Kind: Execute, Why: fmt.Sprintf("parameter %q takes code", code)}
	}
	return j
}

// highest is the gravest kind among the verbs of the description, for tools that do
// several things.
func highest(j Judgement, description string) Judgement {
	for _, w := range words(description) {
		for _, form := range []string{w, strings.TrimSuffix(w, "s"), strings.TrimSuffix(w, "es")} {
			if k, ok := verbKind(form); ok && slices.Index(gravity, k) > slices.Index(gravity, j.Kind) && !slices.Contains(alsoNouns, form) {
				j.Kind, j.Why = k, fmt.Sprintf("%q in the description of a tool that does several things", w)
			}
		}
	}
	return j
}

// hasParameter finds the first parameter of one of these names.
func (t Tool) hasParameter(names ...string) string {
	for _, n := range names {
		if slices.Contains(t.Parameters, n) {
			return n
		}
	}
	return ""
}

// words splits at capitals and at everything that is no letter or digit.
func words(s string) []string {
	var out []string
	var w []rune
	end := func() {
		if len(w) > 0 {
			out = append(out, strings.ToLower(string(w)))
			w = w[:0]
		}
	}
	var before rune
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		case unicode.IsUpper(r) && unicode.IsLower(before):
			end()
			w = append(w, r)
		default:
			w = append(w, r)
		}
		before = r
	}
	end()
	return out
}
