package credential_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
)

// office is a Sluice that serves several people.
type office struct {
	*world
	oauth *credential.OAuth
	pages *credential.Consents
	url   string
}

func newOffice(t *testing.T, edit func(*credential.ConsentOptions)) *office {
	t.Helper()
	w := newWorld(t)
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(srv.Close)
	o := credential.ConsentOptions{PublicURL: srv.URL, Now: w.clock.now}
	if edit != nil {
		edit(&o)
	}
	pages, err := credential.NewConsents(o)
	if err != nil {
		t.Fatal(err)
	}
	handler = pages
	of := &office{world: w, pages: pages, url: srv.URL}
	of.oauth = w.oauth(func(o *credential.Options) { o.PerCaller, o.Consents = true, pages })
	return of
}

// link makes a call that needs a consent and returns where the error leads.
func (o *office) link(caller string) string {
	o.t.Helper()
	_, err := o.call(o.t.Context(), o.oauth, caller)
	e := exchange.As(err)
	link, _ := e.Data["url"].(string)
	if e.Code != exchange.ConsentNeeded || !strings.HasPrefix(link, o.url+credential.ConsentPath+"crm?ticket=") {
		o.t.Fatalf("the call of %s: %v, with data %v; want a link to a consent", caller, err, e.Data)
	}
	return link
}

var hidden = regexp.MustCompile(`name="(ticket|proof)" value="([^"]*)"`)

// form is what the page in the browser would send.
func form(page string) url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], m[2])
	}
	return v
}

// agree opens a link and goes on to the end.
func (b *browser) agree(link string) string {
	page := b.open(link)
	v := form(page)
	if v.Get("ticket") == "" {
		return page
	}
	return b.post(link, v)
}

// as sets who is signed in at the authorization server.
func (o *office) as(user string) { o.set(func() { o.user = user }) }

func TestEveryCallerConsentsForThemselves(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	alice, bob := o.link("alice"), o.link("bob")
	if alice == bob {
		t.Fatal("two callers have one link")
	}
	if again := o.link("alice"); again != alice {
		t.Error("a second call devalued the link that the first one gave")
	}
	a, b := newBrowser(), newBrowser()
	page := a.open(alice)
	if !strings.Contains(page, "<code>alice</code>") || !strings.Contains(page, "<code>crm</code>") {
		t.Errorf("the page does not say who asks for what: %s", page)
	}
	o.as("alice@crm")
	if page := a.agree(alice); !strings.Contains(page, "is connected") {
		t.Fatalf("alice: %s", page)
	}
	o.mustCall(o.oauth, "alice", "alice@crm")
	o.link("bob") // still has none
	o.as("bob@crm")
	if page := b.agree(bob); !strings.Contains(page, "is connected") {
		t.Fatalf("bob: %s", page)
	}
	o.mustCall(o.oauth, "bob", "bob@crm")
	o.mustCall(o.oauth, "alice", "alice@crm")
	if _, err := o.call(t.Context(), o.oauth, ""); exchange.As(err).Code != exchange.CredentialLost {
		t.Errorf("a caller without a name: %v", err)
	}
}

