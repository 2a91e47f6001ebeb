package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// npmPackage is the server with the 200 tools of the reference.
const npmPackage = "@oliverames/meta-mcp-server"

const npmVersion = "2.0.2"

// npmServer installs it where it is not there. A folder named - is none.
func npmServer(ctx context.Context, dir, graph string) (*server, error) {
	if dir == "-" {
		return nil, nil //nolint:nilnil // left out
	}
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(cache, "sluice-bench", "npm")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	dist := filepath.Join(dir, "node_modules", filepath.FromSlash(npmPackage), "dist")
	if _, err := os.Stat(dist); err != nil {
		install := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", npmPackage+"@"+npmVersion)
		install.Stdout, install.Stderr = os.Stderr, os.Stderr
		if err := install.Run(); err != nil {
			return nil, fmt.Errorf("npm install: %w", err)
		}
	}
	if err := redirect(filepath.Join(dist, "constants.js")); err != nil {
		return nil, err
	}
	return &server{name: npmPackage + " " + npmVersion, command: func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", filepath.Join(dist, "index.js"))
		cmd.Env = environment(dir, "BENCH_GRAPH="+graph+"/v26.0", "META_ACCESS_TOKEN=sandbox-token", "THREADS_ACCESS_TOKEN=sandbox-threads-token")
		return cmd
	}}, nil
}

// redirect makes the installed copy read the Graph API's address from the environment.
func redirect(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const there, here = "export const GRAPH_API_BASE = `https://graph.facebook.com/${GRAPH_API_VERSION}`;", "export const GRAPH_API_BASE = process.env.BENCH_GRAPH;"
	if bytes.Contains(text, []byte(here)) {
		return nil
	}
	if !bytes.Contains(text, []byte(there)) {
		return fmt.Errorf("%s does not hold the address that is to be replaced", filepath.Base(file))
	}
	return os.WriteFile(file, bytes.Replace(text, []byte(there), []byte(here), 1), 0o644)
}
