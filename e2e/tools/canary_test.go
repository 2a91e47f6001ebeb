package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/capi"
	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/sandbox"
)

// Canaries: tokens that must not be seen anywhere. They don't look like Meta's, so that
// nothing recognizes them by their form. Those of Pages are the sandbox's own.
const (
	canaryUser    = "canary-user-5b1f0c66d2"
	canaryThreads = "canary-threads-90e1c47a3f"
	canaryPage    = sandbox.PageTokenPrefix
)

// TestNoTokenGetsOut plays every case of every tool, and then its good case against each
// error, with a Meta that repeats in its answers the tokens it was sent. No token may be
// in an answer, an error, a notification or a log, and none in an address.
func TestNoTokenGetsOut(t *testing.T) {
	t.Parallel()
	scopes := everyScope(t)
	var removed atomic.Int64
	t.Cleanup(func() {
		if removed.Load() < 1000 {
			t.Errorf("a token was taken out of %d answers only: is it sent back at all?", removed.Load())
		}
	})
	for _, record := range graphtool.All() {
		t.Run(record.Name, func(t *testing.T) {
			t.Parallel()
			for i := range record.Cases {
				c := &record.Cases[i]
				r, w := watched(t, c, scopes)
				defer func() { removed.Add(w.removed) }()
				if _, ok := r.prepare(c); !ok {
					t.Fatalf("%s: the calls before it fail", c.Name)
				}
				if c.Faults != "" {
					r.fails(c.Faults)
				}
				w.looks(c.Name, r.call(record.Name, r.filled(c.Args)))
			}
			c := goodCase(record)
			if c == nil || record.Set == "charts" {
				return // nothing is asked
			}
			r, w := watched(t, c, scopes)
			defer func() { removed.Add(w.removed) }()
			if _, ok := r.prepare(c); !ok {
				t.Fatalf("%s: the calls before it fail", c.Name)
			}
			for i, plan := range errorPlans {
				r.forget()
				if i%2 == 0 { // the other half fails where the token of a Page is looked up
					w.looks(c.Name+", again", r.call(record.Name, r.filled(c.Args)))
				}
				r.fails(plan)
				w.looks(plan, r.call(record.Name, r.filled(c.Args)))
				r.fails("")
			}
			w.ends()
		})
	}
}

// errorPlans are what Meta's answers may be instead of the expected one.
var errorPlans = []string{
	`{"kind":"error","code":190,"subcode":463,"edge":"*","next":-1}`,
	`{"kind":"error","code":190,"subcode":463,"edge":"*","next":-1}`,
	`{"kind":"error","code":10,"edge":"*","next":-1}`,
	`{"kind":"error","code":200,"edge":"*","next":-1}`,
	`{"kind":"error","code":4,"edge":"*","next":-1}`,
	`{"kind":"error","code":17,"edge":"*","next":-1}`,
	`{"kind":"error","code":80004,"edge":"*","next":-1}`,
	`{"kind":"error","code":368,"edge":"*","next":-1}`,
	`{"kind":"error","code":2,"edge":"*","next":-1}`,
	`{"kind":"error","code":100,"edge":"*","next":-1}`,
	`{"kind":"200_with_error","code":190,"subcode":460,"edge":"*","next":-1}`,
	`{"kind":"html_502","edge":"*","next":-1}`,
	`{"kind":"html_502","edge":"*","next":-1}`,
	`{"kind":"version_warning","edge":"*","next":-1}`,
	`{"kind":"truncate","edge":"*","next":-1}`,
	`{"kind":"drop_before","edge":"*","next":-1}`,
	`{"kind":"drop_after","edge":"*","next":-1}`,
}

// goodCase is the first case that goes well with all permissions.
func goodCase(record *tool.Tool) *tool.Case {
	for i := range record.Cases {
		if c := &record.Cases[i]; c.Error == "" && c.Token == "" && c.Faults == "" && c.Settings == nil {
			return c
		}
	}
	return nil
}

// everyScope are the permissions of the sandbox's own token.
func everyScope(t testing.TB) []string {
	t.Helper()
	r := newRig(t, rigged{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/v26.0/debug_token",
		strings.NewReader("method=GET&input_token="+sandbox.Token))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+sandbox.Token)
	res, err := r.box.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var about struct{ Data struct{ Scopes []string } }
	if err := json.NewDecoder(res.Body).Decode(&about); err != nil || len(about.Data.Scopes) == 0 {
		t.Fatalf("the permissions of the token: %v", err)
	}
	return about.Data.Scopes
}

// watched is a rig for a case with canaries for tokens, and who looks for them.
func watched(t *testing.T, c *tool.Case, scopes []string) (*rig, *watch) {
	t.Helper()
	w := &watch{t: t}
	o := rigged{transport: func(next http.RoundTripper) http.RoundTripper { return &tap{&echo{next}, w.saw} }}
	if c.Token != "none" {
		o.tokens = graph.Tokens{User: graph.StaticToken(canaryUser), Threads: graph.StaticToken(canaryThreads)}
	} else {
		o.tokens = graph.Tokens{User: graph.StaticToken("")}
	}
	r := newRig(t, o)
	if only, some := strings.CutPrefix(c.Token, "only:"); some {
		scopes = strings.Split(only, ",")
	}
	if c.Settings != nil {
		c.Settings(&r.runner.Settings)
	}
	r.box.AddToken(sandbox.Grant{Token: canaryUser, Scopes: scopes})
	r.box.AddToken(sandbox.Grant{Token: canaryThreads, Scopes: threadsScopes(), Kind: "THREADS"})
	if c.Token == sandbox.TokenExpired {
		r.box.AddToken(sandbox.Grant{Token: canaryUser, Scopes: scopes, Expires: r.now().Add(-1)})
	}
	w.rig = r
	return r, w
}

