package repotest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"sluice/internal/testkit"
)

// allowedLicences are those a linked module may have: they ask for a notice and
// for nothing about our own source.
var allowedLicences = map[string]bool{
	"Apache-2.0": true, "MIT": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true,
}

// A new dependency is a line in this list, so that it is a decision in review.
// docs/dependencies.md has to say why it is there.
func TestLinkedModules(t *testing.T) {
	t.Parallel()
	type module struct{ path, version, dir string }
	seen := map[string]module{}
	for _, p := range must(t, linked) {
		if m := p.Module; m != nil && !m.Main {
			seen[m.Path] = module{m.Path, m.Version, m.Dir}
		}
	}
	doc, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}

	lines := make([]string, 0, len(seen))
	for _, m := range seen {
		licence, err := licenceOf(m.dir)
		switch {
		case err != nil:
			t.Errorf("%s: %v", m.path, err)
		case !allowedLicences[licence]:
			t.Errorf("%s: licence %s is not one of those that may be linked", m.path, licence)
		}
		if !strings.Contains(string(doc), "`"+m.path+"`") {
			t.Errorf("%s is linked, but docs/dependencies.md does not say why", m.path)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s\n", m.path, m.version, licence))
	}
	sort.Strings(lines)
	compareFile(t, "internal/repotest/testdata/modules.txt",
		"# Modules linked into cmd/sluice, with version and licence. Written by `make update`.\n"+strings.Join(lines, ""))
}

// licenceOf names the licence in the root of a module.
func licenceOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !(strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "LICENCE") || strings.HasPrefix(upper, "COPYING")) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		if id := recogniseLicence(string(text)); id != "" {
			return id, nil
		}
	}
	return "", fmt.Errorf("no licence file with a known text")
}

// recogniseLicence returns the SPDX identifier of a licence text, "" when it
// knows none. Each is told by phrases that its text must hold and no other has.
func recogniseLicence(text string) string {
	flat := strings.ToLower(strings.Join(strings.Fields(text), " "))
	has := func(phrases ...string) bool {
		for _, p := range phrases {
			if !strings.Contains(flat, p) {
				return false
			}
		}
		return true
	}
	switch {
	case has("gnu general public license"), has("gnu lesser general public"), has("gnu affero"):
		return "GPL-family"
	case has("mozilla public license"):
		return "MPL-2.0"
	case has("apache license", "version 2.0", "grant of patent license"):
		return "Apache-2.0"
	case has("redistribution and use in source and binary forms", "neither the name"):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("permission is hereby granted, free of charge", "the above copyright notice and this permission notice shall be included"):
		return "MIT"
	case has("permission to use, copy, modify, and/or distribute this software for any purpose"),
		has("permission to use, copy, modify, and distribute this software for any purpose"):
		return "ISC"
	}
	return ""
}

func TestRecogniseLicence(t *testing.T) {
	t.Parallel()
	own, err := os.ReadFile(filepath.Join(testkit.Root(t), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text, want string }{
		{"our own", string(own), "Apache-2.0"},
		{"copyleft", "GNU GENERAL PUBLIC\n LICENSE Version 3", "GPL-family"},
		{"weak copyleft", "Mozilla Public License Version 2.0", "MPL-2.0"},
		{"broken over lines", "Permission to use, copy, modify, and distribute\nthis software for any purpose", "ISC"},
		{"unknown", "All rights reserved.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := recogniseLicence(tt.text); got != tt.want {
				t.Errorf("recogniseLicence(%.40q…) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// modernc.org/libc does not follow semantic versioning: the SQLite driver is
// translated against exactly one version of it, and another one has crashed
// programs at run time (pocketbase issue 6136). Minimal version selection would
// raise it silently when any other module asks for a newer one.
func TestLibcIsTheDriversOwn(t *testing.T) {
	t.Parallel()
	const driver, libc = "modernc.org/sqlite", "modernc.org/libc"
	var driverMod, linkedLibc string
	for _, p := range must(t, linked) {
		if p.Module == nil {
			continue
		}
		switch p.Module.Path {
		case driver:
			driverMod = p.Module.GoMod
		case libc:
			linkedLibc = p.Module.Version
		}
	}
	if driverMod == "" || linkedLibc == "" {
		t.Fatalf("%s or %s is not linked", driver, libc)
	}
	out, err := exec.Command("go", "mod", "edit", "-print", driverMod).Output()
	if err != nil {
		t.Fatalf("read the driver's go.mod: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 && f[0] == libc {
			if f[1] != linkedLibc {
				t.Errorf("%s %s is linked, but %s was built for %s: pin it with `go get %s@%s`", libc, linkedLibc, driver, f[1], libc, f[1])
			}
			return
		}
	}
	t.Errorf("%s does not require %s any more: this test has lost its subject", driver, libc)
}
