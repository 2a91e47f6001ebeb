package credential

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

// ConsentPath is where Consents is mounted below the public URL.
const ConsentPath = "/oauth/upstream/"

// clientDocument is the name of our client metadata document below ConsentPath. No
// server has a name with a dot in front.
const clientDocument = ".client.json"

// ConsentOptions describe the pages.
type ConsentOptions struct {
	// PublicURL is where people's browsers reach this Sluice.
	PublicURL string
	// Identify, when set, says who is signed in to Sluice in this browser. Only the
	// caller a link was made for may then use it. Without it, the page names that
	// caller and the person judges.
	Identify   func(*http.Request) (callerID string, ok bool)
	ClientName string // "Sluice" when empty
	Now        func() time.Time
}

// Consents is where callers who are not at this machine agree, in their own browser,
// to the use of an upstream: a one-time link, the authorization server, and back.
//
// A link belongs to one caller and can be used once. The browser that used it gets a
// cookie, and only that browser may finish; the answer is believed only with the
// state of the attempt, which belongs to the same caller.
type Consents struct {
	o      ConsentOptions
	base   *url.URL
	secure bool
	mac    [32]byte

	mu       sync.Mutex
	servers  map[string]*OAuth
	tickets  map[[32]byte]*pending // unused ones, by hash of the ticket
	attempts map[[32]byte]*pending // under way, by hash of the state
}

// maxUnderWay bounds what one caller can have begun and not finished.
const maxUnderWay = 5

// pending is one attempt of one caller, first as a ticket, then under way.
type pending struct {
	oauth   *OAuth
	attempt *attempt
	name    string // of the caller, for the page
	began   time.Time
	link    string // while the ticket was not used
	ticket  [32]byte
	browser [32]byte // hash of the cookie once it was used
}

// NewConsents returns the handler of ConsentPath.
func NewConsents(o ConsentOptions) (*Consents, error) {
	u, err := url.Parse(o.PublicURL)
	switch {
	case err != nil || u.Opaque != "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fault.New(fault.Usage, "public_url is not an absolute URL without a query")
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopbackHost(u.Hostname())):
		return nil, fault.New(fault.Usage, "public_url is not HTTPS: answers of authorization servers travel over it")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClientName == "" {
		o.ClientName = "Sluice"
	}
	c := &Consents{
		o: o, base: u, secure: u.Scheme == "https",
		servers: map[string]*OAuth{}, tickets: map[[32]byte]*pending{}, attempts: map[[32]byte]*pending{},
	}
	_, _ = rand.Read(c.mac[:]) // never fails: crypto/rand aborts the process instead
	return c, nil
}

func (c *Consents) add(o *OAuth) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[o.o.Server] = o
}

func (c *Consents) at(rest string) string {
	return strings.TrimSuffix(c.base.String(), "/") + ConsentPath + rest
}

func (c *Consents) redirect(server string) string { return c.at(url.PathEscape(server) + "/callback") }

// ClientMetadataURL is where this Sluice describes itself as an OAuth client, for
// Options.ClientMetadataURL; empty where no authorization server may read it.
func (c *Consents) ClientMetadataURL() string {
	if !c.secure || isLoopbackHost(c.base.Hostname()) {
		return ""
	}
	return c.at(clientDocument)
}

func digest(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// ticket makes the link for one caller. While an unused one is young, it is the same,
// so that a client that tries again does not devalue the link its user is reading.
func (c *Consents) ticket(o *OAuth, caller exchange.Caller, a *attempt) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	for hash, old := range c.tickets {
		if !old.same(o, a.caller) {
			continue
		}
		young := c.o.Now().Sub(old.began) < attemptLife/2
		if young && within(a.scopes, old.attempt.scopes) && old.attempt.place.server.Issuer == a.place.server.Issuer {
			return old.link
		}
		delete(c.tickets, hash)
	}
	text := randomText()
	p := &pending{oauth: o, attempt: a, name: caller.Name, began: c.o.Now(), ticket: digest(text), link: c.at(url.PathEscape(o.o.Server) + "?ticket=" + text)}
	if p.name == "" {
		p.name = caller.ID
	}
	c.tickets[p.ticket] = p
	return p.link
}

