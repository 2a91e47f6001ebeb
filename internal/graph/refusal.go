package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// failure is a try that did not succeed.
type failure struct {
	err   *fault.Error
	class graphspec.Class
	code  int
	// unsent says that nothing reached Meta.
	unsent bool
	// unanswered says that it may have been done: no answer came that tells.
	unanswered bool
	wait       time.Duration // that Meta named
}

// refusal is the error member of an answer.
type refusal struct {
	payload
	Data json.RawMessage `json:"error_data"`
}

// refused turns an error member into a failure.
func (a *API) refused(r *Request, status int, raw json.RawMessage, wait time.Duration) *failure {
	var p refusal
	if json.Unmarshal(raw, &p) != nil { // members of other types than documented
		p = refusal{payload: payload{Message: "an error that can't be read"}}
	}
	f := &failure{code: p.Code, wait: wait}
	row := graphspec.Match(p.Code, p.Subcode)
	f.class = classOf(row, &p, status)
	advice := ""
	switch {
	case f.class == graphspec.ClassAuth && strings.Contains(p.Message, "appsecret_proof"):
		advice = "set META_APP_SECRET to the secret of the app that the token was made with"
	case row != nil && row.Class == f.class:
		advice = row.Advice
	}
	said := a.words(p.Message, r)
	title, userMsg := a.words(p.UserTitle, r), a.words(p.UserMessage, r)
	if userMsg != "" && !strings.Contains(said, userMsg) {
		said = strings.TrimSuffix(said, ".") + ": " + userMsg
	}
	// A 5xx proves nothing: Meta may have done it before it failed. Nor do the codes for
	// "an unknown error" and "unavailable", whatever status they come with.
	if f.class == graphspec.ClassTransient && (status >= 500 || p.Code == 1 || p.Code == 2) && !reads(r) {
		f.unanswered = true
	}
	code := codeOf(f.class, &p)
	f.err = fault.New(code, "%s", sentence(code, r, said))
	if f.unanswered && !r.Repeat {
		f.err = unknownOutcome(r, strings.TrimSuffix("Meta failed while it did it: "+said, ": "))
	} else if advice != "" {
		f.err.WithFix("%s", advice)
	}
	f.err.With("class", string(f.class)).With("code", p.Code)
	if p.Subcode != 0 {
		f.err.With("subcode", p.Subcode)
	}
	for name, text := range map[string]string{
		"title": title, "user_msg": userMsg, "fbtrace_id": trace(a.secrets.strip(p.TraceID)), "field": a.words(p.field(), r),
	} {
		if text != "" {
			f.err.With(name, text)
		}
	}
	if f.class == graphspec.ClassPermission {
		nameScopes(f.err, r, said)
	}
	return f
}

// trace is Meta's id of an answer, "" where it is none.
func trace(id string) string {
	if !graphspec.MadeOf(id, "_-/+=", 64) {
		return ""
	}
	return id
}

// classOf decides what a refusal means. What the catalogue says of the subcode wins,
// then of the code; is_transient speaks for codes that nobody knows.
func classOf(row *graphspec.ErrorRow, p *refusal, status int) graphspec.Class {
	switch {
	case strings.Contains(p.Message, "appsecret_proof"):
		return graphspec.ClassAuth
	case row != nil && row.Class == graphspec.ClassInput && row.Subcode == 0 && p.Subcode != 0 && p.IsTransient:
		return graphspec.ClassTransient // the code is known, but not this kind of it
	case row != nil && row.Class == graphspec.ClassTransient && row.Subcode == 0 && asksForLess.MatchString(p.Message):
		return graphspec.ClassTooBig
	case row != nil:
		return row.Class
	case status == http.StatusTooManyRequests:
		return graphspec.ClassAppRate
	case p.IsTransient, status >= 500:
		return graphspec.ClassTransient
	}
	return graphspec.ClassInput
}

// asksForLess is how Meta says, under code 1 or 2, that the question was too large.
var asksForLess = regexp.MustCompile(`(?i)reduce the amount of data|timed? ?out|fetching less data|too much data`)

