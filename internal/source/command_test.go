package source_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/source"
)

// drain reads a source to its end and returns how it ended.
func drain(t *testing.T, r source.Reader, err error) (records int, ended error) {
	t.Helper()
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	for {
		var rec source.Record
		if err := r.Next(t.Context(), &rec); err != nil {
			if again := r.Next(t.Context(), &rec); !errors.Is(again, err) {
				t.Errorf("the end is %v, and then %v", err, again)
			}
			return records, err
		}
		if records++; rec.Position.File != "shop" || len(rec.Values) != 1 {
			t.Errorf("record %+v", rec)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	const two = `printf '{"id":"1"}\n{"id":"2"}\n'`
	tests := []struct {
		name, script     string
		counted          bool
		min              int64
		records          int
		code             fault.Code
		says, neverSaid  string
		timeout          time.Duration
		env              []string
		missing, nothing bool
	}{
		{name: "two records", script: two, records: 2},
		{name: "counted", script: two + `; printf '{"rows":2}\n\n'`, counted: true, records: 2},
		{name: "counted wrongly", script: two + `; printf '{"rows":3}\n'`, counted: true, records: 2, code: fault.SourceInvalid, says: "says 3 records and printed 2"},
		{name: "not counted", script: two, counted: true, records: 1, code: fault.SourceInvalid, says: "may be cut off"},
		{name: "fails at the end", script: two + `; echo secret-of-somebody >&2; exit 3`, records: 2, code: fault.SourceUnavailable, says: "exit code 3 after 2 records", neverSaid: "secret"},
		{name: "fails at once", script: `exit 7`, code: fault.SourceUnavailable, says: "exit code 7"},
		{name: "prints nothing", script: `true`, code: fault.SourceEmpty},
		{name: "too few", script: two, min: 3, records: 2, code: fault.SourceInvalid, says: "fewer than the 3"},
		{name: "hangs", script: two + `; exec sleep 60`, timeout: 300 * time.Millisecond, records: 2, code: fault.SourceUnavailable, says: "did not end within"},
		{name: "environment", script: `printf '{"id":"%s"}\n' "$META_ACCESS_TOKEN$ONLY"`, env: []string{"ONLY=x"}, records: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := source.OpenCommand(t.Context(), source.Command{
				Name: "shop", Argv: []string{"/bin/sh", "-c", tt.script}, Counted: tt.counted, MinRows: tt.min, Timeout: tt.timeout, Env: append(tt.env, "PATH=/bin:/usr/bin"),
			}, source.Options{Columns: []string{"id"}})
			n, err := drain(t, r, err)
			if n != tt.records {
				t.Errorf("%d records, want %d", n, tt.records)
			}
			if tt.code == "" {
				if !errors.Is(err, io.EOF) {
					t.Errorf("ended with %v", err)
				}
				return
			}
			f, ok := fault.As(err)
			if !ok || f.Code != tt.code || !strings.Contains(f.Message, tt.says) || tt.neverSaid != "" && strings.Contains(f.Message, tt.neverSaid) {
				t.Errorf("%v, want %s that says %q", err, tt.code, tt.says)
			}
		})
	}
}

func TestCommandThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := source.OpenCommand(t.Context(), source.Command{Name: "shop", Argv: []string{"/nonexistent/program"}}, source.Options{})
	if f, ok := fault.As(err); !ok || f.Code != fault.SourceUnavailable {
		t.Errorf("%v", err)
	}
}

func TestCommandIsEndedByClose(t *testing.T) {
	t.Parallel()
	r, err := source.OpenCommand(t.Context(), source.Command{Name: "shop", Argv: []string{"/bin/sh", "-c", `while :; do echo '{"id":"1"}'; done`}}, source.Options{Columns: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	var rec source.Record
	if err := r.Next(t.Context(), &rec); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
