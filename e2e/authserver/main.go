// Command authserver is an OAuth 2.1 authorization server for tests, on a library that
// the product does not link: it judges codes, PKCE, redirect URIs, clients and
// refresh tokens by its own reading of the standards. It has a module of its own, so
// that the library stays out of the product's.
//
// It signs anybody in who says their name at /signin?who=NAME, keeps everything in
// memory, and prints its issuer as the first line.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	oautherrors "github.com/go-oauth2/oauth2/v4/errors"
	"github.com/go-oauth2/oauth2/v4/manage"
	"github.com/go-oauth2/oauth2/v4/server"
	"github.com/go-oauth2/oauth2/v4/store"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	lifetime := flag.Duration("lifetime", time.Hour, "of access tokens")
	signed := flag.Bool("jwt", false, "access tokens are JWTs, with keys at /keys; else they are opaque")
	flag.Parse()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", *listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	issuer := "http://" + l.Addr().String()
	fmt.Println(issuer)
	var s *signer
	if *signed {
		if s, err = newSigner(issuer, *lifetime); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	srv := &http.Server{Handler: newAuthority(issuer, *lifetime, s), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(os.Stderr, srv.Serve(l))
}

// application is one registered client.
type application struct {
	id, secret string
	redirects  []string
}

func (c *application) GetID() string     { return c.id }
func (c *application) GetSecret() string { return c.secret }
func (c *application) GetDomain() string { return c.redirects[0] }
func (c *application) IsPublic() bool    { return c.secret == "" }
func (c *application) GetUserID() string { return "" }

type authority struct {
	issuer  string
	clients *store.ClientStore
	manager *manage.Manager
	oauth   *server.Server
	signer  *signer // nil: tokens are opaque
}

func newAuthority(issuer string, lifetime time.Duration, s *signer) http.Handler {
	a := &authority{issuer: issuer, signer: s, clients: store.NewClientStore(), manager: manage.NewDefaultManager()}
	a.manager.MapClientStorage(a.clients)
	a.manager.MustTokenStorage(store.NewMemoryTokenStore())
	a.manager.SetAuthorizeCodeTokenCfg(&manage.Config{AccessTokenExp: lifetime, RefreshTokenExp: 24 * time.Hour, IsGenerateRefresh: true})
	a.manager.SetRefreshTokenCfg(&manage.RefreshingConfig{AccessTokenExp: lifetime, IsGenerateRefresh: true, IsRemoveAccess: true, IsRemoveRefreshing: true})
	a.manager.SetClientTokenCfg(&manage.Config{AccessTokenExp: lifetime})
	a.manager.SetValidateURIHandler(func(_, _ string) error { return nil }) // compared exactly below

	if s != nil {
		a.manager.MapAccessGenerate(s)
	}

	c := server.NewConfig()
	c.ForcePKCE = true
	c.AllowedResponseTypes = []oauth2.ResponseType{oauth2.Code}
	c.AllowedGrantTypes = []oauth2.GrantType{oauth2.AuthorizationCode, oauth2.Refreshing, oauth2.ClientCredentials}
	c.AllowedCodeChallengeMethods = []oauth2.CodeChallengeMethod{oauth2.CodeChallengeS256}
	a.oauth = server.NewServer(c, a.manager)
	a.oauth.SetClientInfoHandler(func(r *http.Request) (string, string, error) {
		if id, secret, ok := r.BasicAuth(); ok {
			return id, secret, nil
		}
		if id := r.FormValue("client_id"); id != "" {
			return id, r.FormValue("client_secret"), nil
		}
		return "", "", oautherrors.ErrInvalidClient
	})
	a.oauth.SetUserAuthorizationHandler(func(_ http.ResponseWriter, r *http.Request) (string, error) {
		who, err := r.Cookie("who")
		if err != nil {
			return "", oautherrors.ErrAccessDenied
		}
		return who.Value, nil
	})

	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", a.metadata)
	mux.HandleFunc("POST /register", a.register)
	mux.HandleFunc("GET /signin", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: r.URL.Query().Get("who"), Path: "/", HttpOnly: true})
	})
	mux.HandleFunc("GET /authorize", a.authorize)
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("resource") == "" {
			answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_target"})
			return
		}
		_ = a.oauth.HandleTokenRequest(w, r) // it has written its error
	})
	mux.HandleFunc("POST /introspect", a.introspect)
	if s != nil {
		mux.HandleFunc("GET /keys", s.keys)
	}
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader's loss
}

func (a *authority) metadata(w http.ResponseWriter, _ *http.Request) {
	m := map[string]any{
		"issuer": a.issuer, "authorization_endpoint": a.issuer + "/authorize", "token_endpoint": a.issuer + "/token",
		"registration_endpoint": a.issuer + "/register", "introspection_endpoint": a.issuer + "/introspect",
		"response_types_supported": []string{"code"}, "grant_types_supported": []string{"authorization_code", "refresh_token", "client_credentials"},
		"code_challenge_methods_supported":      []string{"S256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
	}
	if a.signer != nil {
		m["jwks_uri"] = a.issuer + "/keys"
	}
	answer(w, http.StatusOK, m)
}

// register is RFC 7591. Whoever asks for a method with a secret gets one.
func (a *authority) register(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Name      string   `json:"client_name"`
		Redirects []string `json:"redirect_uris"`
		Method    string   `json:"token_endpoint_auth_method"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&ask) != nil || len(ask.Redirects) == 0 {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_client_metadata"})
		return
	}
	c := &application{id: rand.Text(), redirects: ask.Redirects}
	if ask.Method != "none" {
		c.secret = rand.Text()
	}
	if err := a.clients.Set(c.id, c); err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	answer(w, http.StatusCreated, map[string]any{
		"client_id": c.id, "client_secret": c.secret, "redirect_uris": c.redirects, "client_name": ask.Name, "token_endpoint_auth_method": ask.Method,
	})
}

// authorize compares the redirect URI before anything is sent to it.
func (a *authority) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	found, err := a.clients.GetByID(r.Context(), q.Get("client_id"))
	c, ok := found.(*application)
	if err != nil || !ok || !slices.Contains(c.redirects, q.Get("redirect_uri")) {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	if q.Get("resource") == "" || q.Get("state") == "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_target"})
		return
	}
	_ = a.oauth.HandleAuthorizeRequest(w, r) // it has written its error
}

// introspect is RFC 7662, open to whoever runs beside it.
func (a *authority) introspect(w http.ResponseWriter, r *http.Request) {
	info, err := a.manager.LoadAccessToken(r.Context(), r.FormValue("token"))
	if err != nil {
		answer(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"active": true, "sub": info.GetUserID(), "client_id": info.GetClientID(), "scope": info.GetScope(),
		"exp": info.GetAccessCreateAt().Add(info.GetAccessExpiresIn()).Unix(),
	})
}
