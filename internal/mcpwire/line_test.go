package mcpwire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestAppendLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1}`:                   "{\"a\":1}\n",
		"{\r\n\t\"a\" : \"\\n\"\n}": "{  \t\"a\" : \"\\n\" }\n",
	} {
		if got := string(AppendLine([]byte("\n"), []byte(in))); got != "\n"+want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
}

func TestLineReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3<<20)
	for _, tt := range []struct {
		name, in string
		limit    int
		want     []string
	}{
		{name: "lines", in: "a\n\n \r\nb\r\n c", want: []string{"a", "b", "c"}},
		{name: "long", in: long + "\nb\n", want: []string{long, "b"}},
		{name: "too long", in: "a\n" + long + "\nb\n" + long, limit: 1 << 20, want: []string{"a", "!", "b", "!"}},
		{name: "at the limit", in: "aaaa\nbbbbb\ncc\n", limit: 4, want: []string{"aaaa", "!", "cc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "halves": iotest.HalfReader(strings.NewReader(tt.in)), "data with EOF": iotest.DataErrReader(strings.NewReader(tt.in))} {
				lines := NewLineReader(r, tt.limit)
				var got []string
				for {
					line, err := lines.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if errors.Is(err, ErrLineTooLong) {
						line = []byte("!")
					} else if err != nil {
						t.Fatal(err)
					}
					got = append(got, string(line))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%.300s", how, diff)
				}
			}
		})
	}
}
