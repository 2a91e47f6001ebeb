package graph_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// session is an upload session that breaks the connection after some bytes of each of
// the first tries.
type session struct {
	mu     sync.Mutex
	id     string
	breaks []int
	got    string
}

func (s *session) serve(w http.ResponseWriter, r seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/uploads"):
		_, _ = fmt.Fprintf(w, `{"id":%q}`, s.id)
	case r.Method == http.MethodGet:
		_, _ = fmt.Fprintf(w, `{"id":"x","file_offset":%d}`, len(s.got))
	default:
		offset, _ := strconv.Atoi(r.Header.Get("file_offset"))
		if offset != len(s.got) || r.Header.Get("Authorization") != "OAuth "+userToken {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"code":100,"message":"wrong offset"}}`)
			return
		}
		if len(s.breaks) > 0 {
			s.got += r.body[:s.breaks[0]]
			s.breaks = s.breaks[1:]
			hang(w, r)
			return
		}
		s.got += r.body
		_, _ = io.WriteString(w, `{"h":"4::handle"}`)
	}
}

func TestUploadResumable(t *testing.T) {
	t.Parallel()
	const file = "0123456789"
	const signed = "upload:MTphdHRhY2htZW50==?sig=ARZ-a_b"
	tests := map[string]struct {
		id     string
		breaks []int
		code   fault.Code
	}{
		"at once":            {id: signed},
		"without signature":  {id: "upload:abc"},
		"after a break":      {id: signed, breaks: []int{4}},
		"after three breaks": {id: signed, breaks: []int{4, 0, 3}},
		"given up":           {id: signed, breaks: []int{1, 1, 1, 1}, code: fault.CallUnknown},
		"an id with a path":  {id: "upload:a/../b", code: fault.MetaRefused},
		"an id with a query": {id: "upload:a?x=1", code: fault.MetaRefused},
		"a bad signature":    {id: "upload:a?sig=x&y=1", code: fault.MetaRefused},
		"another kind of id": {id: "123", code: fault.MetaRefused},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &session{id: tt.id, breaks: tt.breaks}
			d := api(t, s.serve)
			handle, err := graph.UploadResumable(t.Context(), d, "8000000000000001", graph.Source{Name: "a.png", Type: "image/png", Size: int64(len(file)), Content: strings.NewReader(file)}, graph.TokenRef{})
			if tt.code != "" {
				refuses(t, err, tt.code)
				return
			}
			if err != nil || handle != "4::handle" || s.got != file {
				t.Fatalf("handle %q, %v, Meta has %q", handle, err, s.got)
			}
			begin := d.calls()[0]
			if begin.form.Get("file_length") != "10" || begin.form.Get("file_name") != "a.png" || begin.form.Get("file_type") != "image/png" {
				t.Errorf("begun with %v", begin.form)
			}
		})
	}
}

func TestUploadVideo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url    string
		header map[string]string
		body   string
	}{
		"bytes":   {"", map[string]string{"Offset": "0", "File_size": "5"}, "VIDEO"},
		"address": {"https://example.com/a.mp4", map[string]string{"File_url": "https://example.com/a.mp4"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			d := api(t, func(w http.ResponseWriter, r seen) {
				if n++; n == 1 {
					hang(w, r) // the same bytes to the same place may be sent again
					return
				}
				_, _ = io.WriteString(w, `{"success":true}`)
			})
			_, err := graph.UploadVideo(t.Context(), d, graph.PageVideos, "4500000000000001", graph.Source{Size: 5, Content: strings.NewReader("VIDEO")}, tt.url, graph.TokenRef{})
			if err != nil {
				t.Fatal(err)
			}
			r := d.calls()[1]
			for name, want := range tt.header {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			if r.body != tt.body || r.URL.Path != "/video-upload/v26.0/4500000000000001" || r.Header.Get("Authorization") != "OAuth "+userToken {
				t.Errorf("%s %s, body %q", r.Header.Get("Authorization"), r.URL.Path, r.body)
			}
		})
	}
}

func TestFilesTravelAsAForm(t *testing.T) {
	t.Parallel()
	d := api(t, answers(`200 {"id":"1"}`))
	r := post("act_1", "adimages")
	r.Files = []graph.File{{Field: "source", Name: `a".png`, Type: "image/png", Body: []byte("PNG")}}
	if _, err := d.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	body := d.calls()[0].body
	for _, part := range []string{`name="name"`, `name="appsecret_proof"`, `name="source"; filename="a\".png"`, "Content-Type: image/png", "PNG"} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is missing in\n%s", part, body)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answers []string
		status  string
		percent int
		done    bool
		fails   fault.Code
		says    string
	}{
		"begun":                 {[]string{`200 {"async_status":"Job Not Started","async_percent_completion":0}`}, "Job Not Started", 0, false, "", ""},
		"on its way":            {[]string{`200 {"async_status":"Job Running","async_percent_completion":40,"is_running":true}`}, "Job Running", 40, false, "", ""},
		"completed, not ready":  {[]string{`200 {"async_status":"Job Completed","async_percent_completion":90}`}, "Job Completed", 90, false, "", ""},
		"done":                  {[]string{`200 {"async_status":"Job Completed","async_percent_completion":100}`}, "Job Completed", 100, true, "", ""},
		"percent without state": {[]string{`200 {"async_status":"Job Running","async_percent_completion":100}`}, "Job Running", 100, false, "", ""},
		"failed, with a reason": {[]string{`200 {"async_status":"Job Failed","async_percent_completion":3}`, `200 {"error_code":100,"error_subcode":1487534,"error_user_msg":"Too many rows. Ask someone@example.com"}`}, "Job Failed", 3, false, fault.TooMuchData, "Too many rows. Ask [address]"},
		"failed, an old API":    {[]string{`200 {"async_status":"Job Failed","async_percent_completion":3}`, `400 {"error":{"code":100}}`}, "Job Failed", 3, false, fault.MetaUnavailable, `Meta says "Job Failed"`},
		"skipped":               {[]string{`200 {"async_status":"Job Skipped"}`, `200 {}`}, "Job Skipped", 0, false, fault.MetaUnavailable, "Job Skipped"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(append([]string{`200 {"report_run_id":"77"}`}, tt.answers...)...))
			read := get("act_1", "insights")
			read.Query = url.Values{"level": {"ad"}}
			id, err := graph.StartReport(t.Context(), d, read)
			if err != nil {
				t.Fatal(err)
			}
			r, err := graph.ReportStatus(t.Context(), d, id, graph.TokenRef{})
			if err != nil || r.Status != tt.status || r.Percent != tt.percent || r.Done != tt.done {
				t.Fatalf("%+v, %v", r, err)
			}
			if tt.fails == "" {
				if r.Failure != nil {
					t.Fatal(r.Failure)
				}
			} else if r.Failure == nil || r.Failure.Code != tt.fails || !strings.Contains(r.Failure.Message, tt.says) {
				t.Errorf("failure %v", r.Failure)
			}
			calls := d.calls()
			if calls[0].Method != "POST" || calls[0].form.Get("level") != "ad" || calls[1].URL.Path != "/v26.0/77" {
				t.Errorf("calls %v %v", d.lines(), calls[0].form)
			}
			if _, err := d.Do(t.Context(), graph.ReportRows(id, graph.TokenRef{}, nil)); err == nil && d.calls()[len(calls)].URL.Path != "/v26.0/77/insights" {
				t.Errorf("rows of %v", d.lines())
			}
		})
	}
	d := api(t, answers(`200 {"report_run_id":"../1"}`))
	_, err := graph.StartReport(t.Context(), d, get("act_1", "insights"))
	refuses(t, err, fault.MetaRefused)
}
