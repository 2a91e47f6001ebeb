package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/auth"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/store/sqlite"
)

// gate is a count over a store of its own, and a clock that tests move.
type gate struct {
	*auth.Refusals
	t     *testing.T
	store ledger.Store
	log   bytes.Buffer
	mu    sync.Mutex
	at    time.Time
}

func (g *gate) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at
}

func (g *gate) move(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = g.at.Add(d)
}

func newGate(t *testing.T) *gate {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := secret.OpenKeyring(filepath.Join(dir, "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, store: store, at: time.Date(2026, 11, 21, 10, 0, 15, 0, time.UTC)}
	g.Refusals = auth.NewRefusals(auth.RefusalOptions{
		Store: store, Keys: keys, Op: "gateway.refused", Most: 3, Now: g.now, Log: slog.New(slog.NewTextHandler(&g.log, nil)),
	})
	return g
}

// records returns what the audit log holds.
func (g *gate) records() []string {
	g.t.Helper()
	var list []string
	err := g.store.View(g.t.Context(), func(tx ledger.Tx) error {
		return tx.Audit().Each(g.t.Context(), 1, func(l audit.Link) error {
			list = append(list, string(l.Body))
			return nil
		})
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

func TestRefusedTokensAreCountedPerSourceAndMinute(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for range 3 {
		if wait := g.Blocked("192.0.2.7"); wait != 0 {
			t.Errorf("it waits %s before the third refusal", wait)
		}
		g.Refused(t.Context(), "192.0.2.7")
	}
	if wait := g.Blocked("192.0.2.7"); wait != 45*time.Second {
		t.Errorf("it waits %s, want what is left of the minute", wait)
	}
	if wait := g.Blocked("192.0.2.8"); wait != 0 {
		t.Errorf("a neighbour waits %s", wait)
	}
	g.move(45 * time.Second)
	if wait := g.Blocked("192.0.2.7"); wait != 0 {
		t.Errorf("it waits %s in a new minute", wait)
	}
}

func TestAddressesOfOneNetworkAreOneSource(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for i := range 3 {
		g.Refused(t.Context(), fmt.Sprintf("2001:db8:1:2::%d", i))
	}
	g.Refused(t.Context(), "::ffff:192.0.2.9")
	g.Refused(t.Context(), "192.0.2.9")
	g.Refused(t.Context(), "192.0.2.9")
	for source, waits := range map[string]bool{"2001:db8:1:2:ffff::1": true, "2001:db8:1:3::1": false, "192.0.2.9": true, "not an address": false} {
		if got := g.Blocked(source) > 0; got != waits {
			t.Errorf("%s waits: %v", source, got)
		}
	}
}

func TestARefusalIsRecordedOncePerSourceAndMinuteWithoutTheAddress(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for range 5 {
		g.Refused(t.Context(), "192.0.2.7")
	}
	g.Refused(t.Context(), "192.0.2.8")
	g.move(time.Minute)
	g.Refused(t.Context(), "192.0.2.7")
	list := g.records()
	if len(list) != 3 {
		t.Fatalf("%d records: %q", len(list), list)
	}
	for _, text := range append(list, g.log.String()) {
		if strings.Contains(text, "192.0.2") || !strings.Contains(text, "gateway.refused") {
			t.Errorf("it says %s", text)
		}
	}
	object := func(s string) string { _, rest, _ := strings.Cut(s, `"object":"`); return rest[:16] }
	if object(list[0]) == object(list[1]) || object(list[0]) != object(list[2]) {
		t.Errorf("sources can't be told apart, or not recognised: %q", list)
	}
}

func TestWhoHangsUpIsRecordedAllTheSame(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	g.Refused(gone, "192.0.2.7")
	if list := g.records(); len(list) != 1 {
		t.Errorf("%d records: %q", len(list), list)
	}
}

func TestManySourcesNeitherFillMemoryNorTheLog(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for i := range 5000 {
		g.Refused(t.Context(), fmt.Sprintf("10.%d.%d.1", i/250, i%250))
	}
	if n := len(g.records()); n != 60 {
		t.Errorf("%d records in one minute", n)
	}
	if g.Blocked("198.51.100.1") == 0 {
		t.Error("a source that found no room goes on for ever")
	}
}
