package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"sluice/policy"
)

// beyondSchema are the documents that are refused for what a schema can't say.
var beyondSchema = map[string]string{
	"30 twice at the top":        "members that come twice",
	"30 twice in an operand":     "members that come twice",
	"tool twice":                 "members that come twice",
	"too large":                  "the size in bytes",
	"too deep":                   "how deeply values nest",
	"too many with shorthands":   "what shorthands become",
	"tool with a newline":        "control characters",
	"path of all arguments":      "where in a path [*] may stand",
	"path behind $length":        "where in a path $length may stand",
	"endless exponent":           "how large an exponent is",
	"look-ahead":                 "the syntax of RE2",
	"id twice":                   "names taken by others",
	"id like a label":            "names taken by others",
	"key of many":                "where in a path [*] may stand",
	"after itself":               "the name of the tool around it",
	"after with a sum":           "members that mean nothing together",
	"after with one key":         "members that need each other",
	"counter twice":              "counters that come twice",
	"counter twice by shorthand": "counters that come twice",
}

// An editor with the schema and the gateway agree about a document, except for what is
// named above.
func TestSchemaAgreesWithParse(t *testing.T) {
	t.Parallel()
	var s jsonschema.Schema
	if err := json.Unmarshal(policy.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, document string) {
		var v any
		if json.Unmarshal([]byte(document), &v) != nil {
			return
		}
		d, faults := policy.Parse([]byte(document))
		err := resolved.Validate(v)
		reason := beyondSchema[name]
		switch {
		case d != nil && err != nil:
			t.Errorf("%s: accepted by the gateway, refused by the schema: %v\n%s", name, err, document)
		case d == nil && err == nil && reason == "" && !strings.HasPrefix(faults[0].Code, "E_JSON"):
			t.Errorf("%s: refused by the gateway with %+v, accepted by the schema\n%.300s", name, faults, document)
		case d == nil && err != nil && reason != "":
			t.Errorf("%s: the schema knows about %s after all", name, reason)
		}
	}
	for _, c := range faultCases {
		check(c.name, c.document)
	}
	check("published", published)
	check("explained", explained)
	check("bench", benchDocument)
	for _, document := range fuzzedPolicies {
		check("operators", document)
	}
}
