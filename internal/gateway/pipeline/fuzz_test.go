package pipeline_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// lenient is a call as a server reads it that takes any capitals and the last of two
// members; strict as one that takes names as they are.
type lenient struct {
	Method string `json:"method"`
	Params struct {
		Name      string                     `json:"name"`
		Arguments map[string]json.RawMessage `json:"arguments"`
	} `json:"params"`
}

func strict(raw []byte) (method, name string, arguments map[string]json.RawMessage) {
	var message, params map[string]json.RawMessage
	_ = json.Unmarshal(raw, &message)
	_ = json.Unmarshal(message["method"], &method)
	_ = json.Unmarshal(message["params"], &params)
	_ = json.Unmarshal(params["name"], &name)
	_ = json.Unmarshal(params["arguments"], &arguments)
	return method, name, arguments
}

// judgedWrongly says how a forwarded message would be read as anything but the one call
// that the policy allows: ok {"amount": at most 10}.
func judgedWrongly(raw []byte) string {
	var l lenient
	if err := json.Unmarshal(raw, &l); err != nil {
		return "a server can't read it: " + err.Error()
	}
	method, name, arguments := strict(raw)
	switch {
	case l.Method != method || l.Params.Name != name:
		return "two servers read two calls"
	case method != "tools/call":
		return ""
	case name != "ok":
		return "it calls " + name
	}
	for _, all := range []map[string]json.RawMessage{l.Params.Arguments, arguments} {
		var amount float64
		if json.Unmarshal(all["amount"], &amount) != nil || amount > 10 {
			return "the amount is " + string(all["amount"])
		}
		for key, v := range all {
			if key != "amount" && bytes.EqualFold([]byte(key), []byte("amount")) && json.Unmarshal(v, &amount) == nil && amount > 10 {
				return "a lenient server takes " + key + " for the amount"
			}
		}
	}
	return ""
}

var spellings = []string{
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","Name":"pay","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","n\u0061me":"pay","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","name":"ok","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"pay"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"Tools/call","params":{"name":"pay"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"name":"pay"}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"p\u0061y","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":1.1e1}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":1e400}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":10.000000000000000001}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5,"Amount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"Amount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"\u0061mount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5,"amount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":"11"}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":[{"amount":11}]}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5},"Arguments":{"amount":11}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":null}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["pay"],"arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"ok","arguments":{"amount":5}}}`,
	`[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay"}}]`,
	"\ufeff" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ok","arguments":{"amount":5}}}{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"pay"}}`,
}

// What is forwarded is read by any server as the call that was judged and allowed.
func FuzzForwarded(f *testing.F) {
	for _, raw := range spellings {
		f.Add([]byte(raw))
	}
	const document = `{"version":"1","default":"deny","tools":{"ok":{"require":[{"conditions":[{"path":"args.amount","op":"lte","value":10}]}]}}}`
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := mcpwire.Parse(raw, mcpwire.Limits{})
		if err != nil {
			return
		}
		d := newDesk(t, document)
		c := &exchange.Call{Message: &m, Caller: exchange.Caller{ID: "ann"}, Server: labServer, Era: mcpwire.Legacy, Version: mcpwire.Version20251125}
		if m.Kind == mcpwire.Request {
			_ = d.front.Call(t.Context(), c, newTape())
		} else {
			_ = d.front.Notify(t.Context(), c)
		}
		for _, heard := range d.up.log() {
			if wrong := judgedWrongly([]byte(heard)); wrong != "" {
				t.Errorf("%s: %s", wrong, heard)
			}
		}
	})
}