func (p *pending) same(o *OAuth, caller string) bool {
	return p.oauth == o && p.attempt.caller == caller
}

// sweep forgets what nobody finished. It is called with c.mu held.
func (c *Consents) sweep() {
	for _, m := range []map[[32]byte]*pending{c.tickets, c.attempts} {
		for hash, p := range m {
			if c.o.Now().Sub(p.began) > attemptLife {
				delete(m, hash)
			}
		}
	}
}

// begin turns a ticket into an attempt under way; nil when another request did so
// just now. The oldest of too many gives way.
func (c *Consents) begin(p *pending, cookie string) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tickets[p.ticket] != p {
		return nil
	}
	delete(c.tickets, p.ticket)
	var oldest *pending
	others := 0
	for _, other := range c.attempts {
		if !other.same(p.oauth, p.attempt.caller) {
			continue
		}
		if others++; oldest == nil || other.began.Before(oldest.began) {
			oldest = other
		}
	}
	if others >= maxUnderWay {
		delete(c.attempts, digest(oldest.attempt.state))
	}
	p.link, p.browser = "", digest(cookie)
	c.attempts[digest(p.attempt.state)] = p
	return p
}

// ServeHTTP serves everything below ConsentPath.
func (c *Consents) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, ConsentPath)
	if !ok {
		http.NotFound(w, r)
		return
	}
	name, callback := strings.CutSuffix(rest, "/callback")
	switch {
	case rest == clientDocument && r.Method == http.MethodGet:
		c.describe(w)
	case name == "" || strings.Contains(name, "/"):
		http.NotFound(w, r)
	case callback && r.Method == http.MethodGet:
		c.finish(w, r, name)
	case callback || (r.Method != http.MethodGet && r.Method != http.MethodPost):
		w.WriteHeader(http.StatusMethodNotAllowed)
	case r.Method == http.MethodGet:
		c.ask(w, r, name)
	default:
		c.start(w, r, name)
	}
}

// find returns the attempt a ticket stands for, when it is this server's.
func (c *Consents) find(server, ticket string) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	p := c.tickets[digest(ticket)]
	if p == nil || p.oauth.o.Server != server {
		return nil
	}
	return p
}

// permitted reports whether the person in this browser may act for the caller.
func (c *Consents) permitted(r *http.Request, p *pending) bool {
	if c.o.Identify == nil {
		return true
	}
	id, ok := c.o.Identify(r)
	return ok && id == p.attempt.caller
}

func (c *Consents) cookieName() string {
	if c.secure {
		return "__Secure-sluice-consent"
	}
	return "sluice-consent"
}

