package config

import (
	"slices"
	"strings"
	"time"

	"sluice/internal/fault"
)

// Source is a named source: a PostgreSQL query, or a program that prints JSON lines.
type Source struct {
	Type string `yaml:"type"` // postgres or command

	// Of a query. The address is never in the file: DSNEnv names the variable that
	// holds it.
	DSNEnv           string `yaml:"dsn_env"`
	Query            string `yaml:"query"`
	Cursor           string `yaml:"cursor"`
	Key              string `yaml:"key"`
	Overlap          string `yaml:"overlap"`
	StatementTimeout string `yaml:"statement_timeout"`
	Page             int    `yaml:"page"`

	// Of a program. Env names the variables that it sees beside PATH, HOME and the
	// locale.
	Command []string `yaml:"command"`
	Env     []string `yaml:"env"`
	Dir     string   `yaml:"dir"`
	MinRows int64    `yaml:"min_rows"`
	Counted bool     `yaml:"counted"`
	Timeout string   `yaml:"timeout"`
}

// The types of a source.
const (
	SourcePostgres = "postgres"
	SourceCommand  = "command"
)

// check refuses what makes no sense, and what belongs to the other type.
func (s *Source) check(name string) error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Usage, "sources."+name+": "+format, args...).WithFix("see docs/sources.md")
	}
	query := s.DSNEnv != "" || s.Query != "" || s.Cursor != "" || s.Key != "" || s.Overlap != "" || s.StatementTimeout != "" || s.Page != 0
	program := len(s.Command) > 0 || len(s.Env) > 0 || s.Dir != "" || s.MinRows != 0 || s.Counted || s.Timeout != ""
	switch {
	case strings.ContainsAny(name, "/\\.-*?[ ") || name == "":
		return bad("a name has letters, digits and _ only, so that it is no file's")
	case s.Type == SourcePostgres && (program || s.DSNEnv == "" || s.Query == "" || s.Cursor == "" || s.Key == ""):
		return bad("a postgres source needs dsn_env, query, cursor and key, and takes overlap, statement_timeout and page")
	case s.Type == SourceCommand && (query || len(s.Command) == 0):
		return bad("a command source needs command, and takes env, dir, min_rows, counted and timeout")
	case s.Type != SourcePostgres && s.Type != SourceCommand:
		return bad("the type is postgres or command")
	}
	for _, text := range []string{s.StatementTimeout, s.Timeout} {
		if d, err := time.ParseDuration(text); text != "" && (err != nil || d <= 0) {
			return bad("a timeout is a duration such as 5m")
		}
	}
	return nil
}

// MayRun refuses to run the program of a source that stands in a sluice.yaml nobody
// named.
func (c *Config) MayRun(name string) error {
	if !c.implicit {
		return nil
	}
	return fault.New(fault.Usage, "./sluice.yaml has the program %s among its sources; it was only found here, not named", name).
		WithFix("name it: --config sluice.yaml")
}

// Environ is what a source's program sees: nothing of Meta's tokens or of Sluice's
// settings unless it is named.
func (c *Config) Environ(s *Source) []string {
	var out []string
	for _, key := range append([]string{"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"}, s.Env...) {
		if v, ok := c.env[key]; ok && !slices.Contains(out, key+"="+v) {
			out = append(out, key+"="+v)
		}
	}
	return out
}
