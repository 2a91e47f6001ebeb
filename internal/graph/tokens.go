package graph

import (
	"context"
	"crypto/sha256"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"sluice/internal/fault"
)

// TokenSource gives a token. It is asked for each call, so that a token can be changed
// without a restart; it has to be quick.
type TokenSource interface {
	Token(context.Context) (string, error)
}

// Renewer is a TokenSource that keeps what it found. It is told of a token that Meta
// refuses, so that it looks again: a call is repeated when that gives another one.
type Renewer interface {
	Renew(refused string)
}

// StaticToken is a token that never changes.
type StaticToken string

// Token implements TokenSource.
func (t StaticToken) Token(context.Context) (string, error) { return string(t), nil }

// Tokens are the configured tokens; either may be missing.
type Tokens struct {
	User    TokenSource // a user's or a system user's
	Threads TokenSource
}

// The kinds of TokenRef.
const (
	userKind    = "user"
	pageKind    = "page"
	threadsKind = "threads"
	appKind     = "app"
)

// credential is the token that one try of a call travels with.
type credential struct {
	kind string
	text string
	page pageKey // of a Page token
}

// token finds the token that a request asks for.
func (a *API) token(ctx context.Context, r *Request) (credential, error) {
	switch r.Token.Kind {
	case threadsKind:
		return a.configured(ctx, a.opts.Tokens.Threads, threadsKind, "no Threads access token is set",
			"set THREADS_ACCESS_TOKEN, or threads_token in sluice.yaml; tools of Facebook and Instagram do without")
	case appKind:
		if a.opts.AppID != "" && a.opts.AppSecret != "" {
			return credential{kind: appKind, text: a.opts.AppID + "|" + a.opts.AppSecret}, nil
		}
		if !describesToken(r) { // any token may describe itself
			return credential{}, fault.New(fault.AuthRequired, "the call needs the app's id and secret, and they are not set").WithFix("set META_APP_ID and META_APP_SECRET")
		}
	case pageKind:
		return a.pageToken(ctx, r.Token.Page)
	}
	return a.userToken(ctx)
}

func (a *API) userToken(ctx context.Context) (credential, error) {
	return a.configured(ctx, a.opts.Tokens.User, userKind, "no Meta access token is set",
		"set META_ACCESS_TOKEN to a system-user token, or name a file, keychain entry or command for it in sluice.yaml; or try it out with `sluice sandbox`")
}

func (a *API) configured(ctx context.Context, source TokenSource, kind, none, fix string) (credential, error) {
	if source == nil {
		return credential{}, fault.New(fault.AuthRequired, "%s", none).WithFix("%s", fix)
	}
	text, err := source.Token(ctx)
	if f, ours := fault.As(err); ours {
		if f.Code == fault.AuthRequired && f.Fix == "" {
			said := *f
			return credential{}, said.WithFix("%s", fix)
		}
		return credential{}, err
	}
	if err != nil {
		return credential{}, fault.New(fault.AuthRequired, "the access token can't be read").WithFix("%s", fix).Wrap(err)
	}
	if text == "" {
		return credential{}, fault.New(fault.AuthRequired, "%s", none).WithFix("%s", fix)
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return credential{}, fault.New(fault.AuthRequired, "the access token holds a blank or a character that no token has").WithFix("copy it again, without line breaks and quotes")
		}
	}
	a.secrets.add(text)
	return credential{kind: kind, text: text}, nil
}

// renew tries to get another token in the place of one that was refused, and reports
// whether there may be one.
func (a *API) renew(token credential) bool {
	source := a.opts.Tokens.User
	switch token.kind {
	case pageKind:
		// A Page token dies with a password, a role or a permission; a new one may do.
		a.pages.drop(token.page, token.text)
		return true
	case threadsKind:
		source = a.opts.Tokens.Threads
	case appKind:
		return false
	}
	r, ok := source.(Renewer)
	if ok {
		r.Renew(token.text)
	}
	return ok
}

// pageKey is a Page as one user token sees it. The token itself is not kept.
type pageKey struct {
	page string
	user [sha256.Size]byte
}

// pageTokens are the Page tokens that were looked up.
type pageTokens struct {
	mu     sync.Mutex
	known  map[pageKey]string
	flight singleflight.Group
}

// maxPageTokens bounds the cache. An agency has some hundred Pages.
const maxPageTokens = 5000

func (p *pageTokens) get(k pageKey) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, ok := p.known[k]
	return text, ok
}

func (p *pageTokens) put(k pageKey, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPageTokens {
		p.known = map[pageKey]string{}
	}
	p.known[k] = text
}

// drop forgets a token that was refused, unless another took its place already.
func (p *pageTokens) drop(k pageKey, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[k] == text {
		delete(p.known, k)
	}
}

// lookupTime bounds a look-up that callers share: it outlives the one who began it.
const lookupTime = 30 * time.Second

// pageToken finds the token of a Page, in the cache or by asking with the user's.
func (a *API) pageToken(ctx context.Context, page string) (credential, error) {
	if page == "" {
		return credential{}, fault.New(fault.ArgumentInvalid, "the call needs a Page's token, and it is not known of which Page").WithFix("give page_id, or set a default Page in sluice.yaml")
	}
	user, err := a.userToken(ctx)
	if err != nil {
		return credential{}, err
	}
	key := pageKey{page, sha256.Sum256([]byte(user.text))}
	if text, ok := a.pages.get(key); ok {
		return credential{pageKind, text, key}, nil
	}
	found := a.pages.flight.DoChan(string(key.user[:])+page, func() (any, error) {
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
		defer cancel()
		text, err := a.askPageToken(shared, page)
		if err != nil {
			return "", err
		}
		a.secrets.add(text)
		a.pages.put(key, text)
		return text, nil
	})
	select {
	case <-ctx.Done():
		return credential{}, stopped(ctx, nil)
	case r := <-found:
		if r.Err != nil {
			return credential{}, r.Err
		}
		return credential{pageKind, r.Val.(string), key}, nil
	}
}

// askPageToken is the one place that reads access_token from an answer.
func (a *API) askPageToken(ctx context.Context, page string) (string, error) {
	res, err := a.do(ctx, Request{
		Method: "GET", Host: GraphHost, Path: []string{page}, Query: url.Values{"fields": {"access_token"}}, Urgent: true,
		Scopes: []string{"pages_show_list"},
	}, internally{mode: asIs})
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := readAnswer(res.Body, &answer); err != nil {
		return "", err
	}
	if answer.AccessToken == "" {
		return "", fault.New(fault.ScopeMissing, "the token gets no Page token: its user has no task on the Page, or pages_show_list is not granted").
			WithFix("assign the system user to the Page in Business settings, and make the token with pages_show_list").With("scopes", []string{"pages_show_list"})
	}
	return answer.AccessToken, nil
}
