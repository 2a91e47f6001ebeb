package graph_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// pages answers look-ups of Page tokens, numbered, and what a Page may do with the
// tokens that are good.
func pages(good ...string) func(http.ResponseWriter, seen) {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r seen) {
		if r.query.Get("fields") == "access_token" {
			mu.Lock()
			defer mu.Unlock()
			_, _ = io.WriteString(w, `{"access_token":"`+pageToken+string(rune('0'+n))+`","id":"4000000000000001"}`)
			n++
			return
		}
		for _, g := range good {
			if r.Header.Get("Authorization") == "Bearer "+pageToken+g {
				_, _ = io.WriteString(w, `{"id":"1"}`)
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"code":190,"message":"bad token `+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}}`)
	}
}

func asPage(r graph.Request) graph.Request {
	r.Token = graph.TokenRef{Kind: "page", Page: "4000000000000001"}
	return r
}

func TestPageTokenIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	d := api(t, pages("0"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := d.Do(t.Context(), asPage(post("4000000000000001", "feed"))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	lookups := 0
	for _, line := range d.lines() {
		if line == "GET /v26.0/4000000000000001" {
			lookups++
		}
	}
	if lookups != 1 || len(d.calls()) != 9 {
		t.Errorf("%d look-ups in %v", lookups, d.lines())
	}
}

func TestPageTokenThatDiedIsLookedUpOnceMore(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		good  string
		calls int
		fails bool
	}{"a new one works": {"1", 4, false}, "a new one fails too": {"none", 4, true}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, pages(tt.good))
			_, err := d.Do(t.Context(), asPage(post("4000000000000001", "feed")))
			if tt.fails {
				refuses(t, err, fault.ConnectorExpired)
			} else if err != nil {
				t.Fatal(err)
			}
			if got := d.lines(); len(got) != tt.calls {
				t.Errorf("calls %v", got)
			}
		})
	}
}

func TestPageTokenBelongsToTheUsersToken(t *testing.T) {
	t.Parallel()
	user := &swap{text: "EAAfirstUserTokenOfTwo"}
	d := api(t, pages("0", "1"), func(o *graph.APIOptions) { o.Tokens.User = user })
	for range 2 {
		if _, err := d.Do(t.Context(), asPage(get("4000000000000001", "feed"))); err != nil {
			t.Fatal(err)
		}
		user.set("EAAsecondUserTokenOfTwo")
	}
	if got := d.lines(); len(got) != 4 {
		t.Errorf("another user's token has to look for itself: %v", got)
	}
}

type swap struct {
	mu   sync.Mutex
	text string
}

func (s *swap) set(text string) { s.mu.Lock(); defer s.mu.Unlock(); s.text = text }

func (s *swap) Token(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, nil
}

func TestTokensThatAreMissing(t *testing.T) {
	t.Parallel()
	broken := func(o *graph.APIOptions) {
		o.Tokens = graph.Tokens{User: failing{}}
	}
	none := func(o *graph.APIOptions) { o.Tokens, o.AppSecret = graph.Tokens{}, "" }
	odd := func(o *graph.APIOptions) { o.Tokens.User = graph.StaticToken("EAA with\nbreaks") }
	threads := get("me")
	threads.Host, threads.Token.Kind = graph.ThreadsHost, "threads"
	app := get("1")
	app.Token.Kind = "app"
	unknownPage := get("1")
	unknownPage.Token.Kind = "page"
	tests := map[string]struct {
		options func(*graph.APIOptions)
		request graph.Request
		code    fault.Code
		says    string
	}{
		"user":            {none, get("1"), fault.AuthRequired, "META_ACCESS_TOKEN"},
		"Page":            {none, asPage(get("1")), fault.AuthRequired, "META_ACCESS_TOKEN"},
		"Threads":         {none, threads, fault.AuthRequired, "THREADS_ACCESS_TOKEN"},
		"app":             {none, app, fault.AuthRequired, "META_APP_SECRET"},
		"which Page":      {func(*graph.APIOptions) {}, unknownPage, fault.ArgumentInvalid, "page_id"},
		"can't be read":   {broken, get("1"), fault.AuthRequired, "META_ACCESS_TOKEN"},
		"not like tokens": {odd, get("1"), fault.AuthRequired, "line breaks"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`200 {"id":"1"}`), tt.options)
			_, err := d.Do(t.Context(), tt.request)
			if f := faultOf(t, err, tt.code); !strings.Contains(f.Fix, tt.says) {
				t.Errorf("fix %q does not name %s", f.Fix, tt.says)
			}
			if len(d.calls()) != 0 {
				t.Errorf("calls were made: %v", d.lines())
			}
		})
	}
}

type failing struct{}

func (failing) Token(context.Context) (string, error) { return "", errors.New("no keychain here") }

// kept is a token that its source keeps until it is told that it was refused.
type kept struct {
	mu      sync.Mutex
	current string
	stored  string
	renewed []string
}

func (k *kept) Token(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current, nil
}

func (k *kept) Renew(refused string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.renewed = append(k.renewed, refused)
	k.current = k.stored
}

func TestTokenThatWasReplacedIsLookedForAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stored string
		calls  int
		fails  bool
	}{"another one": {"EAAnewToken0123456789", 2, false}, "the same": {"EAAoldToken0123456789", 1, true}, "another bad one": {"EAAbadToken0123456789", 2, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := &kept{current: "EAAoldToken0123456789", stored: tt.stored}
			d := api(t, func(w http.ResponseWriter, r seen) {
				if r.Header.Get("Authorization") != "Bearer EAAnewToken0123456789" {
					w.WriteHeader(http.StatusUnauthorized)
					_, _ = io.WriteString(w, `{"error":{"code":190}}`)
					return
				}
				_, _ = io.WriteString(w, `{"id":"1"}`)
			}, func(o *graph.APIOptions) { o.Tokens.User = source })
			_, err := d.Do(t.Context(), post("1"))
			if tt.fails {
				refuses(t, err, fault.ConnectorExpired)
			} else if err != nil {
				t.Fatal(err)
			}
			if len(d.calls()) != tt.calls || len(source.renewed) != 1 {
				t.Errorf("%d calls, renewed %d times", len(d.calls()), len(source.renewed))
			}
		})
	}
}

func TestPageWithoutAccess(t *testing.T) {
	t.Parallel()
	d := api(t, answers(`200 {"id":"4000000000000001"}`))
	_, err := d.Do(t.Context(), asPage(get("4000000000000001", "feed")))
	if f := faultOf(t, err, fault.ScopeMissing); !strings.Contains(f.Fix, "assign") {
		t.Errorf("fix %q", f.Fix)
	}
}

// Nothing that leaves the client may hold a token: not the address, not the answer, not
// the error, not its details and not its cause.
func TestNoTokenLeaves(t *testing.T) {
	t.Parallel()
	canaries := []string{userToken, threadsToken, pageToken, appSecret}
	echo := `"` + strings.Join(canaries, " ") + ` https://x.example.com/?access_token=` + pageToken + `&a=1"`
	tests := map[string]string{
		"answer":            `200 {"id":"1","name":` + echo + `,"access_token":"` + pageToken + `","nested":[{"page_access_token":"x","u":` + echo + `}]}`,
		"paging":            `200 {"data":[],"paging":{"next":"https://graph.facebook.com/v26.0/1/feed?access_token=` + userToken + `&after=abc","previous":` + echo + `}}`,
		"escaped":           `200 {"name":"\u0045AAuserCANARYtoken0123456789"}`,
		"name of a member":  `200 {"` + userToken + `":1}`,
		"error":             `400 {"error":{"code":100,"message":` + echo + `,"error_user_title":` + echo + `,"error_user_msg":` + echo + `,"fbtrace_id":` + echo + `,"error_data":{"blame_field_specs":[[` + echo + `]]}}}`,
		"permission":        `403 {"error":{"code":200,"message":` + echo + `}}`,
		"passing":           `500 {"error":{"code":2,"message":` + echo + `}}`,
		"token":             `401 {"error":{"code":190,"message":` + echo + `}}`,
		"page of a proxy":   `502 <html>` + echo,
		"upload host":       `400 {"debug_info":{"type":"x","message":` + echo + `}}`,
		"version's warning": `200 {"id":"1"}`,
	}
	for name, answer := range tests {
		for _, r := range []graph.Request{get("4000000000000001"), post("4000000000000001", "feed"), asPage(post("4000000000000001", "feed"))} {
			t.Run(name+" "+r.Method+" "+r.Token.Kind, func(t *testing.T) {
				t.Parallel()
				next := answers(answer)
				d := api(t, func(w http.ResponseWriter, r seen) {
					if r.query.Get("fields") == "access_token" {
						_, _ = io.WriteString(w, `{"access_token":"`+pageToken+`"}`)
						return
					}
					w.Header().Set("X-Ad-Api-Version-Warning", echo)
					next(w, r)
				})
				// A token is only known once it was used.
				for _, kind := range []string{"user", "threads"} {
					q := get("me")
					q.Token.Kind = kind
					if kind == "threads" {
						q.Host = graph.ThreadsHost
					}
					_, _ = d.Do(t.Context(), q)
				}
				_, _ = d.Do(t.Context(), asPage(get("me")))
				res, err := d.Do(t.Context(), r)
				check := func(what, text string) {
					for _, c := range canaries {
						if strings.Contains(text, c) {
							t.Errorf("%s holds %s: %s", what, c, text)
						}
					}
				}
				if res != nil {
					check("answer", string(res.Body)+res.Warning)
				}
				if f, ok := fault.As(err); ok {
					check("error", strings.Join([]string{f.Message, f.Fix, toJSON(t, f.Details)}, "\n"))
					for cause := error(f); cause != nil; cause = errors.Unwrap(cause) {
						check("cause", cause.Error())
					}
				}
				for _, s := range d.calls() {
					check("address", s.URL.String())
				}
			})
		}
	}
}

func TestArgumentsThatHoldATokenAreRefused(t *testing.T) {
	t.Parallel()
	with := func(name, value string, write bool) graph.Request {
		r := get("1")
		if write {
			r = post("1")
			r.Form.Set(name, value)
			return r
		}
		r.Query = map[string][]string{name: {value}}
		return r
	}
	header := post("1")
	header.Host, header.Body, header.BodySize = graph.UploadHost, strings.NewReader("x"), 1
	header.Header = http.Header{"File_url": {"https://example.com/?t=" + userToken}}
	header.Path = []string{"video-upload", "1"}
	tests := map[string]graph.Request{
		"in the address":      with("q", "x "+userToken, false),
		"in the body":         with("message", "x "+userToken, true),
		"escaped":             with("link", "https://example.com/?s="+appSecret, true),
		"as the path":         get(userToken),
		"in a header":         header,
		"a parameter's name":  with("a&b=c", "x", false),
		"a parameter's name ": with("a b", "x", true),
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`200 {}`))
			_, err := d.Do(t.Context(), r)
			refuses(t, err, fault.ArgumentInvalid)
			if got := d.lines(); len(got) != 0 {
				t.Errorf("calls were made: %v", got)
			}
		})
	}
}
