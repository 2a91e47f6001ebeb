package mcpwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readEvents reads a stream to its end.
func readEvents(t testing.TB, r io.Reader, limit int) ([]SSEEvent, error) {
	t.Helper()
	events := NewEventReader(r, limit)
	var all []SSEEvent
	for {
		e, err := events.Next()
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			e.Raw = bytes.Clone(e.Raw)
			if e.Data != nil {
				e.Data = append([]byte{}, e.Data...)
			}
			all = append(all, e)
		}
		if err != nil {
			return all, err
		}
		if len(e.Raw) == 0 {
			t.Fatal("an event without bytes")
		}
	}
}

func TestEventReader(t *testing.T) {
	t.Parallel()
	ev := func(data, raw string) SSEEvent { return SSEEvent{Data: []byte(data), Raw: []byte(raw)} }
	tests := []struct {
		name, in string
		want     []SSEEvent
		err      error
	}{
		{name: "nothing", in: ""},
		{name: "one", in: "data: {}\n\n", want: []SSEEvent{ev("{}", "data: {}\n\n")}},
		{name: "all fields", in: "event: message\nid: 4_2\nretry: 0500\ndata:x\n\n", want: []SSEEvent{
			{ID: "4_2", HasID: true, Retry: "0500", Data: []byte("x"), Raw: []byte("event: message\nid: 4_2\nretry: 0500\ndata:x\n\n")}}},
		{name: "other event, unknown field", in: "event:endpoint\nfoo: bar\ndata:/m\n\n", want: []SSEEvent{
			{Event: "endpoint", Data: []byte("/m"), Raw: []byte("event:endpoint\nfoo: bar\ndata:/m\n\n")}}},
		{name: "priming", in: "id: 1\ndata:\n\n", want: []SSEEvent{{ID: "1", HasID: true, Data: []byte{}, Raw: []byte("id: 1\ndata:\n\n")}}},
		{name: "field without colon", in: "data\nid\n\n", want: []SSEEvent{{HasID: true, Data: []byte{}, Raw: []byte("data\nid\n\n")}}},
		{name: "retry alone", in: "retry: 10\n\n", want: []SSEEvent{{Retry: "10", Raw: []byte("retry: 10\n\n")}}},
		{name: "retry is no number", in: "retry: soon\n\n", want: []SSEEvent{{Raw: []byte("retry: soon\n\n")}}},
		{name: "id with NUL", in: "id: a\x00b\n\n", want: []SSEEvent{{Raw: []byte("id: a\x00b\n\n")}}},
		{name: "several data lines", in: "data: a\ndata:  b\ndata\ndata:c\n\n", want: []SSEEvent{ev("a\n b\n\nc", "data: a\ndata:  b\ndata\ndata:c\n\n")}},
		{name: "CRLF", in: "data: a\r\n\r\ndata: b\r\n\r\n", want: []SSEEvent{ev("a", "data: a\r\n\r\n"), ev("b", "data: b\r\n\r\n")}},
		{name: "CR", in: "data: a\r\rdata: b\rdata: c\r\r", want: []SSEEvent{ev("a", "data: a\r\r"), ev("b\nc", "data: b\rdata: c\r\r")}},
		{name: "LF, then CRLF", in: "data: a\n\r\ndata: b\n\n", want: []SSEEvent{ev("a", "data: a\n\r"), ev("b", "\ndata: b\n\n")}},
		{name: "byte order mark", in: "\ufeffdata: a\n\n\ufeffdata: b\n\n", want: []SSEEvent{ev("a", "\ufeffdata: a\n\n"), {Raw: []byte("\ufeffdata: b\n\n")}}},
		{name: "comments come at once", in: ": ping\n\n:\r\ndata: a\n: within\n\n", want: []SSEEvent{
			{Comment: true, Raw: []byte(": ping\n")}, {Comment: true, Raw: []byte("\n")},
			{Comment: true, Raw: []byte(":\r")}, ev("a", "\ndata: a\n: within\n\n")}},
		{name: "broken off", in: "data: a\n\ndata: b\n", want: []SSEEvent{ev("a", "data: a\n\n"), ev("b", "data: b\n")}, err: io.ErrUnexpectedEOF},
		{name: "broken off in a comment", in: "data: a\n\n: b", want: []SSEEvent{ev("a", "data: a\n\n")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.err == nil {
				tt.err = io.EOF
			}
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "data with EOF": iotest.DataErrReader(strings.NewReader(tt.in))} {
				got, err := readEvents(t, r, 0)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
				if !errors.Is(err, tt.err) {
					t.Errorf("%s: error %v, want %v", how, err, tt.err)
				}
			}
		})
	}
}

// An event is there as soon as its last byte is: nothing waits for the next one.
func TestEventReaderDoesNotWait(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"data: a\n\n", "data: a\r\n\r\n", "\ufeffdata: a\n\n", ": x\n", ": x\r\n", "\n", "data: a\r\rdata: b\r\r"} {
		r, w := io.Pipe()
		events := NewEventReader(r, 0)
		go func() { _, _ = io.WriteString(w, in) }()
		for read := 0; read < len(in); { // the pipe stays open: a reader that waits hangs here
			e, err := events.Next()
			if err != nil {
				t.Fatalf("%q: %v", in, err)
			}
			read += len(e.Raw)
		}
		r.Close()
	}
}

