// Package config reads the settings of a command: flags win over the environment,
// the environment over sluice.yaml, the file over the defaults.
//
// Tokens are never flags and never values in the file: they come from the
// environment, from a file, or from a command that prints them.
package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"sluice/internal/fault"
)

// Config is the merged settings.
type Config struct {
	StateDir     string      `yaml:"state_dir"`
	GraphURL     string      `yaml:"graph_url"`
	GraphVersion string      `yaml:"graph_version"`
	Dataset      string      `yaml:"dataset"`
	Mapping      string      `yaml:"mapping"`
	Token        TokenSource `yaml:"token"`
	// ThreadsURL and ThreadsToken are of Threads, which has hosts and tokens of its own.
	ThreadsURL   string      `yaml:"threads_url"`
	ThreadsToken TokenSource `yaml:"threads_token"`

	// DatabaseURL names a PostgreSQL database that keeps the ledger instead of a file
	// in the state directory. MasterKeyFile is the key that machines which share it
	// share too; master.key in the state directory when empty.
	DatabaseURL   string `yaml:"database_url"`
	MasterKeyFile string `yaml:"master_key_file"`

	Audit Audit `yaml:"audit"`

	// Sources are read by name wherever an input is.
	Sources map[string]Source `yaml:"sources"`

	// MCP is what the gateway serves.
	MCP MCP `yaml:"mcp"`

	// Meta is the MCP server for Meta's platform.
	Meta Meta `yaml:"meta"`

	file     string // that was read
	env      map[string]string
	implicit bool // the file was only found in the current directory
}

// Audit says where signed checkpoints of the audit log are exported to. A place that
// a restored backup does not bring back is best: it shows that a backup was restored.
type Audit struct {
	CheckpointFile    string   `yaml:"checkpoint_file"` // default: <state_dir>.checkpoints.jsonl; "none": nowhere
	CheckpointCommand []string `yaml:"checkpoint_command"`
}

// CheckpointFile is where checkpoints are exported to; empty: nowhere.
func (c *Config) CheckpointFile() string {
	switch c.Audit.CheckpointFile {
	case "":
		return filepath.Clean(c.StateDir) + ".checkpoints.jsonl"
	case "none":
		return ""
	default:
		return c.Audit.CheckpointFile
	}
}

// TokenSource says where an access token is kept, when not in the environment.
type TokenSource struct {
	File     string    `yaml:"file"`
	Command  []string  `yaml:"command"`
	Keychain *Keychain `yaml:"keychain"`
}

// Set reports whether a place is named.
func (s *TokenSource) Set() bool { return s.File != "" || len(s.Command) > 0 || s.Keychain != nil }

// maxFile bounds a configuration or token file.
const maxFile = 1 << 20

// Load reads the file at path; with an empty path, ./sluice.yaml when it exists.
// env is the environment as KEY=value lines.
func Load(path string, env []string) (*Config, error) {
	c := &Config{env: map[string]string{}}
	for _, kv := range env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			c.env[k] = v
		}
	}
	if err := c.readFile(path); err != nil {
		return nil, err
	}
	for key, into := range map[string]*string{
		"SLUICE_STATE_DIR": &c.StateDir, "SLUICE_GRAPH_URL": &c.GraphURL, "SLUICE_GRAPH_VERSION": &c.GraphVersion,
		"SLUICE_DATASET": &c.Dataset, "SLUICE_MAPPING": &c.Mapping,
		"SLUICE_DATABASE_URL": &c.DatabaseURL, "SLUICE_MASTER_KEY_FILE": &c.MasterKeyFile,
		"SLUICE_CHECKPOINT_FILE": &c.Audit.CheckpointFile, "SLUICE_THREADS_URL": &c.ThreadsURL,
		"META_APP_ID": &c.Meta.AppID,
	} {
		if v := c.env[key]; v != "" {
			*into = v
		}
	}
	if c.StateDir == "" {
		c.StateDir = c.defaultStateDir()
	}
	return c, nil
}

func (c *Config) readFile(path string) error {
	wanted := path != ""
	if !wanted {
		path = "sluice.yaml"
	}
	text, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) && !wanted {
		return nil
	}
	if err != nil {
		return fault.New(fault.Usage, "the configuration %s can't be read", path).WithFix("check that the file exists and may be read").Wrap(err)
	}
	env := c.env
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return explain(path, text, err)
	}
	c.env = env // a file without a word in it empties all of c
	if u, err := url.Parse(c.DatabaseURL); err == nil {
		if _, set := u.User.Password(); set || u.Query().Has("password") {
			return fault.New(fault.Usage, "database_url in %s holds a password", path).
				WithFix("keep it out of the file: in ~/.pgpass, in PGPASSWORD, or in SLUICE_DATABASE_URL")
		}
	}
	for name, s := range c.Sources {
		if err := s.check(name); err != nil {
			return err
		}
	}
	if err := c.MCP.check(); err != nil {
		return err
	}
	if err := c.Meta.check(); err != nil {
		return err
	}
	c.file = path
	if !wanted {
		c.implicit = true
		return c.trustImplicit()
	}
	return nil
}

