package mcpwire

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// seeds are messages of all kinds, and near misses of each.
var seeds = []string{
	typicalCall,
	`{"jsonrpc":"2.0","id":"7","method":"ping"}`,
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9007199254740993}}`,
	` {"id" : -5 , "jsonrpc":"2.0","result":{"content":[],"a":{"b":1,"b":2}}}` + "\r\n",
	`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x\ud83d\ude00"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"x","params":{"n\u0061me":"a"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"k\u0000":1,"":[1e400,-0.0,"\ud800"]}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"t","name":"n"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"a","params":{"__proto__":{"name":"b"}}}`,
	`{"jsonrpc":"2.0","id":1,"metho` + "\u212a" + `":"a"}`, `[]`, ``, `{}`, `{"jsonrpc":"2.0","id":01}`,
}

// FuzzParse compares with two parsers that nobody here wrote: what Parse accepts, both
// accept, and all read the same. One of them refuses names that come twice; the other
// is asked for the members in the other spellings that it takes for the same.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw, Limits{})
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) && !errors.Is(err, ErrBatch) {
				t.Fatalf("error %v", err)
			}
			return
		}
		strict := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false))
		if value, err := strict.ReadValue(); err != nil || !bytes.Equal(value, bytes.TrimSpace(raw)) {
			t.Fatalf("jsontext reads %s, %v", value, err)
		}
		if _, err := strict.ReadToken(); !errors.Is(err, io.EOF) {
			t.Fatalf("jsontext finds more: %v", err)
		}
		reference := stdjson.NewDecoder(bytes.NewReader(raw))
		reference.UseNumber()
		var want map[string]any
		if err := reference.Decode(&want); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		agree(t, &m, want)
		loose(t, &m, raw)
		if again, err := ParseReply(raw, Limits{}); err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("read as a reply it is %+v, %v", again, err)
		}
	})
}

// agree compares the spans of a message with what another parser made of it.
func agree(t *testing.T, m *Message, want map[string]any) {
	t.Helper()
	same := func(part string, at Span, members map[string]any, name string) {
		t.Helper()
		value, there := members[name]
		if there != at.Present() {
			t.Fatalf("%s: there %v, the reference says %v", part, at.Present(), there)
		}
		if !there {
			return
		}
		d := stdjson.NewDecoder(bytes.NewReader(m.Bytes(at)))
		d.UseNumber()
		var got any
		if err := d.Decode(&got); err != nil || !reflect.DeepEqual(got, value) {
			t.Fatalf("%s is %s, the reference says %v (%v)", part, m.Bytes(at), value, err)
		}
	}
	if method, _ := want["method"].(string); method != m.Method {
		t.Fatalf("method %q, the reference says %q", m.Method, method)
	}
	if want["id"] != nil || m.Kind != Failure { // an error may have the id null
		same("id", m.ID, want, "id")
	}
	same("params", m.Params, want, "params")
	same("result", m.Result, want, "result")
	same("error", m.Error, want, "error")
	params, _ := want["params"].(map[string]any)
	meta, _ := params["_meta"].(map[string]any)
	if strings.HasPrefix(m.Method, "tasks/") && m.Name == m.TaskID {
		same("name", m.Name, params, "taskId")
	} else {
		same("name", m.Name, params, "name")
	}
	for name, at := range map[string]Span{"_meta": m.Meta, "uri": m.URI, "arguments": m.Arguments, "cursor": m.Cursor,
		"inputResponses": m.InputResponses, "requestState": m.RequestState, "taskId": m.TaskID} {
		same(name, at, params, name)
	}
	for name, at := range map[string]Span{MetaProtocolVersion: m.Version, MetaCapabilities: m.Capabilities, MetaClientInfo: m.ClientInfo,
		MetaLogLevel: m.LogLevel, MetaProgressToken: m.ProgressToken, MetaSubscription: m.Subscription, "traceparent": m.TraceParent} {
		same(name, at, meta, name)
	}
}

