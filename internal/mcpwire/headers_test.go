package mcpwire

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHeaderValues(t *testing.T) {
	t.Parallel()
	for value, field := range map[string]string{
		"us-west1":                    "us-west1",
		"a b":                         "a b",
		"Hello, 世界":                   "=?base64?SGVsbG8sIOS4lueVjA==?=",
		" padded ":                    "=?base64?IHBhZGRlZCA=?=",
		"line1\nline2":                "=?base64?bGluZTEKbGluZTI=?=",
		"=?base64?literal?=":          "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
		"a\tb":                        "=?base64?YQli?=",
		"":                            "=?base64??=",
		"=?base64?unfinished":         "=?base64?unfinished",
		"=?BASE64?SGVsbG8=?=":         "=?BASE64?SGVsbG8=?=",
		"=?base64?=":                  "=?base64?=", // too short to be the wrapper
		"file:///projects/config.yml": "file:///projects/config.yml",
	} {
		if got := EncodeHeader(value); got != field {
			t.Errorf("EncodeHeader(%q) = %q, want %q", value, got, field)
		}
		if got, ok := DecodeHeader(field); !ok || got != value {
			t.Errorf("DecodeHeader(%q) = %q, %v, want %q", field, got, ok, value)
		}
	}
	for _, field := range []string{"=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?SGVsbG9=?=", "=?base64?/w==?=", "caf\u00e9", "a\x00b", "a\x7f", "=?base64?SGVs bG8=?="} {
		if got, ok := DecodeHeader(field); ok {
			t.Errorf("DecodeHeader(%q) = %q, want it refused", field, got)
		}
	}
	if got, ok := DecodeHeader("=?base64?dXM=?="); !ok || got != "us" {
		t.Errorf("a wrapper around what needs none: %q, %v", got, ok)
	}
}

func TestMirrored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ method, params, want string }{
		{MethodToolsCall, `{"name":"s\u00e9","uri":"u","taskId":"t"}`, "sé"},
		{MethodPromptsGet, `{"name":"p"}`, "p"},
		{MethodResourcesRead, `{"name":"n","uri":"file:///a"}`, "file:///a"},
		{MethodTaskGet, `{"name":"n","taskId":"t1"}`, "t1"},
		{MethodTaskCancel, `{"taskId":"t1","name":"n"}`, "t1"},
		{MethodToolsList, `{"name":"n"}`, ""},
		{MethodToolsCall, `{"name":7}`, ""},
	} {
		m, err := Parse(BuildRequest("1", tt.method, []byte(tt.params)), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := m.Mirrored(); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %s mirrors %q, %v", tt.method, tt.params, got, ok)
		}
	}
}

