package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/cli"
)

func TestDemoTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	// Nobody's own settings have a part in it.
	env := []string{"META_ACCESS_TOKEN=must-not-be-used", "SLUICE_DATABASE_URL=postgres://nobody@127.0.0.1:1/not-there", "SLUICE_STATE_DIR=" + t.TempDir()}
	code := cli.Main(t.Context(), cli.Process{Args: []string{"demo", "--exit", "--json", "--progress", "off"}, Env: env, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	var d struct {
		Planned          int  `json:"planned"`
		Rejected         int  `json:"rejected"`
		Delivered        int  `json:"delivered"`
		ReplayedRequests int  `json:"replayed_requests"`
		SecondFileNew    int  `json:"second_file_new"`
		Stored           int  `json:"stored"`
		StoredDuplicates int  `json:"stored_duplicates"`
		Resent           int  `json:"resent"`
		AuditIntact      bool `json:"audit_intact"`
		Agent            struct {
			Calls       int  `json:"calls"`
			Allowed     int  `json:"allowed"`
			Refused     int  `json:"refused"`
			Limited     int  `json:"limited"`
			Denied      int  `json:"denied"`
			Waited      int  `json:"waited"`
			Approved    int  `json:"approved"`
			AuditCalls  int  `json:"audit_calls"`
			AuditIntact bool `json:"audit_intact"`
		} `json:"agent"`
	}
	decode(t, out.String(), &d)
	if d.Planned == 0 || d.Planned != d.Delivered || d.Rejected == 0 || d.ReplayedRequests != 0 || d.SecondFileNew == 0 ||
		d.Stored != d.Delivered+d.SecondFileNew || d.StoredDuplicates != 0 || d.Resent != 1 || !d.AuditIntact {
		t.Errorf("%+v", d)
	}
	a := d.Agent
	if a.Limited == 0 || a.Denied == 0 || a.Approved != 1 || a.Waited != 1 || a.Allowed-a.Refused < 3 || a.Refused == 0 ||
		a.Calls != a.Allowed+a.Limited+a.Denied+a.Waited || a.AuditCalls != a.Calls || !a.AuditIntact {
		t.Errorf("the agent: %+v", a)
	}
}

// TestReadmeShowsTheDemo: what README.md says the demo prints is what it prints, but for
// ids and numbers, of which some go with the day.
func TestReadmeShowsTheDemo(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := cli.Main(t.Context(), cli.Process{Args: []string{"demo", "--exit", "--progress", "off"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "What `make demo` prints:\n\n```\n")
	shown, _, _ = strings.Cut(shown, "```\n")
	ids, numbers := regexp.MustCompile(`\b(req|apr)_[0-9a-z]+`), regexp.MustCompile(`[0-9][0-9 .]*`)
	counts := regexp.MustCompile(`(?m)^   (rejected|skipped|dropped) .*$`)
	plain := func(text string) string {
		return counts.ReplaceAllString(numbers.ReplaceAllString(ids.ReplaceAllString(text, "ID"), "#"), "   $1")
	}
	if diff := cmp.Diff(plain(out.String()), plain(shown)); diff != "" {
		t.Errorf("README.md shows something else (-printed +shown):\n%s", diff)
	}
}

func TestNormalizeAnswersEveryVector(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "capi", "testdata", "normalization-vectors.jsonl")
	input, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t)
	o := w.runWith(string(input), nil, "normalize")
	if o.code != 0 {
		t.Fatalf("exit %d %s", o.code, o.stderr)
	}
	type answer struct {
		Field      string  `json:"field"`
		Normalized *string `json:"normalized"`
		SHA256     *string `json:"sha256"`
		Error      string  `json:"error"`
	}
	answers := bufio.NewScanner(strings.NewReader(o.stdout))
	n := 0
	for line := range strings.Lines(string(input)) {
		var want, got answer
		if err := json.Unmarshal([]byte(line), &want); err != nil || !answers.Scan() {
			t.Fatalf("vector %d: %v", n+1, err)
		}
		decode(t, answers.Text(), &got)
		text := func(a answer) string {
			s := a.Field + "|" + a.Error
			for _, p := range []*string{a.Normalized, a.SHA256} {
				if s += "|"; p != nil {
					s += *p
				}
			}
			return s
		}
		if text(got) != text(want) {
			t.Errorf("vector %d: got %s, want %s", n+1, text(got), text(want))
		}
		n++
	}
	if n != 166 {
		t.Errorf("%d vectors", n)
	}
}