func TestEventReaderLimit(t *testing.T) {
	t.Parallel()
	long := "data: " + strings.Repeat("x", 3<<20) + "\n\n"
	got, err := readEvents(t, strings.NewReader(long+"data: y\n\n"), 4<<20)
	if !errors.Is(err, io.EOF) || len(got) != 2 || string(got[0].Raw) != long || string(got[1].Data) != "y" {
		t.Errorf("a line of 3 MiB below the limit: %d events, %v", len(got), err)
	}
	if _, err := readEvents(t, strings.NewReader(long), 2<<20); !errors.Is(err, ErrEventTooLarge) {
		t.Errorf("an event beyond the limit: %v", err)
	}
	if _, err := readEvents(t, strings.NewReader(strings.Repeat("a: b\n", 1<<10)), 1<<10); !errors.Is(err, ErrEventTooLarge) {
		t.Errorf("lines without end: %v", err)
	}
	if _, err := readEvents(t, io.MultiReader(strings.NewReader("data: x\n"), iotest.ErrReader(io.ErrClosedPipe)), 0); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the reader's error: %v", err)
	}
}

// However an event's lines end, each byte is looked at a few times at most.
func TestManyLinesAreCheap(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"LF": "\n", "CR": "\r", "CRLF": "\r\n"} {
		start := time.Now()
		e, err := NewEventReader(strings.NewReader(strings.Repeat("data: 1"+end, 400_000)+end), 0).Next()
		// Minutes where the time grows with the square of the length.
		if took := time.Since(start); err != nil || len(e.Data) != 2*400_000-1 || took > 30*time.Second {
			t.Errorf("%s: %d bytes, %v, in %v", name, len(e.Data), err, took)
		}
	}
}

func TestAppendEvent(t *testing.T) {
	t.Parallel()
	got := string(AppendEvent([]byte("x"), SSEEvent{ID: "7", HasID: true, Event: "e", Retry: "5", Data: []byte("a\nb\r\nc\rd")}))
	if want := "xid: 7\nevent: e\nretry: 5\ndata: a\ndata: b\ndata: c\ndata: d\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(AppendEvent(nil, SSEEvent{ID: "1\n2", HasID: true, Event: "a\rb", Retry: "x"})); got != "\n" {
		t.Errorf("fields that stand on no line: %q", got)
	}
	if got := string(AppendEvent(nil, SSEEvent{Comment: true, Raw: []byte(": p\n")})); got != ": p\n" {
		t.Errorf("a comment: %q", got)
	}
}

// FuzzEvents: however a stream is cut, the events are the same, their bytes are the
// stream, and each one survives being written and read again.
func FuzzEvents(f *testing.F) {
	for _, in := range []string{"", "data: {}\n\n", "id: 1\r\ndata:\r\n\r\n: c\r\n\r\n", "\ufeffdata: a\r\rdata: b\n\r\ndata", "retry: 1\n\n\n\r\r\n:\r\n", "data: a\r\n\r"} {
		f.Add([]byte(in), uint16(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint16) {
		want, wantErr := readEvents(t, bytes.NewReader(in), 1<<20)
		at := 0
		if len(in) > 0 {
			at = int(cut) % len(in)
		}
		for how, r := range map[string]io.Reader{
			"byte by byte": iotest.OneByteReader(bytes.NewReader(in)),
			"in two":       io.MultiReader(bytes.NewReader(in[:at]), bytes.NewReader(in[at:])),
			"by halves":    iotest.HalfReader(bytes.NewReader(in)),
			"data and EOF": iotest.DataErrReader(bytes.NewReader(in)),
		} {
			got, err := readEvents(t, r, 1<<20)
			if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, wantErr) {
				t.Fatalf("%s: error %v, want %v; events (-want +got):\n%s", how, err, wantErr, diff)
			}
		}
		var raw []byte
		for _, e := range want {
			raw = append(raw, e.Raw...)
		}
		if left, ok := bytes.CutPrefix(in, raw); !ok || bytes.Contains(left, []byte("\n\n")) {
			t.Fatalf("the events' bytes are %q", raw)
		}
		for _, e := range want {
			if e.Comment {
				continue
			}
			again, err := readEvents(t, bytes.NewReader(AppendEvent(nil, e)), 2<<20)
			if e.Data == nil && !e.HasID && e.Event == "" && e.Retry == "" {
				continue // an empty line says as much
			}
			if !errors.Is(err, io.EOF) || len(again) != 1 {
				t.Fatalf("written again: %d events, %v", len(again), err)
			}
			again[0].Raw = e.Raw
			if diff := cmp.Diff(e, again[0]); diff != "" {
				t.Fatalf("written again (-want +got):\n%s", diff)
			}
		}
	})
}
