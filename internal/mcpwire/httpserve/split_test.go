package httpserve

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
)

// blocks splits a stream that arrives in pieces of the sizes given, in turn.
func blocks(stream []byte, sizes []byte) (whole []string, rest string) {
	var split splitter
	var b []byte
	for i := 0; len(stream) > 0; i++ {
		n := len(stream)
		if len(sizes) > 0 {
			n = min(n, 1+int(sizes[i%len(sizes)]))
		}
		b = append(b, stream[:n]...)
		stream = stream[n:]
		done := 0
		for {
			k := split.next(b[done:])
			if k == 0 {
				break
			}
			whole = append(whole, string(b[done:done+k]))
			done += k
		}
		b = b[done:]
	}
	return whole, string(b)
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stream string
		want         []string
		rest         string
	}{
		{"LF", "data: 1\n\ndata: 2\n\ndata", []string{"data: 1\n\n", "data: 2\n\n"}, "data"},
		{"CRLF", "data: 1\r\n\r\ndata: 2\r\n\r\n", []string{"data: 1\r\n\r\n", "data: 2\r\n\r\n"}, ""},
		{"CR", "data: 1\r\rdata: 2\r\r", []string{"data: 1\r\r", "data: 2\r\r"}, ""},
		{"several lines", "id: 1\ndata: 1\ndata: 2\n\n", []string{"id: 1\ndata: 1\ndata: 2\n\n"}, ""},
		{"comment does not wait", ":\ndata: 1\n", []string{":\n"}, "data: 1\n"},
		{"comment within", "data: 1\n:\n\n", []string{"data: 1\n:\n\n"}, ""},
		{"empty lines", "\n\n", []string{"\n", "\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, rest := blocks([]byte(tt.stream), nil)
			if !slices.Equal(got, tt.want) || rest != tt.rest {
				t.Errorf("got %q and %q, want %q and %q", got, rest, tt.want, tt.rest)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		message string
		of      verdict // to the call 1
		any     verdict // to any call
	}{
		{`{"jsonrpc":"2.0","id":1,"result":{}}`, answers, answers},
		{"\r\n{\r\n\"jsonrpc\": \"2.0\",\r\n\"id\": 1 ,\r\n\"result\": {}}", answers, answers},
		{` { "result" : {}, "jsonrpc" : "2.0", "id" : 1 } `, answers, answers},
		{`{"result":{"id":2},"id":1,"jsonrpc":"2.0"}`, answers, answers},
		{`{"x":{"method":1},"jsonrpc":"2.0","id":1,"result":{}}`, answers, answers},
		{`{"jsonrpc":"2.0","id":"1","result":{}}`, other, answers},
		{`{"jsonrpc":"2.0","id":11,"result":{}}`, other, answers},
		{`{"result":{},"jsonrpc":"2.0","id":11}`, other, answers},
		{`{"result":{"id":1},"jsonrpc":"2.0","id":2}`, other, answers},
		{`{"jsonrpc":"2.0","id":2,"result":{"x":0,"id":1}}`, other, answers},
		{`{"jsonrpc":"2.0","id":"a\"b","error":{"code":1}}`, other, answers},
		{`{"id":null,"jsonrpc":"2.0","error":{"code":1}}`, addressless, answers},
		{`{"error":{"code":1},"jsonrpc":"2.0"}`, addressless, answers},
		{`{"jsonrpc":"2.0","method":"a","params":{"result":1}}`, other, other},
		{`{"x":"result","jsonrpc":"2.0","id":1,"method":"a"}`, other, other},
		{`{"jsonrpc":"2.0","id":1}`, other, other},
		{`{"jsonrpc":"2.0","id":1,"res`, other, other},
		{`["result"]`, other, other},
		{``, other, other},
	}
	for _, tt := range tests {
		if got := judge([]byte(tt.message), []byte("1")); got != tt.of {
			t.Errorf("%s: %v to the call, want %v", tt.message, got, tt.of)
		}
		if got := judge([]byte(tt.message), nil); got != tt.any {
			t.Errorf("%s: %v to any call, want %v", tt.message, got, tt.any)
		}
	}
	if got := judge([]byte(`{"jsonrpc":"2.0","id":"a\/b","result":{}}`), []byte(`"a/b"`)); got != answers {
		t.Errorf("an id written in another way: %v", got)
	}
}

// However long a stream is without an LF, or an event in lines, each byte is looked at
// a few times at most.
func TestManyLinesAreCheap(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"LF": "\n", "CR": "\r"} {
		block := []byte("data: [" + end + strings.Repeat("data: 1,"+end, 400_000) + "data: 1]" + end + end)
		start := time.Now()
		var split splitter
		n := split.next(block)
		if _, v := glance(block[:n], nil); v != other {
			t.Errorf("%s: %v", name, v)
		}
		// Minutes where the time grows with the square of the length.
		if took := time.Since(start); n != len(block) || took > 30*time.Second {
			t.Errorf("%s: %d of %d bytes in %v", name, n, len(block), took)
		}
	}
}

// However a stream is cut into reads, all of it is passed on, in order, and nothing
// but the part of an event that never ended is held back.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("data: 1\r\n\r\n: c\n\nid: 2\rdata: {}\r\r\ndata"), []byte{0, 3})
	f.Add([]byte(":\r\n\n\r\n\r"), []byte{1})
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		got, rest := blocks(stream, sizes)
		if joined := strings.Join(got, "") + rest; joined != string(stream) {
			t.Fatalf("%q became %q", stream, joined)
		}
		for _, b := range got {
			if len(bytes.Trim([]byte(b), "\r\n")) > 0 && b[0] != ':' && !strings.ContainsAny(b[len(b)-2:len(b)-1], "\r\n") {
				t.Fatalf("%q is no whole block", b)
			}
		}
		whole, _ := blocks(stream, nil)
		if a, b := events(t, strings.Join(got, "")), events(t, strings.Join(whole, "")); !slices.Equal(a, b) {
			t.Fatalf("cut by %v: %q, at once: %q", sizes, a, b)
		}
	})
}

// events is what a reader of the stream makes of it.
func events(t *testing.T, stream string) []string {
	t.Helper()
	r := mcpwire.NewEventReader(strings.NewReader(stream), 0)
	var list []string
	for {
		e, err := r.Next()
		if err != nil {
			return list
		}
		if e.Data != nil {
			list = append(list, e.ID+"|"+e.Event+"|"+string(e.Data))
		}
	}
}
