package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/internal/testkit"
	"sluice/internal/testkit/proc"
)

// judged is the policy of the guarded paths: three conditions on arguments that every
// call meets, and a limit that none reaches.
const judged = `{"version": "1", "default": "deny", "tools": {"say": {
  "require": [{"conditions": [
    {"path": "args.bytes", "op": "lte", "value": 1000000},
    {"path": "args.label", "op": "in", "value": ["orders", "refunds"]}]}],
  "deny_if": [{"conditions": [{"path": "args.label", "op": "regex", "value": "^test"}]}],
  "limits": [{"counter": "say_rate", "window": "day", "max": 1000000000, "scope": "grant"}]}}}
`

// guarded starts the relays that judge, count and record every call. stop ends them and
// removes what they kept.
func guarded(ctx context.Context, program, upstream string) (paths []*path, stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
	}
	start := func(name string, env ...string) error {
		dir, err := os.MkdirTemp("", "relay-bench")
		if err != nil {
			return err
		}
		ends = append(ends, func() { _ = os.RemoveAll(dir) })
		file := filepath.Join(dir, "policy.json")
		if err := os.WriteFile(file, []byte(judged), 0o600); err != nil {
			return err
		}
		p, err := proc.Start(ctx, env, program, "proxy", "-p", file, "--state-dir", filepath.Join(dir, "state"), "--upstream", upstream, "--listen", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ends = append([]func(){func() { _ = p.Stop() }}, ends...)
		paths = append(paths, &path{name: name, url: p.URL, process: p})
		return nil
	}
	if err := start("with policy, SQLite"); err != nil {
		return nil, stop, err
	}
	database, err := testkit.Database()
	if err != nil || database == "" {
		fmt.Fprintln(os.Stderr, "bench: there is no PostgreSQL here; its rows are left out:", errors.Join(err))
		return paths, stop, nil
	}
	return paths, stop, start("with policy, PostgreSQL", "SLUICE_DATABASE_URL="+database)
}