// loose reads the message into structs, as a server in Go would, with a parser that
// takes name and NAME for one.
func loose(t *testing.T, m *Message, raw []byte) {
	t.Helper()
	var got struct {
		Method *string            `json:"method"`
		ID     stdjson.RawMessage `json:"id"`
		Params *struct {
			Name      stdjson.RawMessage `json:"name"`
			Task      stdjson.RawMessage `json:"taskId"`
			URI       stdjson.RawMessage `json:"uri"`
			Arguments stdjson.RawMessage `json:"arguments"`
			Meta      stdjson.RawMessage `json:"_meta"`
		} `json:"params"`
	}
	if err := stdjson.Unmarshal(raw, &got); err != nil {
		t.Fatalf("into structs: %v", err)
	}
	if got.Method != nil && *got.Method != m.Method || got.Method == nil && m.Method != "" {
		t.Fatalf("into structs the method is %v, not %q", got.Method, m.Method)
	}
	if m.ID.Present() && !bytes.Equal(got.ID, m.Bytes(m.ID)) {
		t.Fatalf("into structs the id is %s, not %s", got.ID, m.Bytes(m.ID))
	}
	if got.Params == nil {
		return
	}
	name := got.Params.Name
	if member, _ := Mirror(m.Method); member == "taskId" {
		name = got.Params.Task
	}
	for part, pair := range map[string]struct {
		got  stdjson.RawMessage
		want Span
	}{"name": {name, m.Name}, "uri": {got.Params.URI, m.URI}, "arguments": {got.Params.Arguments, m.Arguments}, "_meta": {got.Params.Meta, m.Meta}} {
		if !bytes.Equal(pair.got, m.Bytes(pair.want)) {
			t.Fatalf("into structs %s is %s, not %s", part, pair.got, m.Bytes(pair.want))
		}
	}
}

// FuzzReply: what a reply is taken for, encoding/json takes it for; and whatever a
// client may send, an upstream may.
func FuzzReply(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseReply(raw, Limits{})
		if err != nil {
			return
		}
		d := stdjson.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var want map[string]stdjson.RawMessage
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		for name, at := range map[string]Span{"result": m.Result, "error": m.Error, "params": m.Params} {
			if !bytes.Equal(want[name], m.Bytes(at)) {
				t.Fatalf("%s is %s, encoding/json says %s", name, m.Bytes(at), want[name])
			}
		}
		if id := want["id"]; string(id) != "null" && !bytes.Equal(id, m.Bytes(m.ID)) {
			t.Fatalf("the id is %s, encoding/json says %s", m.Bytes(m.ID), id)
		}
		total := 0
		for name, value := range Members(raw, Span{bytes.IndexByte(raw, '{'), len(raw)}) {
			total++
			key, ok := Unquote(raw[name.Start:name.End])
			if !ok || !bytes.Equal(want[key], raw[value.Start:value.End]) {
				t.Fatalf("member %q is %s", key, raw[value.Start:value.End])
			}
		}
		if total != len(want) {
			t.Fatalf("%d members, encoding/json says %d", total, len(want))
		}
	})
}

// FuzzUnquote: every text comes back from its quoted form, and every string that the
// scanner accepts is decoded as encoding/json decodes it.
func FuzzUnquote(f *testing.F) {
	for _, s := range []string{"", "a", `"\u0061\ud83d\ude00\/\b"`, `"\ud800"`, `"\ud800\ud800\udc00"`, "\"\u2028\"", `"\u00"`, `"\`, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) {
			if got, ok := Unquote(Quote(s)); !ok || got != s {
				t.Fatalf("%q comes back as %q, %v", s, got, ok)
			}
			if !stdjson.Valid(Quote(s)) {
				t.Fatalf("Quote(%q) is not JSON", s)
			}
		}
		if !utf8.ValidString(s) || len(s) == 0 || s[0] != '"' {
			return
		}
		scan := scanner{b: []byte(s)}
		if scan.text(); scan.err != nil || scan.i != len(s) {
			if stdjson.Valid([]byte(s)) && scan.i == len(s) {
				t.Fatalf("%s is refused: %v", s, scan.err)
			}
			return
		}
		var want string
		if err := stdjson.Unmarshal([]byte(s), &want); err != nil {
			t.Fatalf("%s is accepted: %v", s, err)
		}
		if got, ok := Unquote([]byte(s)); !ok || got != want {
			t.Fatalf("%s is %q, want %q", s, got, want)
		}
	})
}
