package tool

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// shaky is an upload host to which the line breaks: it keeps as many bytes as plan says
// of each try; what is no number of bytes is the whole.
type shaky struct {
	plan  []int
	have  []byte
	tries []string // offset and length of each
}

func (s *shaky) Do(_ context.Context, r graph.Request) (*graph.Response, error) {
	if r.Method == "GET" {
		return &graph.Response{Body: fmt.Appendf(nil, `{"status":{"uploading_phase":{"status":"in_progress","bytes_transferred":%d}}}`, len(s.have))}, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.tries = append(s.tries, r.Header.Get("offset")+"+"+fmt.Sprint(len(body)))
	if len(s.plan) > 0 {
		s.have = append(s.have, body[:s.plan[0]]...)
		s.plan = s.plan[1:]
		return nil, fault.New(fault.CallUnknown, "the connection broke")
	}
	s.have = append(s.have, body...)
	return &graph.Response{Body: []byte(`{"success":true}`)}, nil
}

// TestUploadGoesOn: after a break an upload carries on where Meta stopped.
func TestUploadGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan  []int
		tries []string
		ok    bool
	}{
		"in one go":                        {nil, []string{"0+10"}, true},
		"breaks before a byte":             {[]int{0}, []string{"0+10", "0+10"}, true},
		"breaks twice":                     {[]int{4, 3}, []string{"0+10", "4+6", "7+3"}, true},
		"breaks after the last byte":       {[]int{10}, []string{"0+10"}, true},
		"breaks again and again, for good": {[]int{1, 1, 1, 1, 1}, []string{"0+10", "1+9", "2+8", "3+7"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "film")
			if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			host := &shaky{plan: c.plan}
			e := &Env{Tool: &Tool{}, Graph: host, Sleep: func(context.Context, time.Duration) error { return nil }}
			_, err = e.Upload(t.Context(), Target{On: "Video", ID: "4500000000000001", Edge: "video-upload", Page: "4000000000000001"}, "", &File{File: f, Name: "film", Size: 10})
			if (err == nil) != c.ok || !slices.Equal(host.tries, c.tries) {
				t.Errorf("%v after %v, want %v", err, host.tries, c.tries)
			}
			if c.ok && string(host.have) != "0123456789" {
				t.Errorf("arrived: %q", host.have)
			}
		})
	}
}
