package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/config"
)

// A file that was only found may send no token anywhere but to Meta or this machine, and
// may not open files or leads to tools. Not parallel: the working directory is the process's.
func TestAFoundFileSendsNoTokenAway(t *testing.T) { //nolint:paralleltest // it changes the working directory
	t.Chdir(t.TempDir())
	for text, fine := range map[string]bool{
		"graph_url: http://127.0.0.1:8099":         true,
		"threads_url: http://127.0.0.1:8099":       true,
		"threads_url: https://graph.threads.net":   true,
		"meta: {ceilings: {\"*\": {daily: 5000}}}": true,
		"graph_url: https://graph.example.com":     false,
		"threads_url: https://graph.example.com":   false,
		"threads_token: {command: [echo, x]}":      false,
		"meta: {upload_dir: /}":                    false,
		"meta: {leads: clear}":                     false,
	} {
		if err := os.WriteFile(filepath.Join(".", "sluice.yaml"), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load("", nil)
		if (err == nil) != fine {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && !strings.Contains(err.Error(), "only found here") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
