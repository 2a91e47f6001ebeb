package mcpwire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseFindsTheParts(t *testing.T) {
	t.Parallel()
	raw := []byte(` {"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"say","x":[1,{"a":1}],"arguments":{"n":1e400,"t":"é\u00e9\ud83d\ude00"},"_meta":{"progressToken":"7","io.modelcontextprotocol/protocolVersion":"2026-07-28"}},"extra":null} `)
	m, err := Parse(raw, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{m.Method, string(m.Bytes(m.ID)), string(m.Bytes(m.Name)), string(m.Bytes(m.ProgressToken)), string(m.Bytes(m.Version)), string(m.Bytes(m.Arguments))}
	want := []string{"tools/call", "9007199254740993", `"say"`, `"7"`, `"2026-07-28"`, `{"n":1e400,"t":"é\u00e9\ud83d\ude00"}`}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("part %d is %s, want %s", i, got[i], want[i])
		}
	}
	if m.Kind != Request || !m.Modern() {
		t.Errorf("kind %d, modern %v", m.Kind, m.Modern())
	}
}

func TestParseRefusesWhatTwoParsersReadDifferently(t *testing.T) {
	t.Parallel()
	call := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":` + params + `}`
	}
	tests := map[string]string{
		"member twice":              call(`{"name":"a","name":"b"}`),
		"member twice, escaped":     call(`{"name":"a","n\u0061me":"b"}`),
		"other case":                call(`{"Name":"a"}`),
		"other case of method":      `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`,
		"long s for s":              `{"jsonrpc":"2.0","id":1,"method":"ping","param` + "\u017f" + `":{}}`,
		"Kelvin sign for k":         call(`{"tas` + "\u212a" + `Id":"a"}`),
		"known name, escaped":       call(`{"n\u0061me":"a"}`),
		"NUL in a name of a member": call(`{"name\u0000x":"a"}`),
		"NUL in the name":           call(`{"name":"a\u0000b"}`),
		"NUL in the method":         `{"jsonrpc":"2.0","id":1,"method":"ping\u0000x"}`,
		"__proto__ in params":       call(`{"__proto__":{"name":"a"}}`),
		"__proto__ in arguments":    call(`{"name":"a","arguments":{"o":{"\u005f_proto__":{}}}}`),
		"twice in arguments":        call(`{"name":"a","arguments":{"b":{"c":1,"c":2}}}`),
		"twice in _meta":            call(`{"_meta":{"a":1,"a":2}}`),
		"trailing data":             call(`{}`) + `{}`,
		"half a pair":               call(`{"arguments":{"a":"\ud800"}}`),
		"byte order mark":           "\ufeff" + call(`{}`),
		"not UTF-8":                 call("{\"a\":\"\xff\"}"),
		"control character":         call("{\"a\":\"\x01\"}"),
		"leading zero":              call(`{"a":01}`),
		"comma at the end":          call(`{"a":1,}`),
		"null id":                   `{"jsonrpc":"2.0","id":null,"method":"ping"}`,
		"fraction in the id":        `{"jsonrpc":"2.0","id":1.0,"method":"ping"}`,
		"escape in the id":          `{"jsonrpc":"2.0","id":"\u0031","method":"ping"}`,
		"minus zero":                `{"jsonrpc":"2.0","id":-0,"method":"ping"}`,
		"request and response":      `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`,
		"other version":             `{"jsonrpc":"1.0","id":1,"method":"ping"}`,
		"no version":                `{"id":1,"method":"ping"}`,
		"method is a number":        `{"jsonrpc":"2.0","id":1,"method":1}`,
		"params is an array":        call(`[1]`),
		"too deep":                  call(`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`),
		"twice among many":          call(`{` + many(40) + `"k3":0}`),
		"nothing":                   ``,
		"neither of them":           `{"jsonrpc":"2.0"}`,
		"only white space":          `  `,
		"unfinished":                `{"jsonrpc":"2.0","id":1,"method":"ping"`,
		"array in place of members": `{"jsonrpc"}`,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(raw), Limits{})
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Parse(%.120s) = %v, want a SyntaxError", raw, err)
			}
		})
	}
	if _, err := Parse([]byte(`[{}]`), Limits{}); !errors.Is(err, ErrBatch) {
		t.Errorf("a batch gives %v", err)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"k` + string(rune('0'+i%10)) + strings.Repeat("x", i/10) + `":1,`)
	}
	return strings.ReplaceAll(b.String(), `"k3":1`, `"k3":2`)
}

// What is unusual and yet reads the same everywhere passes.
func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for name, params := range map[string]string{
		"arguments in two cases":  `{"name":"a","arguments":{"key":1,"KEY":2}}`,
		"a name in other objects": `{"name":"a","arguments":{"name":"b","o":{"name":"c","Name":"d"}}}`,
		"any number":              `{"arguments":{"a":[1e400,-0,0.10,123456789012345678901234567890]}}`,
		"escapes":                 `{"name":"\u0061\/\n","arguments":{"\ud83d\ude00":"\u0000"}}`,
		"deep":                    `{"arguments":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		"null everywhere":         `{"name":null,"arguments":null,"_meta":{"progressToken":null}}`,
	} {
		if _, err := Parse(BuildRequest("1", MethodToolsCall, []byte(params)), Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseReplyLooksAtTheEnvelope(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2,"__proto__":{},"Name":"\ud800"}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`,
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"Name":1,"name":1}}`,
	} {
		if _, err := ParseReply([]byte(raw), Limits{}); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{
		`{"jsonrpc":"2.0","id":1,"id":2,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}{}`,
		`{"jsonrpc":"2.0","result":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"a":}}`,
	} {
		if _, err := ParseReply([]byte(raw), Limits{}); err == nil {
			t.Errorf("%s is accepted", raw)
		}
	}
}

// An object of very many members costs no more for each than a small one: were every
// name compared with every other, this test would not end.
func TestParseManyMembers(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, `"%x":0,`, i)
	}
	object := func(last string) []byte {
		return BuildRequest("1", MethodToolsCall, []byte(`{"arguments":{`+b.String()+last+`:1}}`))
	}
	if _, err := Parse(object(`"last"`), Limits{}); err != nil {
		t.Error(err)
	}
	if _, err := Parse(object(`"\u0066fff"`), Limits{}); err == nil {
		t.Error("a member that comes twice among many is accepted")
	}
}

// The id of a message is told with the error, so that the answer can carry it.
func TestSyntaxErrorKnowsTheID(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"jsonrpc":"2.0","id":"a","method":"ping","params":{"name":1,"name":2}}`: `"a"`,
		`{"jsonrpc":"1.0","id":7,"method":"ping"}`:                                `7`,
		`{"jsonrpc":"2.0","method":1,"id":7`:                                      `7`,
		`{"jsonrpc":"2.0","method":"ping`:                                         ``,
	} {
		var syntax *SyntaxError
		if _, err := Parse([]byte(raw), Limits{}); !errors.As(err, &syntax) || string(syntax.ID) != want {
			t.Errorf("%s: error %v with id %s, want id %s", raw, err, syntax.ID, want)
		}
	}
}

func TestSplice(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":1,"name":"x","b":2}}`)
	m, err := Parse(raw, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	edits := append(RemoveMembers(raw, m.Params, func(n string) bool { return n != "name" }),
		Edit{Span: m.Name, With: []byte(`"y"`)}, Edit{Span: m.ID, With: []byte(`"q"`)})
	got, err := Splice(raw, edits...)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"y"}}`; string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