// codeOf is our code for a class.
func codeOf(class graphspec.Class, p *refusal) fault.Code {
	switch class {
	case graphspec.ClassAuth:
		return fault.ConnectorExpired
	case graphspec.ClassPermission:
		return fault.ScopeMissing
	case graphspec.ClassAppRate, graphspec.ClassUserRate, graphspec.ClassAssetRate:
		return fault.RateLimited
	case graphspec.ClassTransient:
		return fault.MetaUnavailable
	case graphspec.ClassNotReady:
		return fault.NotReady
	case graphspec.ClassTooBig:
		return fault.TooMuchData
	case graphspec.ClassGone:
		return fault.Unsupported
	case graphspec.ClassVersion:
		return fault.VersionEnded
	case graphspec.ClassPolicy:
		return fault.MetaPolicy
	case graphspec.ClassWindow:
		return fault.WindowClosed
	case graphspec.ClassDuplicate:
		return fault.DoneAlready
	}
	if p.Code == 803 || p.Code == 100 && p.Subcode == 33 {
		return fault.ObjectNotFound
	}
	return fault.MetaRefused
}

// sentence says what failed, where, and in Meta's words why.
func sentence(code fault.Code, r *Request, said string) string {
	lead := "Meta refused " + shape(r)
	switch code {
	case fault.ConnectorExpired:
		lead = "Meta refuses the access token"
	case fault.ScopeMissing:
		lead = "Meta says that the token may not do " + shape(r)
	case fault.RateLimited:
		lead = "Meta's limit of calls is used up for " + shape(r)
	case fault.MetaUnavailable:
		lead = "Meta failed for the moment at " + shape(r)
	case fault.NotReady:
		lead = "Meta is not ready for " + shape(r)
	case fault.VersionEnded:
		lead = "the Graph API version has ended for " + shape(r)
	}
	if said == "" {
		return lead
	}
	return lead + ": " + said
}

// unknownOutcome is the fault of a write that may have been done.
func unknownOutcome(r *Request, why string) *fault.Error {
	return fault.New(fault.CallUnknown, "%s; whether %s was done is not known", why, shape(r)).
		WithFix("read the object or list it, and repeat the call only if it was not done")
}

var scopeName = regexp.MustCompile(`\b(?:pages?|ads|instagram(?:_business)?|threads|business|catalog|leads|read|whatsapp|publish|user)_[a-z_]{3,40}\b`)

// nameScopes says which permission is missing: the one that Meta names, or else those
// that the call needs.
func nameScopes(e *fault.Error, r *Request, said string) {
	scopes := slices.Compact(scopeName.FindAllString(said, 4))
	if len(scopes) == 0 {
		scopes = r.Scopes
	}
	if len(scopes) == 0 {
		return
	}
	e.With("scopes", scopes)
	e.Message += ". It needs " + strings.ReplaceAll(strings.Join(scopes, ", "), "|", " or ")
}

var (
	blamed = []*regexp.Regexp{
		regexp.MustCompile(`nonexisting field \(([a-zA-Z0-9_]{1,60})\)`),
		regexp.MustCompile(`(?i)\bparam(?:eter)? "?'?([a-z][a-zA-Z0-9_.\[\]]{1,60})`),
		regexp.MustCompile(`^\(#100\) ([a-z][a-z0-9_]{1,60}(?:\[\d+\])?) `),
	}
	plainWords = []string{"must", "is", "the", "in", "of"}
)

// field is the parameter or field that Meta blames.
func (p *refusal) field() string {
	raw := p.Data
	var text string
	if json.Unmarshal(raw, &text) == nil { // it also comes as JSON in a text
		raw = json.RawMessage(text)
	}
	var data struct {
		Blame [][]any `json:"blame_field_specs"`
	}
	if json.Unmarshal(raw, &data) == nil && len(data.Blame) > 0 {
		var parts []string
		for _, part := range data.Blame[0] {
			parts = append(parts, fmt.Sprint(part))
		}
		return strings.Join(parts, ".")
	}
	for _, re := range blamed {
		if m := re.FindStringSubmatch(p.Message); m != nil && !slices.Contains(plainWords, m[1]) {
			return m[1]
		}
	}
	return ""
}

