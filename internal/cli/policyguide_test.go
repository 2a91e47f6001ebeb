package cli_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheGuideShowsWhatCommandsPrint runs the commands of docs/policy.md on the files
// that stand in it.
func TestTheGuideShowsWhatCommandsPrint(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(text)
	s := open(t)
	s.file("policy.json", between(t, guide, "with three shorthands:\n\n```json\n", "```"))
	s.file("calls.jsonl", between(t, guide, "$ cat calls.jsonl\n", "$ "))
	s.file("intercept.yaml", between(t, guide, "```yaml\n", "```"))
	run := 0
	for _, line := range strings.Split(guide, "\n") {
		command, ok := strings.CutPrefix(line, "$ sluice policy ")
		if !ok || strings.HasPrefix(command, "scaffold") || strings.HasPrefix(command, "replay") { // those need a server
			continue
		}
		run++
		want := between(t, guide, line+"\n", "```")
		args := []string{"policy"}
		for _, arg := range strings.Fields(command) {
			if strings.HasSuffix(arg, ".json") || strings.HasSuffix(arg, ".jsonl") || strings.HasSuffix(arg, ".yaml") {
				arg = s.dir + "/" + arg
			}
			args = append(args, strings.Trim(arg, "'"))
		}
		if strings.HasPrefix(command, "import") {
			args[len(args)-1] = s.dir + "/imported.json"
		}
		o := s.run(args...)
		if got := strings.ReplaceAll(o.stdout, s.dir+"/", ""); got != want {
			t.Errorf("%s\nprints\n%s%s\nand the guide says\n%s", line, got, o.stderr, want)
		}
	}
	if run != 4 {
		t.Errorf("%d commands were run", run)
	}
}

// between is what stands between two texts.
func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, from)
	inside, _, end := strings.Cut(after, to)
	if !ok || !end {
		t.Fatalf("nothing stands between %q and %q", from, to)
	}
	return inside
}
