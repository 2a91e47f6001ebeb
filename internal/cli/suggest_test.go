package cli_test

import (
	"strings"
	"testing"

	"sluice/internal/cli"
	"sluice/internal/fault"
)

func TestExplainUsage(t *testing.T) {
	t.Parallel()
	tests := []struct{ args, message, fix string }{
		{"previw", "no command previw", "`sluice preview`"},
		{"mapping chek", "sluice mapping has no command chek", "`sluice mapping check`"},
		{"frobnicate", "no command frobnicate", "`sluice --help`"},
		{"suggest_test.go", "no command suggest_test.go", "`sluice preview suggest_test.go"},
		{"version now", "sluice version takes no arguments", "`sluice version --help`"},
		{"runs now", "sluice runs has no command now", "sluice runs"},
		{"preview x --datset 1", "no flag --datset", "--dataset"},
		{"runs --state-dri x", "no flag --state-dri", "--state-dir"},
		{"preview x --zzzzzz=secret", "no flag --zzzzzz", "`sluice preview --help`"},
		{"preview -q", "no flag -q", "`sluice preview --help`"},
		{"preview x -m", "-m needs a value", "`sluice preview --help`"},
		{"preview x --dataset", "--dataset needs a value", "`sluice preview --help`"},
		{"runs --limit secret", "--limit needs a whole number", "`sluice runs --help`"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			f := cli.Explained(t.Context(), strings.Fields(tt.args)...)
			if f == nil {
				t.Fatal("not explained")
			}
			if f.Code != fault.Usage {
				t.Errorf("code %s", f.Code)
			}
			has(t, f.Message, tt.message)
			has(t, f.Fix, tt.fix)
			lacks(t, f.Message+f.Fix, "secret")
		})
	}
	t.Run("other faults stay as they are", func(t *testing.T) {
		t.Parallel()
		if f := cli.Explained(t.Context(), "preview", "none.csv", "-m", "none.yaml", "--state-dir", t.TempDir()); f != nil {
			t.Errorf("explained as %v", f)
		}
	})
}

func TestMissingArguments(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tt := range []struct{ args, want string }{
		{"events", "events needs a plan id"},
		{"events a b", "events takes one plan id, not 2"},
		{"rejects a b", "rejects takes one plan id, not 2"},
		{"mapping init", "mapping init needs an input"},
		{"mapping explain", "mapping explain needs an input"},
		{"mapping check", "mapping check needs a mapping"},
	} {
		o := s.run(strings.Fields(tt.args)...)
		if o.code != 2 {
			t.Errorf("sluice %s: exit %d", tt.args, o.code)
		}
		has(t, o.stderr, tt.want, "fix: ")
	}
}