// trustImplicit bounds what a sluice.yaml may do that was only found in the current
// directory: it may not run a program (a source that is one is refused where it is
// read, see MayRun), nor send the token or the ledger anywhere but
// to Meta or this machine, nor say which key protects them.
func (c *Config) trustImplicit() error {
	if c.Audit.CheckpointFile != "" || len(c.Audit.CheckpointCommand) > 0 {
		return fault.New(fault.Usage, "./sluice.yaml sets audit.checkpoint_file or audit.checkpoint_command; it was only found here, not named").
			WithFix("name it: --config sluice.yaml")
	}
	if len(c.Token.Command) > 0 || len(c.ThreadsToken.Command) > 0 || !mayGo(c.GraphURL, "graph.facebook.com") || !mayGo(c.ThreadsURL, "graph.threads.net") {
		return fault.New(fault.Usage, "./sluice.yaml sets token.command, threads_token.command, another graph_url or another threads_url; it was only found here, not named").
			WithFix("name it: --config sluice.yaml")
	}
	if c.Meta.UploadDir != "" || c.Meta.Leads != "" {
		return fault.New(fault.Usage, "./sluice.yaml sets meta.upload_dir or meta.leads; it was only found here, not named").
			WithFix("name it: --config sluice.yaml")
	}
	if (c.DatabaseURL != "" && !localDatabase(c.DatabaseURL)) || c.MasterKeyFile != "" {
		return fault.New(fault.Usage, "./sluice.yaml sets master_key_file or a database_url on another machine; it was only found here, not named").
			WithFix("name it: --config sluice.yaml")
	}
	return nil
}

// mayGo reports whether an address surely names one of Meta's hosts or this machine; none is
// the default.
func mayGo(address, meta string) bool {
	u, err := url.Parse(address)
	if address == "" || err != nil {
		return address == ""
	}
	host := u.Hostname()
	return host == meta || host == "localhost" || net.ParseIP(host).IsLoopback()
}

// localDatabase reports whether a URL surely names a server on this machine.
func localDatabase(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return false
	}
	q := u.Query()
	if q.Has("hostaddr") || q.Has("service") {
		return false
	}
	hosts := append([]string{u.Hostname()}, q["host"]...)
	named := false
	for _, host := range hosts {
		local := host == "localhost" || strings.HasPrefix(host, "/") || net.ParseIP(host).IsLoopback()
		if host != "" && !local {
			return false
		}
		named = named || local
	}
	return named
}

// defaultStateDir follows the XDG base directory specification.
func (c *Config) defaultStateDir() string {
	if dir := c.env["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, "sluice")
	}
	if home := c.env["HOME"]; home != "" {
		return filepath.Join(home, ".local", "state", "sluice")
	}
	return ".sluice"
}

// AccessToken finds Meta's token: META_ACCESS_TOKEN, then the file, the keychain or the
// command.
func (c *Config) AccessToken(ctx context.Context) (string, error) {
	return c.Token.find(ctx, c.env["META_ACCESS_TOKEN"], "no Meta access token is set")
}

// ThreadsAccessToken finds the token of Threads: THREADS_ACCESS_TOKEN, then the file, the
// keychain or the command.
func (c *Config) ThreadsAccessToken(ctx context.Context) (string, error) {
	return c.ThreadsToken.find(ctx, c.env["THREADS_ACCESS_TOKEN"], "no Threads access token is set")
}

func (s *TokenSource) find(ctx context.Context, given, none string) (string, error) {
	if t := strings.TrimSpace(given); t != "" {
		return t, nil
	}
	switch {
	case s.File != "":
		text, err := readBounded(s.File)
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token file %s can't be read", s.File).Wrap(err)
		}
		if t := strings.TrimSpace(string(text)); t != "" {
			return t, nil
		}
	case s.Keychain != nil:
		if t, err := s.Keychain.read(ctx); t != "" || err != nil {
			return t, err
		}
	case len(s.Command) > 0:
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, s.Command[0], s.Command[1:]...).Output()
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token command %s failed", s.Command[0]).Wrap(err)
		}
		if t := strings.TrimSpace(string(out)); t != "" {
			return t, nil
		}
	}
	return "", fault.New(fault.AuthRequired, "%s", none)
}

// AppSecret is the secret for appsecret_proof; empty when the app requires none.
func (c *Config) AppSecret() string { return strings.TrimSpace(c.env["META_APP_SECRET"]) }

// Env returns a variable of the environment the configuration was loaded with.
func (c *Config) Env(key string) string { return c.env[key] }

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("larger than %d bytes", maxFile)
	}
	return text, err
}
