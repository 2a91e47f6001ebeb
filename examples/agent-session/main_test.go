package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

// TestSession plays the session with real processes. It judges its answers itself.
func TestSession(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), &out, options{program: mcptest.Program(t)}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, part := range []string{
		"budget_ceiling", "limit_exceeded", "window_closed", "approval_pending", "900×560 pixels", "8 delivered, 1 request",
		"The double holds 8 sales, 0 came twice. All 20 calls are in the log",
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q was not printed:\n%s", part, &out)
		}
	}
}

// TestLaxPolicyFails: what a policy is needed for is not refused without it.
func TestLaxPolicyFails(t *testing.T) {
	t.Parallel()
	lax := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(lax, []byte(`{"version":"1","default":"allow"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), &out, options{program: mcptest.Program(t), policy: lax})
	if err == nil || !strings.Contains(err.Error(), "meta_create_campaign answered budget_ceiling instead of denied") {
		t.Errorf("the session ended with %v\n%s", err, &out)
	}
}

// TestPolicyNamesTools: a rule for a tool that is not there decides nothing.
func TestPolicyNamesTools(t *testing.T) {
	t.Parallel()
	raw, err := files.ReadFile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Tools map[string]json.RawMessage `json:"tools"`
	}
	if err := json.Unmarshal(raw, &policy); err != nil || len(policy.Tools) == 0 {
		t.Fatalf("%d tools, %v", len(policy.Tools), err)
	}
	reference, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "tools.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range policy.Tools {
		if !strings.Contains(string(reference), "`"+name+"`") {
			t.Errorf("there is no tool %s", name)
		}
	}
}

func TestOrdersAreRecent(t *testing.T) {
	t.Parallel()
	orders, err := files.ReadFile("orders.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"2026-11-21T00:00:00Z", "2027-03-01T23:59:59Z"} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		moved, err := recent(orders, now)
		if err != nil {
			t.Fatal(err)
		}
		last := now.AddDate(0, 0, -1).Format(time.DateOnly) + "T17:13:00Z"
		first := now.AddDate(0, 0, -3).Format(time.DateOnly) + "T10:04:00Z"
		if !strings.Contains(string(moved), last) || !strings.Contains(string(moved), first) {
			t.Errorf("at %s the orders should be of %s to %s:\n%s", at, first, last, moved)
		}
	}
}
