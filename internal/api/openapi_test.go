package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/api/openapi.json anew")

const document = "../../docs/api/openapi.json"

// The committed document is what the server answers.
func TestOpenAPIDocumentIsCommitted(t *testing.T) {
	got := Document()
	if *update {
		if err := os.MkdirAll(filepath.Dir(document), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(document, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/api/openapi.json is not what the operations say; run go test ./internal/api -run OpenAPI -update")
	}
}

// Every reference leads somewhere, every path parameter is declared, and every
// operation has an id of its own.
func TestOpenAPIDocumentIsSound(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
		Components struct{ Schemas map[string]any }
	}
	text := Document()
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), `"$ref": "#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("the schema %s is referred to and not there", name)
		}
	}
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			if o.OperationID == "" || ids[o.OperationID] {
				t.Errorf("%s %s: the operation id %q is empty or taken", method, path, o.OperationID)
			}
			ids[o.OperationID] = true
		}
	}
	for _, o := range operations() {
		var declared []string
		for _, p := range params(o.in) {
			if p.in == "path" {
				declared = append(declared, "{"+p.name+"}")
			}
		}
		if n := strings.Count(o.path, "{"); n != len(declared) {
			t.Errorf("%s: %d parameters in the path, %d declared", o.id, n, len(declared))
		}
		for _, name := range declared {
			if !strings.Contains(o.path, name) {
				t.Errorf("%s: %s is not in %s", o.id, name, o.path)
			}
		}
		if o.need.role == "" || o.need.scope == "" {
			t.Errorf("%s: no need is declared", o.id)
		}
	}
}
