package cli_test

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"

	"sluice/internal/sandbox"
)

// TestJSON: whatever happens, a script that asked for JSON can read stdout.
func TestJSON(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", "1,2026-11-20T10:00:00Z,5.00,GBP,a@example.com\n2,never,5.00,GBP,b@example.com\n")
	m, in := s.file("mapping.yaml", mappingText), s.file("b.csv", header+"9,2026-11-20T10:00:00Z,5.00,GBP,i@example.com\n")
	bad := s.file("bad.yaml", "version: 1\nid: []\n")
	payload := s.file("payload.json", `{"data":[{"event_name":"Purchase"}]}`)
	tests := []struct {
		args string
		code int
	}{
		{"", 0},
		{"version", 0},
		{"runs", 0},
		{"runs --limit 0", 2},
		{"runs --limit many", 2},
		{"dry-run " + plan, 0},
		{"dry-run", 2},
		{"dry-run pl_none", 2},
		{"confirm", 2},
		{"confirm pl_none", 2},
		{"rejects", 0},
		{"rejects " + plan, 0},
		{"rejects " + plan + " --code missing_value", 0},
		{"rejects pl_none", 2},
		{"events " + plan, 0},
		{"events", 2},
		{"events pl_none", 2},
		{"audit", 2},
		{"audit verify", 0},
		{"audit tail", 0},
		{"audit tail --from 0", 2},
		{"mapping", 2},
		{"mapping check", 2},
		{"mapping check " + m, 0},
		{"mapping check " + bad, 2},
		{"mapping check " + bad + " " + m, 2},
		{"mapping init " + in, 0},
		{"mapping init", 2},
		{"mapping explain " + in + " -m " + m + " --row 1", 0},
		{"mapping explain " + in + " -m " + m + " --row 99", 2},
		{"normalize --field em a@example.com", 0},
		{"normalize --field em nobody", 0},
		{"normalize --field nothing x", 2},
		{"payload --em a@example.com --source physical_store --value 1.50 --currency EUR --order-id 7", 0},
		{"payload --value 1,50", 2},
		{"payload --check " + payload, 2},
		{"payload --check " + in, 2},
		{"send " + in + " -m " + m + " --dataset " + sandbox.Dataset, 4},
		{"preview", 2},
		{"preview " + in, 2},
		{"preview " + in + " -m " + m + " --dataset " + sandbox.Dataset, 0},
		{"preview --datset 1", 2},
		{"previw", 2},
		{"sandbox --keep some", 2},
		{"sandbox --addr 192.0.2.1:80", 2},
	}
	for _, tt := range tests {
		args := append(strings.Fields(tt.args), "--json")
		o := s.run(args...)
		if o.code != tt.code {
			t.Errorf("sluice %s: exit %d, want %d\n%s%s", tt.args, o.code, tt.code, o.stdout, o.stderr)
		}
		lines := bufio.NewScanner(strings.NewReader(o.stdout))
		n := 0
		for lines.Scan() {
			if n++; !json.Valid(lines.Bytes()) {
				t.Errorf("sluice %s: line %d is not JSON: %s", tt.args, n, lines.Text())
			}
		}
		if n == 0 && !strings.Contains(tt.args, "--code") {
			t.Errorf("sluice %s printed nothing", tt.args)
		}
	}
}
