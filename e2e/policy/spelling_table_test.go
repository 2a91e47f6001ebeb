package policy

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"sluice/internal/testkit/mcptest"
)

// The tool "denied" is never to be called, and "pay" with an amount up to 100 only.
const (
	onlyListed = `{"version":"1","default":"deny","tools":{"allowed":{},` + paysLittle + `}}`
	allOthers  = `{"version":"1","default":"allow","tools":{"denied":{"deny_if":[{"conditions":[]}]},` + paysLittle + `}}`
	paysLittle = `"pay":{"require":[{"conditions":[{"path":"args.amount","op":"lte","value":100}]}]}`
)

// spelling is one way to write a call that is denied.
type spelling struct {
	name string
	body string // § is where the members of a modern call stand
	// other says that it is another tool or method to whoever compares names exactly: it
	// passes where all pass that are not listed.
	other bool
}

// in is the body as one era has it.
func (s spelling) in(version string) string {
	meta := ""
	if version == mcptest.Modern {
		meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},`
	}
	return strings.ReplaceAll(s.body, "§", meta)
}

const (
	call1 = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{§"name":"denied","arguments":{}}}`
	fine1 = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{§"name":"allowed","arguments":{}}}`
)

// with is the plain call with one part written otherwise.
func with(part, other string) string {
	if !strings.Contains(call1, part) {
		panic(part)
	}
	return strings.Replace(call1, part, other, 1)
}

// spellings is the table.
func spellings() []spelling {
	list := []spelling{
		{name: "as it is", body: call1},

		// The envelope.
		{name: "Method beside method", body: with(`"method":`, `"method":"ping","Method":`)},
		{name: "METHOD alone", body: with(`"method"`, `"METHOD"`)},
		{name: "method twice, the last counts", body: with(`"method":`, `"method":"ping","method":`)},
		{name: "method twice, the first counts", body: with(`"tools/call",`, `"tools/call","method":"ping",`)},
		{name: "method with an escaped letter", body: with(`tools/call`, `t\u006fols/call`)},
		{name: "method with an escaped slash", body: with(`tools/call`, `tools\/call`)},
		{name: "method with a slash in hexadecimal", body: with(`tools/call`, `tools\u002fcall`)},
		{name: "the key method escaped", body: with(`"method"`, `"m\u0065thod"`)},
		{name: "the key method with escapes beside ping", body: with(`"method":`, `"method":"ping","m\u0065thod":`)},
		{name: "method in capitals", body: with(`tools/call`, `Tools/Call`)},
		{name: "a blank after the method", body: with(`tools/call`, `tools/call `)},
		{name: "a blank before the method", body: with(`tools/call`, ` tools/call`)},
		{name: "a slash after the method", body: with(`tools/call`, `tools/call/`)},
		{name: "a backslash in the method", body: with(`tools/call`, `tools\\call`)},
		{name: "a NUL after the method", body: with(`tools/call`, `tools/call\u0000`)},
		{name: "a NUL and more after the method", body: with(`tools/call`, `tools/call\u0000/list`)},
		{name: "a wide method", body: with(`tools/call`, `ｔｏｏｌｓ/ｃａｌｌ`), other: true},
		{name: "a long s in the method", body: with(`tools/call`, `toolſ/call`)},
		{name: "nothing wide in the method", body: with(`tools/call`, `tools/ca\u200bll`)},
		{name: "a method in a list", body: with(`"tools/call"`, `["tools/call"]`)},
		{name: "a result beside the method", body: with(`"id":1,`, `"id":1,"result":{},`)},
		{name: "an error beside the method", body: with(`"id":1,`, `"id":1,"error":{"code":1,"message":""},`)},
		{name: "no version", body: with(`"jsonrpc":"2.0",`, ``)},
		{name: "another version", body: with(`"2.0"`, `"1.0"`)},
		{name: "a version that is a number", body: with(`"2.0"`, `2.0`)},
		{name: "no id", body: with(`"id":1,`, ``)},
		{name: "the id null", body: with(`"id":1`, `"id":null`)},
		{name: "the id a fraction", body: with(`"id":1`, `"id":1.0`)},
		{name: "the id an object", body: with(`"id":1`, `"id":{}`)},
		{name: "the id with an exponent", body: with(`"id":1`, `"id":1e400`)},
		{name: "the id -0", body: with(`"id":1`, `"id":-0`)},
		{name: "two ids", body: with(`"id":1`, `"id":1,"id":2`)},
		{name: "ID", body: with(`"id":1`, `"ID":1`)},

		// Several messages, and what stands around one.
		{name: "a batch", body: `[` + call1 + `]`},
		{name: "a batch with an allowed call", body: `[` + fine1 + `,` + call1 + `]`},
		{name: "a batch in a batch", body: `[[` + call1 + `]]`},
		{name: "an empty batch before it", body: `[]` + call1},
		{name: "two messages", body: fine1 + call1},
		{name: "two messages, a comma", body: fine1 + `,` + call1},
		{name: "two messages, a NUL", body: fine1 + "\x00" + call1},
		{name: "two messages, a record separator", body: "\x1e" + fine1 + "\x1e" + call1},
		{name: "two messages, two lines", body: fine1 + "\n" + call1},
		{name: "two messages, CR", body: fine1 + "\r" + call1},
		{name: "two messages, CRLF", body: fine1 + "\r\n" + call1},
		{name: "two messages, a line separator", body: fine1 + "\u2028" + call1},
		{name: "two messages, a vertical tab", body: fine1 + "\v" + call1},
		{name: "an event stream", body: "data: " + call1 + "\n\n"},
		{name: "headers before it", body: "Content-Length: " + strconv.Itoa(len(call1)) + "\r\n\r\n" + call1},
		{name: "a mark of byte order", body: "\ufeff" + call1},
		{name: "a guard before it", body: ")]}',\n" + call1},
		{name: "a NUL before it", body: "\x00" + call1},
		{name: "something after it", body: call1 + "x"},
		{name: "its end is missing", body: call1[:len(call1)-1]},
		{name: "the message as a text", body: strconv.Quote(strings.ReplaceAll(call1, "§", ""))},
		{name: "in parentheses", body: "callback(" + call1 + ")"},

		// What JSON is not.
		{name: "a comment", body: with(`"params"`, `/* x */"params"`)},
		{name: "a comment to the end of the line", body: with(`"params"`, "// x\n\"params\"")},
		{name: "an allowed name in a comment", body: with(`"name":"denied"`, `"name":/*"allowed",//*/"denied"`)},
		{name: "single quotes", body: strings.ReplaceAll(with(`§`, ``), `"`, `'`)},
		{name: "one name in single quotes", body: with(`"denied"`, `'denied'`)},
		{name: "keys without quotes", body: with(`"name"`, `name`)},
		{name: "a comma too many", body: with(`"arguments":{}`, `"arguments":{},`)},
		{name: "a comma too few", body: with(`"id":1,`, `"id":1 `)},
		{name: "an equals sign", body: with(`"name":`, `"name"=`)},
		{name: "an escape of two digits", body: with(`denied`, `\x64enied`)},
		{name: "a line that goes on", body: with(`denied`, "den\\\nied")},
		{name: "a capital U", body: with(`denied`, `\U0064enied`)},
		{name: "a line feed in the name", body: with(`denied`, "denied\n"), other: true},
		{name: "a tab between tokens that is none", body: with(`"id"`, "\u00a0\"id\"")},
		{name: "plus", body: with(`"arguments":{}`, `"arguments":{"n":+1}`)},
		{name: "not a number", body: with(`"arguments":{}`, `"arguments":{"n":NaN}`)},
		{name: "hexadecimal", body: with(`"arguments":{}`, `"arguments":{"n":0x10}`)},

		// What the call names.
		{name: "Name beside name", body: with(`"name":`, `"name":"allowed","Name":`)},
		{name: "NAME before name", body: with(`"name":"denied"`, `"NAME":"denied","name":"allowed"`)},
		{name: "name twice, the last counts", body: with(`"name":`, `"name":"allowed","name":`)},
		{name: "name twice, the first counts", body: with(`"denied"`, `"denied","name":"allowed"`)},
		{name: "the key name escaped", body: with(`"name":`, `"name":"allowed","n\u0061me":`)},
		{name: "the key name with a NUL", body: with(`"name":`, `"name":"allowed","name\u0000":`)},
		{name: "params twice", body: with(`"params":`, `"params":{§"name":"allowed"},"params":`)},
		{name: "Params beside params", body: with(`"params":`, `"params":{§"name":"allowed","arguments":{}},"Params":`)},
		{name: "params by position", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["denied",{}]}`},
		{name: "the name in a list", body: with(`"denied"`, `["denied"]`)},
		{name: "the name in escapes", body: with(`denied`, `\u0064\u0065\u006e\u0069\u0065\u0064`)},
		{name: "the name in capitals", body: with(`denied`, `Denied`), other: true},
		{name: "a blank after the name", body: with(`denied`, `denied `), other: true},
		{name: "a blank before the name", body: with(`denied`, ` denied`), other: true},
		{name: "a line feed after the name", body: with(`denied`, `denied\n`), other: true},
		{name: "a no-break space after the name", body: with(`denied`, `denied\u00a0`), other: true},
		{name: "a NUL after the name", body: with(`denied`, `denied\u0000`)},
		{name: "a NUL and more after the name", body: with(`denied`, `denied\u0000allowed`)},
		{name: "half a pair after the name", body: with(`denied`, `denied\ud800`)},
		{name: "halves in the wrong order", body: with(`denied`, `denied\udc00\ud800`)},
		{name: "nothing wide in the name", body: with(`denied`, "den\u200bied"), other: true},
		{name: "a soft hyphen in the name", body: with(`denied`, `den\u00adied`), other: true},
		{name: "another direction", body: with(`denied`, "\u202edenied"), other: true},
		{name: "a variation selector", body: with(`denied`, "denied\ufe0f"), other: true},
		{name: "an accent", body: with(`denied`, "denied\u0301"), other: true},
		{name: "a wide name", body: with(`denied`, `ｄｅｎｉｅｄ`), other: true},
		{name: "a Cyrillic letter", body: with(`denied`, `dеniеd`), other: true},
		{name: "bytes that are no text", body: with(`denied`, "denied\xff")},
		{name: "an overlong letter", body: with(`tools/call`, "tools\xc0\x80/call")},
		{name: "a surrogate as bytes", body: with(`denied`, "denied\xed\xa0\x80")},
		{name: "a million blanks", body: with(`denied`, `denied`+strings.Repeat(" ", 1<<20)), other: true},

		// What goes with the call.
		{name: "as a task", body: with(`"arguments":{}`, `"arguments":{},"task":{"ttl":60000}`)},
		{name: "as a retry", body: with(`"arguments":{}`, `"arguments":{},"inputResponses":{"x":{"action":"accept"}},"requestState":"x"`)},
		{name: "with an approval", body: with(`"arguments":{}`, `"arguments":{},"approval":"apr_1","_Meta":{"sluice/policy":{"decision":"allow"}}`)},
		{name: "with a decision in _meta", body: with(`"arguments":{}`, `"arguments":{"_meta":{"sluice/policy":{"decision":"allow"}}}`)},
		{name: "many members", body: with(`"name":`, many(80)+`"name":"allowed","name":`)},
		{name: "a prototype", body: with(`"name":"denied"`, `"name":"denied","__proto__":{"name":"allowed"}`)},
		{name: "nested deep", body: with(`"arguments":{}`, `"arguments":{"x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`)},
		{name: "nested very deep", body: with(`"arguments":{}`, `"arguments":{"x":`+strings.Repeat(`{"x":`, 5000)+`1`+strings.Repeat("}", 5000)+`}`)},

		// Other encodings.
		{name: "UTF-16, little", body: wide(call1, binary.LittleEndian, false)},
		{name: "UTF-16, big, marked", body: wide(call1, binary.BigEndian, true)},
		{name: "UTF-16 behind an allowed call", body: fine1 + "\n" + wide(call1, binary.LittleEndian, true)},
		{name: "UTF-32", body: wide32(call1)},
		{name: "gzip", body: gzipped(call1)},
		{name: "deflate", body: deflated(call1)},
	}
	for _, amount := range []string{
		`101`, `1.01e2`, `0.101e+3`, `100.0000000000000000000000001`, `1e400`, `-1e-400e`, `"101"`, `"5"`, `[101]`, `{"$numberInt":"101"}`, `null`, `true`,
		`0101`, `1_000`, `101.`, `.5e3`, `Infinity`, `1e1000000000`, `5,"amount":101`, `101,"amount":5`, `5,"Amount":101`, `5,"AMOUNT":"101"`,
		`5,"\u0061mount":101`, `5,"\u0041mount":101`, `5,"amoun\u0074":101`, `18446744073709551617`, `100000000000000000000000000000000000`,
	} {
		list = append(list, spelling{name: "amount " + amount, body: pays(`{"amount":` + amount + `}`)})
	}
	for _, arguments := range []string{
		`{}`, `null`, `[{"amount":5}]`, `"{\"amount\":5}"`, `{"Amount":101}`, `{"amoun\u0054":101}`, `{"amount":5},"arguments":{"amount":101}`,
		`{"amount":101},"arguments":{"amount":5}`, `{"amount":5},"Arguments":{"amount":101}`, `{"amount":5},"argument\u0073":{"amount":101}`,
		`{"amount":5},"__proto__":{"arguments":{"amount":101}},"ARGUMENTS":{"amount":101}`, `{` + many(80) + `"amount":5,"amount":101}`,
		`{"args":{"amount":5}}`, `{"args.amount":5}`, `{"x":{"amount":5}}`, `{"amount":{"amount":5}}`,
	} {
		list = append(list, spelling{name: "arguments " + arguments, body: pays(arguments)})
	}
	list = append(list, spelling{name: "no arguments", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{§"name":"pay"}}`})
	return list
}

func pays(arguments string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{§"name":"pay","arguments":` + arguments + `}}`
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"member %d":%d,`, i, i)
	}
	return b.String()
}

func wide(s string, order binary.ByteOrder, marked bool) string {
	var b []byte
	if marked {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(strings.ReplaceAll(s, "§", ""))) {
		b = binary.BigEndian.AppendUint16(b, u)
		if order == binary.LittleEndian {
			slices.Reverse(b[len(b)-2:])
		}
	}
	return string(b)
}

func wide32(s string) string {
	var b []byte
	for _, r := range strings.ReplaceAll(s, "§", "") {
		b = binary.LittleEndian.AppendUint32(b, uint32(r))
	}
	return string(b)
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(strings.ReplaceAll(s, "§", "")))
	_ = z.Close() // into memory
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, 9)
	if err != nil {
		panic(err)
	}
	_, _ = z.Write([]byte(strings.ReplaceAll(s, "§", "")))
	_ = z.Close()
	return b.String()
}

// harm says what a lenient server would do on these bytes that the policy denies;
// nothing, when there is no such thing.
func harm(raw string, h http.Header) string {
	for _, r := range mcptest.Readings([]byte(raw), h) {
		switch r.Tool {
		case "denied":
			return "it calls the tool that is denied"
		case "pay":
			if amounts := amountsOf(r.Arguments); len(amounts) == 0 || slices.ContainsFunc(amounts, func(s string) bool { return !little(s) }) {
				return fmt.Sprintf("it pays %q", amounts)
			}
		}
	}
	return ""
}

// amountsOf are all values that a server could take for the amount, as they stand. What
// is no number has a quote.
func amountsOf(arguments []*mcptest.Lenient) (all []string) {
	for _, a := range arguments {
		if a.Kind != '{' {
			return []string{`"no arguments"`}
		}
		for i, name := range a.Names {
			if strings.EqualFold(name, "amount") {
				v := a.Members[i]
				if v.Kind != 0 {
					v.Text = strconv.Quote(v.Text)
				}
				all = append(all, v.Text)
			}
		}
		if len(all) == 0 {
			return nil
		}
	}
	return all
}

// little reports whether all take this for a number up to 100.
func little(text string) bool {
	whole, fraction, _ := strings.Cut(strings.ToLower(text), ".")
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && f <= 100 && (f < 100 || strings.Trim(fraction, "0") == "" || strings.Contains(text, "e")) &&
		!strings.ContainsAny(text, "xX_+inINpP") && (len(whole) < 2 || whole[0] != '0')
}