// threadsScopes are those that tools of Threads ask for.
var threadsScopes = sync.OnceValue(func() []string {
	var list []string
	for _, r := range records() {
		for _, s := range r.AllScopes() {
			if strings.HasPrefix(s, "threads_") {
				list = append(list, strings.Split(s, "|")...)
			}
		}
	}
	return list
})

// watch looks for canaries.
type watch struct {
	t       *testing.T
	rig     *rig
	removed int64 // answers from which a token was taken out

	mu     sync.Mutex
	leaked []string // addresses
	asked  int
}

// saw is told of every request.
func (w *watch) saw(a asked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	text := a.url.String() + a.url.Fragment + a.header.Get("Referer") + a.header.Get("User-Agent") + a.header.Get("Cookie")
	if c := canary(text); c != "" {
		w.leaked = append(w.leaked, c+" in "+a.method+" "+a.url.Path)
	}
}

// canary is the name of the secret that a text holds, "" without one. The words of a
// proof are looked for as well.
func canary(text string) string {
	for name, secret := range map[string]string{
		"the user's token": canaryUser, "the token of Threads": canaryThreads, "a Page's token": canaryPage,
		"the app's secret": sandbox.AppSecret, "the documented token": sandbox.Token + `"`,
	} {
		if strings.Contains(text, secret) {
			return name
		}
	}
	return ""
}

func (w *watch) looks(what string, r *tool.Result) {
	w.t.Helper()
	if strings.Contains(seen(r), "[removed]") {
		w.removed++
	}
	if c := canary(seen(r)); c != "" {
		w.t.Errorf("%s: %s is in the answer: %.600s", what, c, seen(r))
	}
	if strings.Contains(seen(r), proofs[0]) || strings.Contains(seen(r), proofs[1]) {
		w.t.Errorf("%s: a proof is in the answer: %.600s", what, seen(r))
	}
}

// proofs are those of the configured tokens.
var proofs = []string{capi.AppSecretProof(sandbox.AppSecret, canaryUser), capi.AppSecretProof(sandbox.AppSecret, canaryThreads)}

// seen is all that somebody may get to see of a result.
func seen(r *tool.Result) string {
	text := r.Text + string(r.Structured)
	for _, i := range r.Images {
		text += i.Alt
	}
	if f := r.Fault; f != nil {
		details, err := json.Marshal(f.Details)
		text += fmt.Sprint(f.Message, f.Fix, f.Command, string(details), err, f.Error())
		for cause := error(f); cause != nil; cause = errors.Unwrap(cause) {
			text += cause.Error() // whoever logs it
		}
	}
	return text
}

// ends looks at what was written besides.
func (w *watch) ends() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.leaked {
		w.t.Errorf("an address holds a secret: %s", l)
	}
	if w.asked == 0 {
		w.t.Error("nothing was asked: there was nothing to leak")
	}
	for what, text := range map[string]string{"log": w.rig.logs.String(), "progress": w.rig.told.String()} {
		if c := canary(text); c != "" {
			w.t.Errorf("%s is in the %s", c, what)
		}
	}
}

// echo is a Meta that repeats what it was sent: in every text that people write, in every
// error, in pages of proxies, and in addresses.
type echo struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (e *echo) RoundTrip(req *http.Request) (*http.Response, error) {
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	proof := capi.AppSecretProof(sandbox.AppSecret, token)
	res, err := e.next.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("the proxy was asked for %s with %s: %w", req.URL, token, err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	secret := " " + token + " https://graph.facebook.com/v26.0/me?x=1&access_token=" + token + "&appsecret_proof=" + proof + "&y=2 app " + sandbox.AppSecret
	if res.Header.Get("X-Ad-Api-Version-Warning") != "" {
		res.Header.Set("X-Ad-Api-Version-Warning", res.Header.Get("X-Ad-Api-Version-Warning")+secret)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) == nil {
		repeat(v, secret, token)
		var out bytes.Buffer
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			return nil, err
		}
		// A word that is escaped is the same word.
		body = bytes.ReplaceAll(out.Bytes(), []byte("-user-"), []byte(`-\u0075ser-`))
	} else {
		body = append(body, secret...)
	}
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res.Header.Del("Content-Length")
	return res, nil
}

// written are members that hold words, and not what later calls are made of.
var written = map[string]bool{
	"name": true, "message": true, "text": true, "caption": true, "description": true, "title": true, "error_user_msg": true,
	"error_user_title": true, "fbtrace_id": true, "story": true, "about": true, "bio": true, "headline": true, "body": true,
}

func repeat(v any, secret, token string) {
	switch d := v.(type) {
	case map[string]any:
		for name, inner := range d {
			if s, ok := inner.(string); ok && written[name] {
				d[name] = s + secret
				continue
			}
			repeat(inner, secret, token)
		}
		d["note"], d["page_access_token"], d["appsecret_proof"] = "see"+secret, token, token
		if paging, ok := d["paging"].(map[string]any); ok {
			paging["previous"] = "https://graph.facebook.com/v26.0/me?limit=1" + strings.TrimSpace(secret)
		}
	case []any:
		for _, inner := range d {
			repeat(inner, secret, token)
		}
	}
}
