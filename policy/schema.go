package policy

import (
	_ "embed" // the schema is part of the package
	"slices"
)

//go:embed policy.schema.json
var schema []byte

// Schema is the JSON Schema of the format, draft 2020-12, for editors. It knows the shape
// of documents; what needs more than that, as counters that come twice, Parse alone knows.
func Schema() []byte { return slices.Clone(schema) }
