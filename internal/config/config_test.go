package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/config"
	"sluice/internal/fault"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	t.Parallel()
	path := file(t, "sluice.yaml", "state_dir: from-file\ndataset: \"1\"\ngraph_url: https://graph.example.com\n")
	c, err := config.Load(path, []string{"SLUICE_STATE_DIR=from-env", "SLUICE_GRAPH_VERSION=v25.0"})
	if err != nil {
		t.Fatal(err)
	}
	if c.StateDir != "from-env" || c.Dataset != "1" || c.GraphURL != "https://graph.example.com" || c.GraphVersion != "v25.0" {
		t.Errorf("%+v", c)
	}
}

func TestStateDirectoryDefaults(t *testing.T) {
	t.Parallel()
	empty := file(t, "sluice.yaml", "{}\n")
	for env, want := range map[string]string{
		"XDG_STATE_HOME=/state": "/state/sluice",
		"HOME=/h/ada":           "/h/ada/.local/state/sluice",
		"XDG_STATE_HOME=rel":    ".sluice", // the specification says to ignore relative paths
	} {
		c, err := config.Load(empty, []string{env})
		if err != nil || c.StateDir != want {
			t.Errorf("%s: %q %v, want %q", env, c.StateDir, err, want)
		}
	}
}

func TestFaultyFilesAreRefusedWithTheirLine(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown key":      "state_dir: x\naccess_token: EAAB\n",
		"duplicate key":    "dataset: \"1\"\ndataset: \"2\"\n",
		"not a mapping":    "- 1\n",
		"a token in plain": "token: EAAB-secret\n",
	} {
		_, err := config.Load(file(t, "sluice.yaml", text), nil)
		if fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), nil); fault.CodeOf(err) != fault.Usage {
		t.Errorf("a named file that does not exist: %v", err)
	}
}

func TestTokensComeFromEnvironmentFileOrCommand(t *testing.T) {
	t.Parallel()
	secret := file(t, "token", "  from-file\n")
	tests := map[string]struct {
		yaml string
		env  []string
		want string
	}{
		"environment first": {"token: {file: " + secret + "}\n", []string{"META_ACCESS_TOKEN=from-env"}, "from-env"},
		"file":              {"token: {file: " + secret + "}\n", nil, "from-file"},
		"command":           {"token: {command: [echo, from-command]}\n", nil, "from-command"},
	}
	for name, tt := range tests {
		c, err := config.Load(file(t, "sluice.yaml", tt.yaml), tt.env)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.AccessToken(t.Context()); err != nil || got != tt.want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for name, text := range map[string]string{
		"nowhere": "{}\n", "missing file": "token: {file: none}\n", "failing command": "token: {command: [\"false\"]}\n",
		"silent command": "token: {command: [\"true\"]}\n",
	} {
		c, err := config.Load(file(t, "sluice.yaml", text), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.AccessToken(t.Context())
		if fault.CodeOf(err) != fault.AuthRequired || got != "" {
			t.Errorf("%s: %q %v", name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "from-") {
			t.Errorf("%s: the error holds a token", name)
		}
	}
}

// TestFileWithoutAWord: an empty configuration changes nothing of what the environment says.
func TestFileWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n"} {
		file := filepath.Join(t.TempDir(), "sluice.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file, []string{"META_ACCESS_TOKEN=of-the-environment", "SLUICE_STATE_DIR=/x"})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got, err := c.AccessToken(t.Context()); got != "of-the-environment" || c.StateDir != "/x" {
			t.Errorf("%q: token %q, %v, state %q", text, got, err, c.StateDir)
		}
	}
}
