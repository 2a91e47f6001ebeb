package policytool_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/policytool"
	"sluice/policy"
)

var update = flag.Bool("update", false, "write examples/policies/*.answers.jsonl anew")

const examples = "../../examples/policies"

// TestExamplesDoWhatTheyAreFor judges the calls beside each example.
func TestExamplesDoWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(examples, "*.json"))
	if err != nil || len(files) < 9 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text := read(t, file)
			doc, faults := policy.Parse(text)
			for _, f := range faults {
				if f.Code != "W_REGEX_UNANCHORED" { // links are to be found anywhere
					t.Errorf("%s %s: %s", f.Code, f.Pointer, f.Message)
				}
			}
			if doc == nil {
				return
			}
			if !bytes.Equal(policytool.Pretty(doc.Canonical()), text) {
				t.Error("it is not in canonical form: sluice policy validate --write")
			}
			stem := strings.TrimSuffix(file, ".json")
			got, seen := judgeAll(t, doc, read(t, stem+".calls.jsonl"))
			if *update {
				if err := os.WriteFile(stem+".answers.jsonl", got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, stem+".answers.jsonl"); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if !seen[policytool.Allowed] || !seen[policytool.Denied] {
				t.Error("an example shows what passes and what does not")
			}
		})
	}
}

func judgeAll(t *testing.T, doc *policy.Document, calls []byte) (answers []byte, seen map[string]bool) {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	seen = map[string]bool{}
	j := policytool.NewJudge(doc.Compile())
	for line := range bytes.Lines(calls) {
		c, err := policytool.ReadCase(line)
		if err != nil {
			var bad *policytool.BadLine
			t.Fatalf("%s: %v %v", line, err, errors.As(err, &bad))
		}
		a := c.Answer(j, noon)
		seen[a.Decision] = true
		if err := enc.Encode(a); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes(), seen
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPoliciesInTheGuideCheck holds docs/policy.md to the format: each JSON block that
// is a policy has no errors, and one that stands under the name of a file is that file.
func TestPoliciesInTheGuideCheck(t *testing.T) {
	t.Parallel()
	guide := string(read(t, "../../docs/policy.md"))
	blocks := 0
	for rest := guide; ; {
		before, after, found := strings.Cut(rest, "```json\n")
		if !found {
			break
		}
		block, behind, _ := strings.Cut(after, "```")
		rest = behind
		if !strings.Contains(block, `"version"`) {
			continue
		}
		blocks++
		doc, faults := policy.Parse([]byte(block))
		if doc == nil {
			t.Errorf("%v in\n%s", faults, block)
		}
		lines := strings.Split(strings.TrimSpace(before), "\n")
		if name, ok := strings.CutPrefix(lines[len(lines)-1], "`examples/policies/"); ok {
			name, _, _ = strings.Cut(name, "`")
			if want := string(read(t, filepath.Join(examples, name))); block != want {
				t.Errorf("%s differs from the guide", name)
			}
		}
	}
	if blocks < 6 {
		t.Errorf("%d policies in the guide", blocks)
	}
	files, _ := filepath.Glob(filepath.Join(examples, "*.json"))
	for _, f := range files {
		if !strings.Contains(guide, filepath.Base(f)) {
			t.Errorf("the guide does not mention %s", f)
		}
	}
}
