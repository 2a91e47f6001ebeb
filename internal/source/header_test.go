package source_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/source"
)

// everything is all that an error may put before a person or into a log.
func everything(t *testing.T, err error) string {
	t.Helper()
	e, ok := fault.As(err)
	if !ok {
		t.Fatalf("%v is not a fault", err)
	}
	details, jsonErr := json.Marshal(e.Details)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return fmt.Sprintf("%v %s %s", err, e.Fix, details)
}

// TestNoValueOfAFirstLineInErrors reads files whose first line is a customer.
func TestNoValueOfAFirstLineInErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, content string
		format              source.Format
		code                fault.Code
		says                string
	}{
		{"headerless", "in.csv", "Jane,Smith,jane@example.com,+44 7700 900123\nJoe,Bloggs,joe@example.com,\n", source.Auto, fault.SourceInvalid, "does not look like a header (4 columns)"},
		{"headerless without an address", "in.csv", "Jane,Smith,2026-01-05,12.50\nJoe,Bloggs,2026-01-06,1\n", source.Auto, fault.SourceInvalid, "does not look like a header (4 columns)"},
		{"long text", "in.csv", "Jane,Smith,Flat 3 above the bakery beside the old town hall\nJoe,Bloggs,x\n", source.Auto, fault.MappingInvalid, "does not look like a header (3 columns)"},
		{"JSON lines read as CSV", "in.csv", `{"emaill":"jane@example.com"}` + "\n", source.CSV, fault.SourceInvalid, "does not look like a header"},
		{"a JSON array read as CSV", "in.csv", `[{"emaill":"jane@example.com"},` + "\n" + `{"name":"Jane Smith"}]` + "\n", source.CSV, fault.SourceInvalid, "is a JSON array; write one object per line (for example `jq -c .[]`)"},
		{"a JSON array over lines", "in.csv", "\n [\n{\"emaill\":\"jane@example.com\"},\n{\"name\":\"Jane Smith\"}]\n", source.Auto, fault.SourceInvalid, "is a JSON array"},
		{"an indented JSON array", "in.txt", "[\n  {\n    \"name\": \"Jane Smith\"\n  }\n]\n", source.Auto, fault.SourceInvalid, "is a JSON array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, tt.file)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"email", "Jan"}, Format: tt.format})
			if fault.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %s with %q", err, tt.code, tt.says)
			}
			// The directory's random name may hold any digits.
			said := strings.ReplaceAll(everything(t, err), dir, "")
			for _, v := range []string{"Jane", "Smith", "jane@", "7700", "2026", "12.50", "emaill", "bakery"} {
				if strings.Contains(said, v) {
					t.Errorf("the error holds %q: %s", v, said)
				}
			}
		})
	}
}

// TestHeadersAreShown keeps the help of a real header.
func TestHeadersAreShown(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte("[id],E-Mail\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"phone"}})
	if fault.CodeOf(err) != fault.SourceInvalid {
		t.Errorf("bracketed names: %v, want them held back", err)
	}
	if err := os.WriteFile(path, []byte("id,E-Mail\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = source.Open(t.Context(), []string{path}, source.Options{Columns: []string{"email"}})
	if said := everything(t, err); fault.CodeOf(err) != fault.MappingInvalid || !strings.Contains(said, `did you mean "E-Mail"`) {
		t.Errorf("error %s, want the column that was meant", said)
	}
}

func TestInspectRefusesWhatHasNoHeader(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"an address":   "Jane,jane@example.com\nJoe,joe@example.com\n",
		"a number":     "Jane,1001\nJoe,1002\n",
		"common words": "Jane,Leeds,GB\nJoe,Leeds,GB\nJane,York,GB\n",
		"a JSON array": `[{"email":"jane@example.com"}]`,
	} {
		path := filepath.Join(t.TempDir(), "in.csv")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := source.Inspect(t.Context(), []string{path}, source.Options{})
		if fault.CodeOf(err) != fault.SourceInvalid {
			t.Errorf("%s: error %v, want source_invalid", name, err)
			continue
		}
		if said := everything(t, err); strings.Contains(said, "Jane") || strings.Contains(said, "jane") {
			t.Errorf("%s: the error holds a value: %s", name, said)
		}
	}
	// Exports put together repeat the header as a whole.
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte("name,town\nJoe,Leeds\nname,town\nJim,York\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Inspect(t.Context(), []string{path}, source.Options{}); err != nil {
		t.Errorf("a repeated header: %v", err)
	}
}

func TestJSONWithoutAnyMappedPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	for path, content := range map[string]string{a: `{"id":1}` + "\n", b: `{"order":{"id":2}}` + "\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := readAll(t, []string{a, b}, source.Options{Columns: []string{"id", "email"}})
	if fault.CodeOf(err) != fault.MappingInvalid || !strings.Contains(err.Error(), "b.jsonl: no record has any of the mapped paths") {
		t.Errorf("error %v, want mapping_invalid that names b.jsonl", err)
	}
	// One path is enough, and records that can't be read prove nothing.
	if err := os.WriteFile(b, []byte("[]x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readAll(t, []string{a, b}, source.Options{Columns: []string{"id", "email"}}); err != nil {
		t.Errorf("a file without readable records: %v", err)
	}
}
