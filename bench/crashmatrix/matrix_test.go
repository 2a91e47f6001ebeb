//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit"
)

// short is the matrix as `make test` runs it: every point once per store, the
// policies in turn.
func short(t *testing.T, stores ...string) *options {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return &options{stores: stores, policies: []string{"resend", "hold"}, lease: 2 * time.Second, dir: t.TempDir(), bin: bin, log: t.Output()}
}

// binary is built once for all tests, into a directory that TestMain removes.
var binary = sync.OnceValues(func() (string, error) {
	o := options{dir: scratch}
	return filepath.Join(scratch, "sluice"), o.build(context.Background())
})

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "sluice-crash-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

func TestVector09_killed_at_every_point(t *testing.T) {
	t.Parallel()
	for _, store := range []string{"sqlite", "postgres"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			if store == "postgres" {
				testkit.Postgres(t) // says what is missing where it is
			}
			rows, err := short(t, store).matrix(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kills := 0
			for _, r := range rows {
				kills += r.kills
			}
			if kills != len(points) {
				t.Errorf("%d kills at %d points", kills, len(points))
			}
			if err := verdict(rows); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestThreeWorkersOneKilledOnePaused(t *testing.T) {
	t.Parallel()
	testkit.Postgres(t)
	o := short(t, "postgres")
	o.workers = 20_000
	report, err := o.threeWorkers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(report)
}

// A sender that notes nothing down doubles what it had sent before it was killed.
// The matrix has to see that.
func TestTheMatrixSeesASenderWithoutALedger(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "curl", "awk")
	o := &options{repeat: 1, only: "C4 stored", dir: t.TempDir(), log: t.Output()}
	o.sender = `awk -v now="$(date +%s)" -F, 'NR>1{printf "%s{\"event_name\":\"Purchase\",\"event_id\":\"%s-%s\",\"event_time\":%d,\"action_source\":\"physical_store\",\"user_data\":{\"external_id\":\"%s\"},\"custom_data\":{\"value\":1,\"currency\":\"GBP\",\"order_id\":\"%s-%s\"}}", (NR>2?",":"{\"data\":["), $1, $2, now-3600, $7, $1, $2; if (NR==1000) exit} END{print "]}"}' {file} | curl -sf -H 'Authorization: Bearer sandbox-token' -H 'Content-Type: application/json' --data-binary @- {url}/v26.0/1000000000000001/events`
	rows, err := o.matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].doubled == 0 {
		t.Errorf("%+v", rows)
	}
}
