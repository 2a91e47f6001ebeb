package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/internal/fault"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpserver"
	"sluice/internal/mcpwire/stdioserve"
)

// FuzzArguments calls any tool with any arguments. Nothing panics, what is asked has a
// path of ids and edges, a refusal asks nothing, and what comes back is text and JSON.
func FuzzArguments(f *testing.F) {
	tools := graphtool.All()
	r, m := stubbed(f)
	for i, record := range tools {
		for _, c := range record.Cases {
			f.Add(uint16(i), []byte(r.filled(c.Args)))
		}
	}
	for i, args := range []string{
		`{"page_id":"1/2"}`, `{"page_id":"1","limit":1e400}`, `{"ad_account_id":3}`, `{"fields":"id,{{{{"}`, `[]`, `null`, ``, `{`, `{"a":1,"a":2}`,
		`{"targeting":` + strings.Repeat(`{"x":`, 500) + `1` + strings.Repeat(`}`, 500) + `}`, `{"name":"` + strings.Repeat("\U0001f680", 3000) + `"}`,
		`{"after":"q.Li4vLi4="}`, `{"response_format":"html"}`, `{"daily_budget":-0}`, `{"daily_budget":12345678901234567890}`, "{\"name\":\"\u2028\ufeff\"}",
	} {
		f.Add(uint16(i*13), []byte(args))
	}
	f.Fuzz(func(t *testing.T, n uint16, args []byte) {
		record := tools[int(n)%len(tools)]
		m.reset()
		res := r.tool(record.Name).Call(t.Context(), args, nil)
		for _, problem := range m.problems() {
			t.Errorf("%s was asked for with %s", problem, args)
		}
		if c := code(res); m.count() > 0 && c == fault.Unsupported {
			t.Errorf("%s asked Meta %d times for what there is not", record.Name, m.count())
		}
		if c := code(res); c == fault.Internal {
			t.Errorf("%s: %s: %v", record.Name, res.Text, res.Fault.Unwrap())
		}
		if !utf8.ValidString(res.Text) || len(res.Structured) > 0 && !json.Valid(res.Structured) {
			t.Errorf("%s answers what can't be sent: %q, %s", record.Name, res.Text, res.Structured)
		}
	})
}

// FuzzIDs gives one id of a tool any text. Either it has a form of ids, or nothing is asked.
func FuzzIDs(f *testing.F) {
	type place struct {
		record *tool.Tool
		path   []string
	}
	var all []place
	for _, record := range graphtool.All() {
		for _, p := range places(record.Args, nil, isID) {
			all = append(all, place{record, p})
		}
	}
	for i, text := range hostile {
		f.Add(uint16(i*37), text)
	}
	for i, text := range []string{"1", "act_1", "1_2", "1_2_3", "t_1", "m_mid.$cAA:x=", "me", "a..b"} {
		f.Add(uint16(i*101), text)
	}
	r, m := stubbed(f)
	f.Fuzz(func(t *testing.T, n uint16, text string) {
		p := all[int(n)%len(all)]
		m.reset()
		res := r.tool(p.record.Name).Call(t.Context(), with(arguments(t, r, p.record), p.path, text), nil)
		for _, problem := range m.problems() {
			t.Errorf("%s was asked for with %v=%q", problem, p.path, text)
		}
		if c := code(res); !idForm.MatchString(text) && (m.count() > 0 || c != fault.ArgumentInvalid && c != fault.Unsupported) {
			t.Errorf("%s %v=%q: code %q, %d requests", p.record.Name, p.path, text, c, m.count())
		}
	})
}

// FuzzConversation is a client that writes anything. Every line that comes back is one
// JSON-RPC message, and the server ends when its client does.
func FuzzConversation(f *testing.F) {
	hello := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	modern := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"}}`
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":2,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"x"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"meta_search_tools","arguments":{"query":"comment","limit":3}}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"meta_get_page","arguments":[]}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":7,"arguments":{"x":{}}}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":[]}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x","_meta":{"progressToken":{"a":[1]}}}}`,
		`{"jsonrpc":"2.0","id":"3","method":"server/discover","params":{` + modern + `}}`,
		`{"jsonrpc":"2.0","id":"3","method":"tools/call","params":{` + modern + `,"name":"meta_get_campaign","arguments":{"campaign_id":"1"}}}`,
		`{"jsonrpc":"2.0","id":"3","method":"subscriptions/listen","params":{` + modern + `,"notifications":{"toolsListChanged":"yes"}}}`,
		`{"jsonrpc":"2.0","id":null,"method":"ping"}`, `[]`, `{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"x"}}`,
	} {
		f.Add([]byte(hello + line + "\n"))
		f.Add([]byte(line + "\n"))
	}
	r, _ := stubbed(f)
	var handlers []tool.Handler
	for _, record := range graphtool.All()[:40] {
		handlers = append(handlers, r.tool(record.Name))
	}
	f.Fuzz(func(t *testing.T, conversation []byte) {
		server, err := mcpserver.New(mcpserver.Options{
			Name: "test", Version: "1", Tools: handlers, Search: true, Listed: func(context.Context) []string { return []string{handlers[0].Name()} },
		})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		// An error says that the conversation can't go on; it is told like everything else.
		_ = stdioserve.Serve(t.Context(), bytes.NewReader(conversation), &out, stdioserve.Options{Upstream: server, Server: "test"})
		if err := server.Close(t.Context()); err != nil {
			t.Error(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			var m struct {
				Version string          `json:"jsonrpc"`
				ID      json.RawMessage `json:"id"`
				Method  string          `json:"method"`
				Result  json.RawMessage `json:"result"`
				Error   json.RawMessage `json:"error"`
			}
			d := json.NewDecoder(bytes.NewReader(line))
			if err := d.Decode(&m); err != nil || m.Version != "2.0" || !bytes.HasSuffix(line, []byte("\n")) {
				t.Errorf("this is no message: %q (%v)", line, err)
			}
			if _, err := d.Token(); err != io.EOF {
				t.Errorf("there is more than a message in %q", line)
			}
			if (m.Method == "") != (len(m.Result)+len(m.Error) > 0) {
				t.Errorf("neither an answer nor a notification: %q", line)
			}
		}
	})
}