// toAuthority follows a link until the authorization server would redirect back, and
// returns that address.
func (o *office) toAuthority(b *browser, link string) string {
	o.t.Helper()
	page := b.open(link)
	follow := b.client.CheckRedirect
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { b.client.CheckRedirect = follow }()
	resp, err := b.client.PostForm(link, form(page))
	if err != nil {
		o.t.Fatal(err)
	}
	_ = resp.Body.Close()
	resp, err = b.client.Get(resp.Header.Get("Location"))
	if err != nil {
		o.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if !strings.Contains(resp.Header.Get("Location"), "/callback?") {
		o.t.Fatalf("the authorization server answered HTTP %d", resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

func with(address, key, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func param(address, key string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get(key)
}

func TestNothingOfOneCallerHelpsAnother(t *testing.T) {
	t.Parallel()
	const (
		foreign = "Another browser started this"
		unknown = "belongs to no request"
		dead    = "used before or is too old"
		forged  = "was not sent from Sluice"
	)
	tests := []struct {
		name string
		do   func(o *office, alice, mallory *browser) (page string)
		want string
	}{
		{"her answer in his browser", func(o *office, alice, mallory *browser) string {
			answer := o.toAuthority(alice, o.link("alice"))
			o.toAuthority(mallory, o.link("mallory"))
			return mallory.open(answer)
		}, foreign},
		{"his answer in her browser", func(o *office, alice, mallory *browser) string {
			o.toAuthority(alice, o.link("alice"))
			return alice.open(o.toAuthority(mallory, o.link("mallory")))
		}, foreign},
		{"her state with his code", func(o *office, alice, mallory *browser) string {
			hers := o.toAuthority(alice, o.link("alice"))
			his := o.toAuthority(mallory, o.link("mallory"))
			return mallory.open(with(his, "state", param(hers, "state")))
		}, foreign},
		{"her code with his state", func(o *office, alice, mallory *browser) string {
			hers := o.toAuthority(alice, o.link("alice"))
			his := o.toAuthority(mallory, o.link("mallory"))
			return mallory.open(with(his, "code", param(hers, "code")))
		}, "invalid_grant"},
		{"a state that nobody has", func(o *office, _, mallory *browser) string {
			return mallory.open(with(o.toAuthority(mallory, o.link("mallory")), "state", "x"))
		}, unknown},
		{"an answer at another server's address", func(o *office, _, mallory *browser) string {
			return mallory.open(strings.Replace(o.toAuthority(mallory, o.link("mallory")), "/crm/", "/erp/", 1))
		}, unknown},
		{"an answer twice", func(o *office, alice, _ *browser) string {
			answer := o.toAuthority(alice, o.link("alice"))
			alice.open(answer)
			return alice.open(answer)
		}, unknown},
		{"her form sent by a page of his", func(o *office, alice, mallory *browser) string {
			his := o.link("mallory")
			page := mallory.open(his)
			return alice.post(his, form(page))
		}, forged},
		{"his ticket in her form", func(o *office, alice, _ *browser) string {
			v := form(alice.open(o.link("alice")))
			v.Set("ticket", param(o.link("mallory"), "ticket"))
			return alice.post(o.url+credential.ConsentPath+"crm", v)
		}, forged},
		{"a used link", func(o *office, alice, mallory *browser) string {
			link := o.link("alice")
			o.toAuthority(alice, link)
			return mallory.open(link)
		}, dead},
		{"a link at another server's address", func(o *office, _, mallory *browser) string {
			return mallory.open(strings.Replace(o.link("alice"), "/crm?", "/erp?", 1))
		}, dead},
		{"an old link", func(o *office, alice, _ *browser) string {
			link := o.link("alice")
			o.clock.add(11 * time.Minute)
			return alice.open(link)
		}, dead},
		{"a late answer", func(o *office, alice, _ *browser) string {
			answer := o.toAuthority(alice, o.link("alice"))
			o.clock.add(11 * time.Minute)
			return alice.open(answer)
		}, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			page := tt.do(o, newBrowser(), newBrowser())
			if !strings.Contains(page, tt.want) || strings.Contains(page, "is connected") {
				t.Errorf("the page says %q, want %q", page, tt.want)
			}
			if strings.Contains(page, canary) {
				t.Error("a secret is on the page")
			}
			if tt.name == "an answer twice" {
				return // alice is connected, by her first answer
			}
			for _, caller := range []string{"alice", "mallory"} {
				o.link(caller) // nobody has a token
			}
		})
	}
}

func TestALinkIsForThePersonWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *credential.ConsentOptions) {
		o.Identify = func(r *http.Request) (string, bool) {
			c, err := r.Cookie("who")
			if err != nil {
				return "", false
			}
			return c.Value, true
		}
	})
	in := func(who string) *browser {
		b := newBrowser()
		at, err := url.Parse(o.url)
		if err != nil {
			t.Fatal(err)
		}
		if who != "" {
			b.client.Jar.SetCookies(at, []*http.Cookie{{Name: "who", Value: who}})
		}
		return b
	}
	link := o.link("alice")
	for _, who := range []string{"", "mallory"} {
		if page := in(who).agree(link); !strings.Contains(page, "made for another user") {
			t.Errorf("%q opened alice's link: %s", who, page)
		}
	}
	if page := in("alice").agree(link); !strings.Contains(page, "is connected") {
		t.Errorf("alice: %s", page)
	}
}

func TestPagesStayOutOfFramesAndCaches(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	b := newBrowser()
	resp, err := b.client.Get(o.link("<b>alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if page := b.read(resp); strings.Contains(page, "<b>alice") || !strings.Contains(page, "&lt;b&gt;alice") {
		t.Errorf("the caller's name is markup: %s", page)
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c := resp.Header.Get("Set-Cookie"); !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") || !strings.Contains(c, "Path=/oauth/upstream/crm") {
		t.Errorf("the cookie: %s", c)
	}
	for at, want := range map[string]int{
		"crm/other": http.StatusNotFound, "": http.StatusNotFound, ".client.json": http.StatusNotFound, "crm/callback": http.StatusBadRequest,
	} {
		if b.open(o.url + credential.ConsentPath + at); b.status != want {
			t.Errorf("%q: HTTP %d, want %d", at, b.status, want)
		}
	}
}

func TestSluiceDescribesItselfAsAClient(t *testing.T) {
	t.Parallel()
	pages, err := credential.NewConsents(credential.ConsentOptions{PublicURL: "https://sluice.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	for name, perCaller := range map[string]bool{"crm": true, "erp": false} {
		c, err := credential.NewOAuth(credential.Options{Server: name, URL: "https://mcp.example.com/mcp", PerCaller: perCaller, Consents: pages})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	at := pages.ClientMetadataURL()
	if at != "https://sluice.example.com/oauth/upstream/.client.json" {
		t.Fatalf("the document is at %q", at)
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
	const want = `{"application_type":"web","client_id":"https://sluice.example.com/oauth/upstream/.client.json","client_name":"Sluice",` +
		`"client_uri":"https://sluice.example.com/","grant_types":["authorization_code","refresh_token"],` +
		`"redirect_uris":["https://sluice.example.com/oauth/upstream/crm/callback"],"response_types":["code"],"token_endpoint_auth_method":"none"}`
	if w.Body.String() != want {
		t.Errorf("the document is %s\nwant %s", w.Body, want)
	}
}

func TestAPublicURLThatAnswersCanTravelOver(t *testing.T) {
	t.Parallel()
	for at, ok := range map[string]bool{
		"https://sluice.example.com": true, "http://localhost:8080": true, "http://sluice.example.com": false,
		"sluice.example.com": false, "https://user@sluice.example.com": false, "https://sluice.example.com/?a": false,
	} {
		if _, err := credential.NewConsents(credential.ConsentOptions{PublicURL: at}); (err == nil) != ok {
			t.Errorf("%s: %v", at, err)
		}
	}
}
