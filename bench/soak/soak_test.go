package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the servers of a soak be this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-serve" {
		exit(role(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// A short soak: nothing is lost while the upstreams die and come back. The long one is
// `make soak`.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds")
	}
	var out strings.Builder
	err := run(t.Context(), &out, options{idle: 100, busy: 20, length: 8 * time.Second, kills: 1, down: time.Second, steps: 10, stepMS: 20})
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}
