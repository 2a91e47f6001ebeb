package graphtool_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
)

// slowReports finds every question too large and never finishes a report.
type slowReports struct{ asked []string }

func (s *slowReports) Do(_ context.Context, r graph.Request) (*graph.Response, error) {
	s.asked = append(s.asked, r.Method+" "+strings.Join(r.Path, "/"))
	switch {
	case r.Method == "POST":
		return &graph.Response{Body: json.RawMessage(`{"report_run_id":"6500"}`)}, nil
	case r.Path[0] == "6500":
		return &graph.Response{Body: json.RawMessage(`{"id":"6500","async_status":"Job Running","async_percent_completion":40,"is_running":true}`)}, nil
	}
	return nil, fault.New(fault.TooMuchData, "too much")
}

// TestReportThatTakesLong: the call waits about a minute, tells how far the report is,
// and then names it, so that the caller can fetch it later.
func TestReportThatTakesLong(t *testing.T) {
	t.Parallel()
	client, waited, told := &slowReports{}, time.Duration(0), 0
	runner := &tool.Runner{Graph: client, Sleep: func(_ context.Context, d time.Duration) error {
		waited += d
		return nil
	}}
	h := runner.Handler(graphtool.Named("meta_get_account_insights"))
	res := h.Call(t.Context(), json.RawMessage(`{"ad_account_id":"act_1"}`), func(done, total float64, message string) {
		if done != 40 || total != 100 || !strings.Contains(message, "Job Running") {
			t.Errorf("progress is %v of %v: %s", done, total, message)
		}
		told++
	})
	if res.Fault == nil || res.Fault.Code != fault.NotReady || res.Fault.Details["report_run_id"] != "6500" || !strings.Contains(res.Text, "meta_get_insights_report") {
		t.Fatalf("the answer is %s", res.Text)
	}
	if waited < 45*time.Second || waited > 90*time.Second || told == 0 {
		t.Errorf("it waited %s and told %d times", waited, told)
	}
	if client.asked[0] != "GET act_1/insights" || client.asked[1] != "POST act_1/insights" {
		t.Errorf("Meta was asked %q", client.asked)
	}
}

// TestChartPicture: the picture is in the answer and, where it was asked for, the same
// in the file; a link doesn't lead out of the folder.
func TestChartPicture(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	h := (&tool.Runner{Settings: tool.Settings{UploadDir: dir}}).Handler(graphtool.Named("meta_generate_chart"))
	call := func(path string) *tool.Result {
		args := `{"title":"Clicks","labels":["a","b"],"datasets":[{"label":"Clicks","data":[1,2]}],"output_path":"` + path + `"}`
		return h.Call(t.Context(), json.RawMessage(args), nil)
	}
	res := call("clicks.png")
	if res.Fault != nil || len(res.Images) != 1 {
		t.Fatalf("%d pictures: %s", len(res.Images), res.Text)
	}
	img, err := png.Decode(bytes.NewReader(res.Images[0].PNG))
	if err != nil || img.Bounds().Dx() != 900 || img.Bounds().Dy() != 560 {
		t.Errorf("the picture: %v %v", img.Bounds(), err)
	}
	if written, err := os.ReadFile(filepath.Join(dir, "clicks.png")); err != nil || !bytes.Equal(written, res.Images[0].PNG) {
		t.Errorf("the file is not the picture: %v", err)
	}
	for _, path := range []string{"out/clicks.png", "../clicks.png", "/etc/clicks.png", "clicks.png", "none/clicks.png"} {
		if res := call(path); res.Fault == nil || res.Fault.Code != fault.UploadRefused {
			t.Errorf("%s: %s", path, res.Text)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside of the folder there is %v %v", left, err)
	}
}
