package mcptest

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// AllowAll is the policy that lets everything pass.
const AllowAll = `{"version":"1","default":"allow"}`

// Run runs a sluice command on the state directory of a test, and returns its exit code
// and what it printed.
type Run func(args ...string) (int, string)

// JSON runs a command with --json and reads what it printed.
func (run Run) JSON(t testing.TB, into any, args ...string) {
	t.Helper()
	code, out := run(append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil || code != 0 {
		t.Fatalf("sluice %v: exit %d, %v: %s", args, code, err, out)
	}
}

// SetPolicy puts a policy of a server into force, as a person does: preview, confirm.
func (run Run) SetPolicy(t testing.TB, server, name, document string, more ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	var preview struct {
		Confirm string `json:"confirm"`
	}
	args := append([]string{"policy", "set", server, name, file}, more...)
	run.JSON(t, &preview, args...)
	if code, out := run(append(args, "--confirm", preview.Confirm)...); code != 0 {
		t.Fatalf("sluice %v: exit %d: %s", args, code, out)
	}
}

// Grant makes a grant and returns its id and token.
func (run Run) Grant(t testing.TB, server, name string, more ...string) (id, token string) {
	t.Helper()
	var made struct {
		ID    string `json:"id"`
		Token string `json:"token"`
	}
	run.JSON(t, &made, append([]string{"grant", "add", server, name}, more...)...)
	if made.Token == "" {
		t.Fatal("a new grant shows no token")
	}
	return made.ID, made.Token
}

// Admit makes a grant of a server that may call everything, and returns its token.
func (run Run) Admit(t testing.TB, server string) string {
	t.Helper()
	run.SetPolicy(t, server, "all", AllowAll)
	_, token := run.Grant(t, server, "everything", "--policy", "all")
	return token
}

// AwaitToken returns when an endpoint knows a token that another process made: within a
// second.
func AwaitToken(t testing.TB, url, token string) {
	t.Helper()
	tick := time.NewTicker(150 * time.Millisecond) // refused tokens are counted
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("?"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusTooManyRequests {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the endpoint never knew the token")
		case <-tick.C:
		}
	}
}