func TestParamHeaders(t *testing.T) {
	t.Parallel()
	object := func(properties string) string { return `{"type":"object","properties":{` + properties + `}}` }
	tests := []struct {
		name, schema string
		want         []ParamHeader
		err          string
	}{
		{name: "none", schema: object(`"a":{"type":"string"}`)},
		{name: "kinds and depth", schema: object(`"a":{"type":"string","x-mcp-header":"Region"},"b":{ "properties": {"c":{"x-mcp-header":"C-1","type":["null","integer"]}}},"d":{"type":"boolean","x-mcp-header":"D"}`),
			want: []ParamHeader{{"Region", []string{"a"}, "string"}, {"C-1", []string{"b", "c"}, "integer"}, {"D", []string{"d"}, "boolean"}}},
		{name: "keyword with escapes", schema: object(`"a":{"type":"string","x-mcp\u002dheader":"R"}`), want: []ParamHeader{{"R", []string{"a"}, "string"}}},
		{name: "a property of that name", schema: object(`"x-mcp-header":{"type":"string"}`)},
		{name: "in data", schema: object(`"a":{"type":"object","default":{"x-mcp-header":""},"enum":[{"x-mcp-header":1}]}`)},
		{name: "empty", schema: object(`"a":{"type":"string","x-mcp-header":""}`), err: "not the name"},
		{name: "not a string", schema: object(`"a":{"type":"string","x-mcp-header":1}`), err: "not the name"},
		{name: "blank", schema: object(`"a":{"type":"string","x-mcp-header":"a b"}`), err: "not the name"},
		{name: "colon", schema: object(`"a":{"type":"string","x-mcp-header":"a:"}`), err: "not the name"},
		{name: "not ASCII", schema: object(`"a":{"type":"string","x-mcp-header":"é"}`), err: "not the name"},
		{name: "control character", schema: object(`"a":{"type":"string","x-mcp-header":"a\n"}`), err: "not the name"},
		{name: "number", schema: object(`"a":{"type":"number","x-mcp-header":"A"}`), err: "the type"},
		{name: "object", schema: object(`"a":{"type":"object","x-mcp-header":"A"}`), err: "the type"},
		{name: "two types", schema: object(`"a":{"type":["string","integer"],"x-mcp-header":"A"}`), err: "the type"},
		{name: "no type", schema: object(`"a":{"x-mcp-header":"A"}`), err: "the type"},
		{name: "same header", schema: object(`"a":{"type":"string","x-mcp-header":"A"},"b":{"properties":{"c":{"type":"string","x-mcp-header":"a"}}}`), err: "same header"},
		{name: "twice in one place", schema: object(`"a":{"type":"string","x-mcp-header":"A","x-mcp-header":"B"}`), err: "twice"},
		{name: "at the root", schema: `{"type":"string","x-mcp-header":"A"}`, err: "through properties alone"},
		{name: "in items", schema: object(`"a":{"items":{"type":"string","x-mcp-header":"A"}}`), err: `"a.items"`},
		{name: "in anyOf", schema: `{"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}]}`, err: "through properties alone"},
		{name: "in $defs", schema: `{"$defs":{"a":{"type":"string","x-mcp-header":"A"}}}`, err: "through properties alone"},
		{name: "not a schema", schema: `true`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParamHeaders([]byte(tt.schema))
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want one with %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParamHeaderField(t *testing.T) {
	t.Parallel()
	h := ParamHeader{Name: "X", Path: []string{"a", "b"}, Type: "integer"}
	tests := []struct {
		value, field string
		sent         bool
		right        []string // fields that are accepted
		wrong        []string
	}{
		{value: `42`, field: "42", sent: true, right: []string{"42", "42.0", "4.2e1", "=?base64?NDI=?="}, wrong: []string{"43", "042", "", "0x2a", "42.5", "=?base64?NDI?="}},
		{value: `4.20E+1`, field: "42", sent: true, right: []string{"42"}},
		{value: `-0.0`, field: "0", sent: true, right: []string{"0", "-0"}},
		{value: `9007199254740991`, field: "9007199254740991", sent: true, wrong: []string{"9007199254740992", "9007199254740990"}},
		{value: `9007199254740993`}, // no peer has to hold it
		{value: `1e999999999`},
		{value: `1.5`},
		{value: `"42"`, field: "42", sent: true, right: []string{"42"}, wrong: []string{"42.0"}},
		{value: `"caf\u00e9"`, field: "=?base64?Y2Fmw6k=?=", sent: true, wrong: []string{"café"}},
		{value: `true`, field: "true", sent: true, wrong: []string{"True", "1"}},
		{value: `""`, field: "=?base64??=", sent: true, right: []string{""}},
		{value: `null`, wrong: []string{"null", ""}},
		{value: `{}`},
	}
	for _, tt := range tests {
		raw := []byte(`{"x":1,"a":{"b":` + tt.value + `}}`)
		all := Span{0, len(raw)}
		if field, sent := h.Field(raw, all); field != tt.field || sent != tt.sent {
			t.Errorf("%s gives %q, %v", tt.value, field, sent)
		}
		if tt.sent && h.Check(raw, all, "", false) == "" {
			t.Errorf("%s: nothing is said about the missing header", tt.value)
		}
		for _, field := range append(tt.right, tt.field) {
			if problem := h.Check(raw, all, field, tt.sent); problem != "" {
				t.Errorf("%s and %q: %s", tt.value, field, problem)
			}
		}
		for _, field := range tt.wrong {
			if h.Check(raw, all, field, true) == "" {
				t.Errorf("%s and %q pass", tt.value, field)
			}
		}
	}
	raw := []byte(`{"a":[]}`)
	if _, sent := h.Field(raw, Span{0, len(raw)}); sent || h.Check(raw, Span{0, len(raw)}, "x", true) == "" {
		t.Error("an argument that is not there has a header")
	}
}

func TestManyMirroredArgumentsAreCheap(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"properties":{"a":{}`)
	const many = 200_000
	for i := range many {
		fmt.Fprintf(&b, `,"p%d":{"type":"string","x-mcp-header":"h%d"}`, i, i)
	}
	b.WriteString("}}")
	start := time.Now()
	found, err := ParamHeaders([]byte(b.String()))
	// Minutes where each name is compared with each, on any machine.
	if took := time.Since(start); err != nil || len(found) != many || took > 30*time.Second {
		t.Errorf("%d, %v, in %v", len(found), err, took)
	}
}

func FuzzHeader(f *testing.F) {
	for _, value := range []string{"", "a", " a", "é", "=?base64?eA==?=", "=?base64?x?=", "\x00", "\xff"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.ToValidUTF8(value, "")
		field := EncodeHeader(value)
		for i := range len(field) {
			if c := field[i]; c < ' ' || c > '~' {
				t.Fatalf("EncodeHeader(%q) = %q", value, field)
			}
		}
		if got, ok := DecodeHeader(field); !ok || got != value {
			t.Fatalf("%q comes back as %q, %v", value, got, ok)
		}
	})
}
