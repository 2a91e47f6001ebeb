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

	env map[string]string
}

// TokenSource says where an access token is kept, when not in the environment.
type TokenSource struct {
	File    string   `yaml:"file"`
	Command []string `yaml:"command"`
}

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
		return fault.New(fault.Usage, "the configuration %s can't be read", path).Wrap(err)
	}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		// Without the source excerpt: the line may hold a token that does not belong there.
		return fault.New(fault.Usage, "%s: %s", path, yaml.FormatError(err, false, false)).
			WithFix("the keys are state_dir, graph_url, graph_version, dataset, mapping, token.file and token.command")
	}
	if !wanted {
		return c.trustImplicit()
	}
	return nil
}

// trustImplicit bounds what a sluice.yaml may do that was only found in the current
// directory: it may not run a program, nor send the token anywhere but to Meta or
// this machine.
func (c *Config) trustImplicit() error {
	host := ""
	if u, err := url.Parse(c.GraphURL); err == nil {
		host = u.Hostname()
	}
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	if len(c.Token.Command) > 0 || (c.GraphURL != "" && host != "graph.facebook.com" && !local) {
		return fault.New(fault.Usage, "./sluice.yaml sets token.command or another graph_url, and was not asked for").
			WithFix("name it: --config sluice.yaml")
	}
	return nil
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

// AccessToken finds Meta's token: META_ACCESS_TOKEN, then the file, then the command.
func (c *Config) AccessToken(ctx context.Context) (string, error) {
	if t := strings.TrimSpace(c.env["META_ACCESS_TOKEN"]); t != "" {
		return t, nil
	}
	switch {
	case c.Token.File != "":
		text, err := readBounded(c.Token.File)
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token file %s can't be read", c.Token.File).Wrap(err)
		}
		if t := strings.TrimSpace(string(text)); t != "" {
			return t, nil
		}
	case len(c.Token.Command) > 0:
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, c.Token.Command[0], c.Token.Command[1:]...).Output()
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token command %s failed", c.Token.Command[0]).Wrap(err)
		}
		if t := strings.TrimSpace(string(out)); t != "" {
			return t, nil
		}
	}
	return "", fault.New(fault.AuthRequired, "no Meta access token is set")
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
