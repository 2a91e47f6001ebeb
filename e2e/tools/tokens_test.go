package tools

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/sandbox"
	"sluice/internal/testkit/mcptest"
)

var campaign = map[string]any{"campaign_id": "3100000000000001"}

// TestWithoutToken: the server starts and lists, and says what is missing when a tool needs
// it. Nothing is asked of Meta.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	for _, version := range eras {
		s := server{}.client(t, version, nil)
		if listed := names(t, s); len(listed) < 20 || len(listed) > 40 {
			t.Errorf("%s: %d are listed", version, len(listed))
		}
		if a := call(t, s, "meta_get_campaign", campaign); a.code != "auth_required" || !strings.Contains(a.text, "META_ACCESS_TOKEN") {
			t.Errorf("%s: %q %s", version, a.code, a.text)
		}
		if a := call(t, s, "threads_get_profile", nil); a.code != "auth_required" || !strings.Contains(a.text, "THREADS_ACCESS_TOKEN") {
			t.Errorf("%s: %q %s", version, a.code, a.text)
		}
	}
}

// TestTokenPlaces: a token comes from a file, a command or the keychain, the environment
// wins, and a place that has none is named.
func TestTokenPlaces(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are scripts of a shell")
	}
	box, dir := meta(t), t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, bad := write("good", sandbox.Token+"\n"), write("bad", "not-a-token\n")
	op := write("op", "#!/bin/sh\necho "+sandbox.Token+"\n")
	write("secret-tool", "#!/bin/sh\n[ \"$3 $5\" = 'sluice meta' ] && echo "+sandbox.Token+"\n")
	path := "PATH=" + dir + ":" + os.Getenv("PATH")
	for name, tt := range map[string]struct {
		config string
		env    []string
		code   string
		says   string
	}{
		"file":              {config: "token: {file: " + good + "}", says: "3100000000000001"},
		"file with another": {config: "token: {file: " + bad + "}", code: "connector_expired"},
		"no such file":      {config: "token: {file: " + good + "-not}", code: "auth_required", says: "good-not"},
		"command":           {config: "token: {command: [" + op + "]}", says: "3100000000000001"},
		"command fails":     {config: "token: {command: [" + op + "-not]}", code: "auth_required", says: "op-not"},
		"environment wins":  {config: "token: {file: " + bad + "}", env: []string{"META_ACCESS_TOKEN=" + sandbox.Token}, says: "3100000000000001"},
		"expired":           {env: []string{"META_ACCESS_TOKEN=" + sandbox.TokenExpired}, code: "connector_expired"},
		"with a line break": {env: []string{"META_ACCESS_TOKEN=two words"}, code: "auth_required", says: "blank"},
		"keychain":          {config: "token: {keychain: {service: sluice, user: meta}}", env: []string{path}, says: "3100000000000001"},
		"no such entry":     {config: "token: {keychain: {service: sluice, user: nobody}}", env: []string{path}, code: "auth_required", says: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(tt.config, "keychain") && runtime.GOOS == "darwin" {
				t.Skip("the program of the keychain has a fixed path here")
			}
			s := server{box: box, config: tt.config + "\n", env: tt.env}.client(t, mcptest.Legacy, nil)
			if a := call(t, s, "meta_get_campaign", campaign); a.code != tt.code || !strings.Contains(a.text, tt.says) {
				t.Errorf("%q %s", a.code, a.text)
			}
		})
	}
}

// TestLogHoldsNoToken: not even at debug.
func TestLogHoldsNoToken(t *testing.T) {
	t.Parallel()
	box := meta(t)
	cmd := server{box: box, env: []string{"META_ACCESS_TOKEN=" + sandbox.Token, "META_APP_SECRET=" + sandbox.AppSecret}, args: []string{"--log-level", "debug"}}.command(t)
	var logs bytes.Buffer
	cmd.Stderr = &locked{to: &logs}
	s := connect(t, &mcp.CommandTransport{Command: cmd, TerminateDuration: enough}, mcptest.Modern, nil)
	for name, args := range map[string]map[string]any{
		"meta_get_campaign": campaign, "meta_list_pages": nil, "meta_get_posts": {"page_id": "4000000000000001"}, "meta_debug_token": nil,
		"meta_get_page": {"page_id": "4"}, "meta_create_post": {"page_id": "4000000000000001", "message": "fresh tea"},
	} {
		if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_ = s.Close()
	if !strings.Contains(logs.String(), "GET") {
		t.Errorf("the log says nothing of calls: %s", logs.String())
	}
	for _, secret := range []string{sandbox.Token, sandbox.PageTokenPrefix, sandbox.AppSecret, "appsecret_proof"} {
		if strings.Contains(logs.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}
