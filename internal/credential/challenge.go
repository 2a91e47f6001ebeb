package credential

import (
	"net/http"
	"slices"
	"strings"
)

// challenge is what a 401 or 403 says in WWW-Authenticate, of the Bearer scheme.
type challenge struct {
	bearer           bool
	err              string
	scopes           []string
	resourceMetadata string
}

// maxChallenge bounds what is read of the headers of a refusal.
const maxChallenge = 16 << 10

func parseChallenge(h http.Header) challenge {
	var found challenge
	for _, line := range h.Values("WWW-Authenticate") {
		if len(line) > maxChallenge {
			continue
		}
		for _, c := range splitChallenges(line) {
			if !strings.EqualFold(c.scheme, "Bearer") || found.bearer {
				continue
			}
			found = challenge{
				bearer: true, err: c.params["error"], scopes: cleanScopes(strings.Fields(c.params["scope"])),
				resourceMetadata: c.params["resource_metadata"],
			}
		}
	}
	return found
}

type oneChallenge struct {
	scheme string
	params map[string]string
}

// splitChallenges reads the list of challenges of RFC 9110 §11.6.1: commas separate
// both challenges and the parameters of one, so a word that no "=" follows begins a
// new one.
func splitChallenges(s string) []oneChallenge {
	var list []oneChallenge
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return list
		}
		word, rest := cutToken(s)
		if word == "" {
			return list // not a header of this form from here on
		}
		after := strings.TrimLeft(rest, " \t")
		if value, ok := strings.CutPrefix(after, "="); ok && len(list) > 0 {
			var text string
			if text, s, ok = cutValue(strings.TrimLeft(value, " \t")); !ok {
				return list
			}
			params, key := list[len(list)-1].params, strings.ToLower(word)
			if _, twice := params[key]; !twice {
				params[key] = text
			}
			continue
		}
		list = append(list, oneChallenge{scheme: word, params: map[string]string{}})
		s = after
	}
}

func cutToken(s string) (token, rest string) {
	end := 0
	for end < len(s) && validHeaderName(s[end:end+1]) {
		end++
	}
	return s[:end], s[end:]
}

// cutValue reads a token or a quoted string.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

const maxScopes = 100

// cleanScopes keeps the scope tokens of RFC 6749 §3.3, each once, in order.
func cleanScopes(list []string) []string {
	var kept []string
	for _, s := range list {
		ok := s != "" && len(s) <= 256 && len(kept) < maxScopes && !slices.Contains(kept, s)
		for i := range len(s) {
			if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
				ok = false
			}
		}
		if ok {
			kept = append(kept, s)
		}
	}
	return kept
}

// union keeps the order of a and appends what b has besides.
func union(a, b []string) []string {
	return cleanScopes(slices.Concat(a, b))
}

// within reports whether all of a are in b.
func within(a, b []string) bool {
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}
