package httpserve

import (
	"bytes"
	"slices"
	"strings"
	"testing"

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

func TestIsResponse(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		`{"jsonrpc":"2.0","id":1,"result":{}}`:                  true,
		` { "result" : {}, "jsonrpc" : "2.0", "id" : "a" }`:     true,
		`{"jsonrpc":"2.0","id":"a\"b","error":{"code":1}}`:      true,
		`{"id":null,"jsonrpc":"2.0","error":{"code":1}}`:        true,
		`{"x":{"method":1},"jsonrpc":"2.0","id":1,"result":{}}`: true,
		`{"jsonrpc":"2.0","method":"a","params":{"result":1}}`:  false,
		`{"x":"result","jsonrpc":"2.0","id":1,"method":"a"}`:    false,
		`{"jsonrpc":"2.0","id":1}`:                              false,
		`{"jsonrpc":"2.0","id":1,"res`:                          false,
		`["result"]`:                                            false,
		``:                                                      false,
	}
	for message, want := range tests {
		if got := isResponse([]byte(message)); got != want {
			t.Errorf("%s: %v", message, got)
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
