package stdiodial

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	ours := []string{"PATH=/bin", "HOME=/h", "LC_ALL=C", "LANG=C", "TZ=UTC", "SSL_CERT_FILE=/c", "SLUICE_TOKEN=1", "META_ACCESS_TOKEN=2",
		"THREADS_ACCESS_TOKEN=3", "AWS_SECRET_ACCESS_KEY=4", "LD_PRELOAD=5", "HTTP_PROXY=6", "path=7", "LCX=8", "broken"}
	tests := []struct {
		name, goos       string
		ours, configured []string
		want             []string
	}{
		{"only what passes", "linux", ours, nil, []string{"PATH=/bin", "HOME=/h", "LC_ALL=C", "LANG=C", "TZ=UTC", "SSL_CERT_FILE=/c"}},
		{"configured is added and wins", "linux", []string{"PATH=/bin", "HOME=/h"}, []string{"API_KEY=k", "HOME=/other", "API_KEY=later"},
			[]string{"PATH=/bin", "HOME=/other", "API_KEY=later"}},
		{"windows ignores case", "windows", []string{"Path=c", "SystemRoot=w", "SLUICE_X=1"}, []string{"PATH=d"}, []string{"SystemRoot=w", "PATH=d"}},
		{"nothing", "linux", nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, environment(tt.ours, tt.configured, tt.goos)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestChildSeesTheCleanEnvironment(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) {
		o.Environ = []string{"PATH=" + os.Getenv("PATH"), "SLUICE_SECRET=canary", "META_ACCESS_TOKEN=canary", "HOME=" + t.TempDir()}
		o.Env = append(o.Env, "API_KEY=given")
	})
	env := strings.Split(b.ask(t, "a", "env", ""), "\n")
	if !slices.Contains(env, "API_KEY=given") {
		t.Errorf("what was configured is missing: %q", env)
	}
	for _, kv := range env {
		if strings.Contains(kv, "canary") || strings.Contains(kv, stageName) {
			t.Errorf("the child sees %s", kv)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "bin", "prog")
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, command, dir, path string
		found                    bool
	}{
		{"on the PATH it is given", "prog", "", filepath.Join(dir, "bin"), true},
		{"not on another PATH", "prog", "", dir, false},
		{"not by a relative entry", "prog", filepath.Join(dir, "bin"), ".", false},
		{"from its directory", "./bin/prog", dir, "", true},
		{"absolute", program, "", "", true},
		{"a directory is no program", "./bin", dir, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := find(tt.command, tt.dir, []string{"PATH=" + tt.path})
			if (err == nil) != tt.found || (tt.found && got != program) {
				t.Errorf("found %q, %v", got, err)
			}
		})
	}
}
