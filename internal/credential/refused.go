package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// maxConsents bounds how often within consentSpan one caller is asked to agree: a
// server that refuses every token would else open page after page.
const (
	maxConsents = 3
	consentSpan = 10 * time.Minute
)

// Refused answers a 401 with a renewed token or a consent, and a 403 that names
// scopes with a consent to more of them.
func (o *OAuth) Refused(ctx context.Context, caller exchange.Caller, status int, header http.Header) (bool, error) {
	ch := parseChallenge(header)
	if status != http.StatusUnauthorized && ch.err != "insufficient_scope" {
		return false, o.fail(exchange.CredentialLost, fmt.Sprintf("it refuses this request (HTTP %d)", status), nil)
	}
	if !ch.bearer && len(header.Values("WWW-Authenticate")) > 0 {
		return false, o.fail(exchange.CredentialLost, "it asks for a credential of another kind than OAuth", nil)
	}
	h, err := o.hold(caller)
	if err != nil {
		return false, err
	}
	if err := h.lock(ctx); err != nil {
		return false, err
	}
	var again bool
	var wait *flow
	sent := exchange.Sent(ctx)
	err = o.do(ctx, h, func(ctx context.Context) (err error) {
		again, wait, err = o.answer(ctx, h, caller, status, ch, sent)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case wait != nil:
		if err := o.wait(ctx, wait); err != nil {
			return false, err
		}
		return true, nil
	}
	return again, nil
}

// answer decides what a refusal means. It is called with h.busy held.
func (o *OAuth) answer(ctx context.Context, h *hold, caller exchange.Caller, status int, ch challenge, sent http.Header) (bool, *flow, error) {
	changed, err := o.reload(h)
	if changed || err != nil {
		return changed, nil, err
	}
	g := h.grant.Load()
	if g != nil && !g.expired(o.o.Now()) && sent != nil && sent.Get("Authorization") != g.header[0] {
		return true, nil, nil // it was sent with what has been replaced since
	}
	if h.flow != nil && !h.flow.ended() {
		return false, o.join(h.flow), nil
	}
	var scopes []string
	if g != nil {
		scopes = g.Scopes
		if status == http.StatusForbidden && within(ch.scopes, g.Scopes) {
			return false, nil, o.fail(exchange.CredentialLost, "the authorization server did not grant what this call needs", nil)
		}
	}

	d := &discovery{fetch: o.fetch, upstream: o.upstream, issuer: o.o.Issuer, pkce: o.o.Grant == AuthorizationCode}
	p, err := d.find(ctx, ch)
	if g != nil && g.Refresh != "" && status == http.StatusUnauthorized && !o.fruitless(g) && (err != nil || p.server.Issuer == g.Issuer) {
		renewed := o.renew(ctx, h, g)
		var no *refusal
		switch {
		case renewed == nil:
			return true, nil, nil
		case !errors.As(renewed, &no) || no.code != "invalid_grant":
			return false, nil, o.noToken(renewed)
		}
	}
	if err != nil {
		return false, nil, o.discoveryFailed(err)
	}

	if g != nil && p.server.Issuer != g.Issuer {
		scopes = nil // they were asked of somebody else
	}
	scopes = union(scopes, o.scopes(p, ch))
	return o.consent(ctx, h, caller, p, scopes)
}

// fruitless reports whether a token that was just renewed is refused already: then
// the grant is dead, although the authorization server says otherwise.
func (o *OAuth) fruitless(g *grant) bool {
	return g.Renewed && o.o.Now().Sub(g.Obtained) < time.Minute
}

// scopes are those to ask for: the challenge's, else what the resource lists; always
// the configured ones, and offline access where there is such a thing.
func (o *OAuth) scopes(p *place, ch challenge) []string {
	list := ch.scopes
	if len(list) == 0 && len(o.o.Scopes) == 0 {
		list = p.scopes
	}
	list = union(o.o.Scopes, list)
	if o.o.Grant == AuthorizationCode && slices.Contains(p.server.ScopesSupported, offlineAccess) {
		list = union(list, []string{offlineAccess})
	}
	return list
}

func (o *OAuth) discoveryFailed(err error) error {
	var network *fetchError
	if errors.As(err, &network) && !errors.Is(err, errBlocked) {
		return o.fail(exchange.Unreachable, "it wants a token, and where tokens come from can't be found out", err)
	}
	e := o.fail(exchange.CredentialLost, "it wants a token, and where tokens come from can't be relied on", err)
	e.Fix = "ask whoever runs the server"
	return e
}

// consent starts what brings a first token, or one with more scopes.
func (o *OAuth) consent(ctx context.Context, h *hold, caller exchange.Caller, p *place, scopes []string) (bool, *flow, error) {
	if o.o.Open == nil && o.o.Grant == AuthorizationCode {
		return false, nil, o.askElsewhere(ctx, h, caller, p, scopes)
	}
	now := o.o.Now()
	h.begun = slices.DeleteFunc(h.begun, func(t time.Time) bool { return now.Sub(t) > consentSpan })
	if len(h.begun) >= maxConsents {
		e := o.fail(exchange.CredentialLost, "it keeps refusing tokens that were just issued for it, or nobody agrees", nil)
		e.Fix = "try again in ten minutes, or ask whoever runs the server"
		return false, nil, e
	}
	h.begun = append(h.begun, now)
	if o.o.Grant == ClientCredentials {
		g, err := o.asItself(ctx, p, scopes)
		if err != nil {
			return false, nil, o.noToken(err)
		}
		o.keep(ctx, h.key, g)
		return true, nil, nil
	}
	f, err := o.openFlow(ctx, h, p, scopes)
	if err != nil {
		return false, nil, o.noToken(err)
	}
	h.flow = f
	return false, f, nil
}

// noToken is an error of an authorization server, or on the way to it.
func (o *OAuth) noToken(err error) error {
	var mine *exchange.Error
	var network *fetchError
	var no *refusal
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &network), errors.As(err, &no) && (no.status >= 500 || no.status == http.StatusTooManyRequests):
		return o.fail(exchange.Unreachable, "no token could be had", err)
	}
	e := o.fail(exchange.CredentialLost, "no token could be had", err)
	e.Fix = "if the server wants a key and no OAuth, configure a header; else check its OAuth client in the configuration"
	return e
}

// askElsewhere is the error for a caller who is not at this machine: it links to the
// page where they agree for themselves. What everybody shares, only the operator may
// connect.
func (o *OAuth) askElsewhere(ctx context.Context, h *hold, caller exchange.Caller, p *place, scopes []string) error {
	if o.o.Consents == nil || !o.o.PerCaller {
		e := o.fail(exchange.ConsentNeeded, "somebody has to agree in a browser before it can be used", nil)
		e.Fix = "run `sluice server login " + o.o.Server + "` on the machine that runs Sluice"
		return e
	}
	redirect := o.o.Consents.redirect(o.o.Server)
	c, err := o.clientFor(ctx, p, redirect)
	if err != nil {
		return o.noToken(err)
	}
	link := o.o.Consents.ticket(o, caller, o.attempt(h.key, p, c, scopes, redirect))
	e := o.fail(exchange.ConsentNeeded, "you have to agree in a browser before it can be used", nil)
	e.Fix = "open the link in data.url, then try again"
	e.Data = map[string]any{"url": link}
	return e
}