var (
	inAddress = regexp.MustCompile(`(?i)\bhttps?://[^\s"'<>]+`)
	mail      = regexp.MustCompile(`[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}`)
	dialled   = regexp.MustCompile(`\+\d[\d\s().\-]{5,22}\d`)
	number    = regexp.MustCompile(`\d{9,}`)
	blanks    = regexp.MustCompile(`\s+`)
)

// shortestID is how long a number has to be to be taken for an id and not for a
// telephone's.
const shortestID = 15

// longestWords bounds what is repeated of Meta's words.
const longestWords = 500

// words makes Meta's words fit for an error of a request.
func (a *API) words(text string, r *Request) string {
	if text == "" {
		return ""
	}
	// Twice: what tidy takes out of the middle of a text may bring two halves together.
	return a.secrets.strip(tidy(a.secrets.strip(text), r.Path))
}

// tidy takes out of Meta's words what must not be repeated: tokens, parameters of
// addresses, e-mail addresses, and numbers that look like a telephone's. Ids of the
// path stay; others are longer than telephone numbers.
func tidy(text string, path []string) string {
	text = cleanText(strings.ToValidUTF8(text, ""))
	text = inAddress.ReplaceAllStringFunc(text, func(u string) string {
		u, _, _ = strings.Cut(u, "?")
		u, _, _ = strings.Cut(u, "#")
		return u
	})
	text = mail.ReplaceAllString(text, "[address]")
	text = dialled.ReplaceAllString(text, "[number]")
	text = number.ReplaceAllStringFunc(text, func(n string) string {
		if len(n) >= shortestID || slices.ContainsFunc(path, func(s string) bool { return strings.Contains(s, n) }) {
			return n
		}
		return "[number]"
	})
	text = strings.TrimSpace(blanks.ReplaceAllString(text, " "))
	if len(text) > longestWords {
		text = strings.ToValidUTF8(text[:longestWords], "") + "…"
	}
	return text
}

// unreadable is the failure of an answer that is no Graph JSON: a proxy's page, an
// empty answer, one that was cut off.
func (a *API) unreadable(r *Request, res *http.Response, body []byte) *failure {
	status := res.StatusCode
	f := &failure{class: graphspec.ClassInput}
	switch {
	case status == http.StatusTooManyRequests:
		f.class = graphspec.ClassAppRate
		f.err = fault.New(fault.RateLimited, "%s was answered with HTTP 429", shape(r))
	case status >= 300 && status < 400:
		f.err = fault.New(fault.MetaRefused, "%s was answered with a redirect (HTTP %d), which is not followed: it would carry the token elsewhere", shape(r), status)
	case status >= 400 && status < 500:
		f.err = fault.New(fault.MetaRefused, "%s was answered with HTTP %d and no Graph error", shape(r), status).WithFix("check what stands between here and Meta: a proxy may have answered")
		if said := a.uploadWords(r, body); said != "" {
			f.err = fault.New(fault.MetaRefused, "Meta refused %s: %s", shape(r), said)
		}
	default:
		f.class = graphspec.ClassTransient
		f.unanswered = !reads(r)
		f.err = fault.New(fault.MetaUnavailable, "%s was answered with HTTP %d and no Graph JSON", shape(r), status)
		if f.unanswered && !r.Repeat {
			f.err = unknownOutcome(r, fmt.Sprintf("the answer (HTTP %d) is no Graph JSON", status))
		}
	}
	f.err.With("class", string(f.class)).With("http", status)
	return f
}

// uploadWords are what the upload host says about a failure, in a form of its own.
func (a *API) uploadWords(r *Request, body []byte) string {
	var said struct {
		Debug struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"debug_info"`
	}
	if !bytes.Contains(body, []byte("debug_info")) || json.Unmarshal(body, &said) != nil {
		return ""
	}
	return strings.TrimPrefix(a.words(said.Debug.Type+": "+said.Debug.Message, r), ": ")
}