// proof binds the form to the browser it was shown in.
func (c *Consents) proof(cookie, ticket string) string {
	mac := hmac.New(sha256.New, c.mac[:])
	mac.Write([]byte(cookie + "\n" + ticket))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const deadLink = "This link was used before or is too old. Try the call again: it brings a new one."

// ask shows who asks for what. It changes nothing: programs look at links too.
func (c *Consents) ask(w http.ResponseWriter, r *http.Request, server string) {
	ticket := r.URL.Query().Get("ticket")
	p := c.find(server, ticket)
	switch {
	case p == nil:
		writePage(w, http.StatusNotFound, "Not connected", deadLink)
		return
	case !c.permitted(r, p):
		writePage(w, http.StatusForbidden, "Not connected", "This link was made for another user of Sluice.")
		return
	}
	cookie := randomText()
	http.SetCookie(w, &http.Cookie{
		Name: c.cookieName(), Value: cookie, Path: c.cookiePath(server), MaxAge: int(attemptLife.Seconds()),
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
	writeAsk(w, askPage{
		server: server, caller: p.name, host: hostOf(p.attempt.place.server.AuthorizationEndpoint), scopes: p.attempt.scopes,
		ticket: ticket, proof: c.proof(cookie, ticket),
	})
}

func (c *Consents) cookiePath(server string) string {
	return strings.TrimSuffix(c.base.Path, "/") + ConsentPath + url.PathEscape(server)
}

// start uses the ticket up and sends the browser to the authorization server.
func (c *Consents) start(w http.ResponseWriter, r *http.Request, server string) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	ticket, cookie := r.PostFormValue("ticket"), c.cookie(r)
	if cookie == "" || !hmac.Equal([]byte(r.PostFormValue("proof")), []byte(c.proof(cookie, ticket))) {
		writePage(w, http.StatusForbidden, "Not connected", "The form was not sent from Sluice's own page, or cookies are off.")
		return
	}
	p := c.find(server, ticket)
	if p != nil && !c.permitted(r, p) {
		writePage(w, http.StatusForbidden, "Not connected", "This link was made for another user of Sluice.")
		return
	}
	if p != nil {
		p = c.begin(p, cookie)
	}
	if p == nil {
		writePage(w, http.StatusNotFound, "Not connected", deadLink)
		return
	}
	safeHeaders(w)
	http.Redirect(w, r, p.attempt.url(), http.StatusSeeOther)
}

func (c *Consents) cookie(r *http.Request) string {
	all := r.CookiesNamed(c.cookieName())
	if len(all) != 1 {
		return "" // a second one was planted by a neighbour
	}
	return all[0].Value
}

// finish takes the answer of the authorization server. An attempt ends with the first
// answer that shows its state, whatever comes of it.
func (c *Consents) finish(w http.ResponseWriter, r *http.Request, server string) {
	q := r.URL.Query()
	var p *pending
	if len(q["state"]) == 1 {
		c.mu.Lock()
		c.sweep()
		p = c.attempts[digest(q.Get("state"))]
		delete(c.attempts, digest(q.Get("state")))
		c.mu.Unlock()
	}
	got := digest(c.cookie(r))
	switch {
	case p == nil || p.oauth.o.Server != server:
		writePage(w, http.StatusBadRequest, "Not connected", "This answer belongs to no request of Sluice, or came too late.")
		return
	case !hmac.Equal(got[:], p.browser[:]) || !c.permitted(r, p):
		writePage(w, http.StatusForbidden, "Not connected", "Another browser started this. Finish in the one you started with.")
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	err := p.oauth.finish(ctx, p.attempt, q)
	if err != nil {
		p.oauth.o.Log.Warn("a consent failed", "server", server, "err", err)
	}
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(), Path: c.cookiePath(server), MaxAge: -1, HttpOnly: true, Secure: c.secure})
	showResult(w, server, err)
}

// describe is the client metadata document of this Sluice.
func (c *Consents) describe(w http.ResponseWriter) {
	id := c.ClientMetadataURL()
	if id == "" {
		http.Error(w, "no such document", http.StatusNotFound)
		return
	}
	c.mu.Lock()
	redirects := make([]string, 0, len(c.servers))
	for name, o := range c.servers {
		if o.o.PerCaller {
			redirects = append(redirects, c.redirect(name))
		}
	}
	c.mu.Unlock()
	body, err := json.Marshal(map[string]any{
		"client_id": id, "client_name": c.o.ClientName, "client_uri": c.base.String(), "redirect_uris": redirects,
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": methodNone, "application_type": "web",
	}, json.Deterministic(true))
	if err != nil {
		http.Error(w, "no such document", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(body) // the reader's loss
}

// why is what a person may read of an error of finish.
func why(err error) string {
	var no *refusal
	switch {
	case errors.Is(err, errRefused):
		return "You, or the authorization server, refused."
	case errors.Is(err, errIssuer), errors.Is(err, errLate), errors.Is(err, errAnswer), errors.As(err, &no):
		return "The reason: " + err.Error() + "."
	}
	return "Sluice could not get a token. Its log says why."
}
