package httpdial_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

// badge is a credential whose token can be renewed.
type badge struct {
	token   string
	renewed string
	err     error
	refused []int
	saw     http.Header
	callers []string
}

func (b *badge) Authorize(_ context.Context, caller exchange.Caller, h http.Header) error {
	b.callers = append(b.callers, caller.ID)
	h.Set("Authorization", "Bearer "+b.token)
	h.Set("X-Team", "shop")
	h.Set("Content-Type", "text/plain") // not a credential's business
	return nil
}

func (b *badge) Refused(_ context.Context, _ exchange.Caller, status int, h http.Header) (bool, error) {
	b.refused = append(b.refused, status)
	b.saw = h
	if b.renewed == "" {
		return false, b.err
	}
	b.token = b.renewed
	return true, nil
}

func TestCredential(t *testing.T) {
	t.Parallel()
	consent := &exchange.Error{Code: exchange.ConsentNeeded, Message: "agree first"}
	for _, tt := range []struct {
		name   string
		badge  *badge
		status int
		code   exchange.Code
		sent   int
	}{
		{"a good token", &badge{token: "good"}, 401, "", 1},
		{"an old token is renewed", &badge{token: "old", renewed: "good"}, 401, "", 2},
		{"a scope is stepped up", &badge{token: "old", renewed: "good"}, 403, "", 2},
		{"a renewed token is refused too", &badge{token: "old", renewed: "worse"}, 401, exchange.CredentialLost, 3},
		{"nothing can be renewed", &badge{token: "old", err: errors.New("no refresh token")}, 401, exchange.CredentialLost, 1},
		{"somebody has to agree", &badge{token: "old", err: consent}, 401, exchange.ConsentNeeded, 1},
		{"there is none", nil, 401, exchange.CredentialLost, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, r *recorded) {
				if r.Header.Get("Authorization") == "Bearer good" {
					answer(w, 200, done)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="x"`)
				w.WriteHeader(tt.status)
			})
			o := httpdial.Options{URL: s.URL}
			if tt.badge != nil {
				o.Credential = tt.badge
			}
			var out relay
			err := dial(t, o).Call(t.Context(), modern(t, call), &out)
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if tt.code != "" {
				e := errorOf(t, err, tt.code)
				if e.Status() == 401 || strings.Contains(string(e.Response(nil)), "resource_metadata") || out.resp != nil {
					t.Error("the upstream's refusal got through to the client")
				}
			}
			got := s.got()
			if len(got) != tt.sent {
				t.Fatalf("the call was sent %d times; want %d", len(got), tt.sent)
			}
			if tt.badge == nil {
				return
			}
			if h := got[len(got)-1].Header; h.Get("X-Team") != "shop" || h.Get("Content-Type") != "application/json" || len(h.Values("Authorization")) != 1 {
				t.Errorf("it was sent with %v", h)
			}
			if tt.sent == 2 && (tt.badge.refused[0] != tt.status || tt.badge.saw.Get("WWW-Authenticate") == "") {
				t.Errorf("the credential was told %v %v", tt.badge.refused, tt.badge.saw)
			}
			if tt.badge.callers[0] != "ann" {
				t.Errorf("the credential was asked for %s", tt.badge.callers[0])
			}
		})
	}
}

// ladder is a credential that gets better each time it is refused.
type ladder struct {
	tokens  []string
	refused []int
}

func (l *ladder) Authorize(_ context.Context, _ exchange.Caller, h http.Header) error {
	h.Set("Authorization", "Bearer "+l.tokens[0])
	return nil
}

func (l *ladder) Refused(_ context.Context, _ exchange.Caller, status int, _ http.Header) (bool, error) {
	l.refused = append(l.refused, status)
	if len(l.tokens) == 1 {
		return false, nil
	}
	l.tokens = l.tokens[1:]
	return true, nil
}

// A token that has ended is renewed, and then lacks a scope that somebody agrees to.
func TestRenewedCredentialLacksAScope(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		switch r.Header.Get("Authorization") {
		case "Bearer narrow":
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="write"`)
			w.WriteHeader(403)
		case "Bearer wide":
			answer(w, 200, done)
		default:
			w.WriteHeader(401)
		}
	})
	var out sink
	u := dial(t, httpdial.Options{URL: s.URL, Credential: &ladder{tokens: []string{"ended", "narrow", "wide"}}})
	if err := u.Call(t.Context(), modern(t, call), &out); err != nil || out.text() != "final "+done {
		t.Errorf("error %v, answer %s", err, out.text())
	}
}

// Nobody is asked to agree to anything for a session that is over.
func TestLeavingRenewsNothing(t *testing.T) {
	t.Parallel()
	var up sessions
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(401)
			return
		}
		up.enter(w, r)
	})
	badge := &ladder{tokens: []string{"old", "new"}}
	_ = open(t, dial(t, httpdial.Options{URL: s.URL, Credential: badge})).Close(t.Context())
	if len(badge.refused) != 0 {
		t.Errorf("the credential was told of %v", badge.refused)
	}
}

func TestCredentialStaysWithinTheOrigin(t *testing.T) {
	t.Parallel()
	other := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, 200, done) })
	s := serve(t, func(w http.ResponseWriter, r *recorded) {
		http.Redirect(w, r.Request, other.URL+"/mcp", http.StatusTemporaryRedirect)
	})
	u := dial(t, httpdial.Options{URL: s.URL, Credential: &badge{token: "good"}})
	wantCode(t, u.Call(t.Context(), modern(t, call), &sink{}), exchange.Unreachable)
	if len(other.got()) != 0 {
		t.Error("the redirect was followed to another origin")
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "example.com", "ftp://example.com", "http://", "https://user:secret@example.com/mcp", "http://example.com/#x", "http://a b/"} {
		_, err := httpdial.New(httpdial.Options{URL: bad})
		if err == nil {
			t.Errorf("%q was accepted", bad)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
}
