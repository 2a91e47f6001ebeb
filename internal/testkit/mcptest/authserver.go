package mcptest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit"
)

var authserver struct {
	mu   sync.Mutex
	path string
}

// AuthServer starts the authorization server of e2e/authserver, which is a module of its
// own, with these flags, and returns its issuer. Where Program was called before it is
// built once.
func AuthServer(t testing.TB, flags ...string) (issuer string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, builtAuthServer(t), flags...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(first)
}

func builtAuthServer(t testing.TB) string {
	t.Helper()
	authserver.mu.Lock()
	defer authserver.mu.Unlock()
	if authserver.path != "" {
		return authserver.path
	}
	dir := program.dir
	if dir == "" {
		dir = t.TempDir()
	}
	bin := filepath.Join(dir, "authserver")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", bin, ".")
	build.Dir = filepath.Join(testkit.Root(t), "e2e", "authserver")
	if out, err := build.CombinedOutput(); err != nil {
		testkit.Unavailable(t, fmt.Sprintf("e2e/authserver does not build (its module needs the network once): %v: %.300s", err, out))
	}
	if dir == program.dir {
		authserver.path = bin
	}
	return bin
}

// Browser is a person's browser that is signed in at the authorization server.
func Browser(t testing.TB, issuer, who string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	resp, err := c.Get(issuer + "/signin?who=" + url.QueryEscape(who))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return c
}

// Application is a client of the authorization server that acts for itself.
type Application struct {
	Issuer, ID, Secret string
}

// NewApplication registers one.
func NewApplication(t testing.TB, issuer string) Application {
	t.Helper()
	resp, err := http.Post(issuer+"/register", "application/json",
		strings.NewReader(`{"client_name":"job","redirect_uris":["http://127.0.0.1/unused"],"token_endpoint_auth_method":"client_secret_post"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.ID == "" {
		t.Fatalf("register: %d, %v", resp.StatusCode, err)
	}
	return Application{issuer, made.ID, made.Secret}
}

// Token is an access token of the application for a resource.
func (a Application) Token(t testing.TB, resource, scope string) string {
	t.Helper()
	resp, err := http.PostForm(a.Issuer+"/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {a.Secret}, "resource": {resource}, "scope": {scope},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var made struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Token == "" {
		t.Fatalf("token: %d %s, %v", resp.StatusCode, made.Error, err)
	}
	return made.Token
}
