package mcpwire

import (
	"strings"
	"testing"
)

// typicalCall is a call as the official SDKs write it.
const typicalCall = `{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{"roots":{"listChanged":true}},"io.modelcontextprotocol/clientInfo":{"name":"example","version":"v1.0.0"},"io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":17},"name":"search_orders","arguments":{"customer":"c-1042","status":["open","held"],"limit":50}}}`

func reply(text string) []byte {
	return BuildResult([]byte("17"), append(AppendQuote([]byte(`{"content":[{"type":"text","text":`), text), `}]}`...))
}

func BenchmarkParse(b *testing.B) {
	raw := []byte(typicalCall)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(raw, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseReply(b *testing.B) {
	line := "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
	for name, text := range map[string]string{
		"64B":           strings.Repeat("x", 64),
		"64KiB":         strings.Repeat(line, 64<<10/len(line)),
		"3MiB":          strings.Repeat(line, 3<<20/len(line)),
		"3MiB-escapes":  strings.Repeat("\"a\": \"some value\",\n", 3<<20/18),
		"3MiB-japanese": strings.Repeat("すばやい茶色の狐", 3<<20/24),
	} {
		raw := reply(text)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseReply(raw, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMember(b *testing.B) {
	raw := []byte(typicalCall)
	m, err := Parse(raw, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !Member(raw, m.Arguments, "limit").Present() {
			b.Fatal("not found")
		}
	}
}

func BenchmarkEventReader(b *testing.B) {
	stream := strings.Repeat("event: message\ndata: "+string(reply(strings.Repeat("x", 64)))+"\n\n", 1000)
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		events := NewEventReader(strings.NewReader(stream), 0)
		for {
			if _, err := events.Next(); err != nil {
				break
			}
		}
	}
}

// The fast path takes nothing from the heap.
func TestParseAllocates(t *testing.T) {
	raw, result := []byte(typicalCall), reply(strings.Repeat("x", 64<<10))
	for name, parse := range map[string]func() error{
		"Parse":      func() error { _, err := Parse(raw, Limits{}); return err },
		"ParseReply": func() error { _, err := ParseReply(result, Limits{}); return err },
	} {
		var err error
		// The scanner's pool may be emptied in between by the collector.
		if n := testing.AllocsPerRun(200, func() { err = parse() }); err != nil || n >= 1 {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
}
