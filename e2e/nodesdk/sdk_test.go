package nodesdk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"sluice/internal/testkit"
)

// input is what sdk.mjs reads.
type input struct {
	Graph    string    `json:"graph,omitempty"`
	Token    string    `json:"token,omitempty"`
	Dataset  string    `json:"dataset,omitempty"`
	Requests [][]event `json:"requests"`
}

// event is a conversion in plain identifiers, as a caller of the SDK has it.
type event struct {
	Name      string            `json:"event_name"`
	Time      int64             `json:"event_time"`
	ID        string            `json:"event_id"`
	Source    string            `json:"action_source"`
	SourceURL string            `json:"event_source_url,omitempty"`
	User      map[string]string `json:"user"`
	Custom    *custom           `json:"custom,omitempty"`
}

type custom struct {
	Currency string    `json:"currency,omitempty"`
	Value    float64   `json:"value,omitempty"`
	OrderID  string    `json:"order_id,omitempty"`
	Contents []content `json:"contents,omitempty"`
}

type content struct {
	ID        string  `json:"id"`
	Quantity  int64   `json:"quantity"`
	ItemPrice float64 `json:"item_price"`
}

// answer is what the SDK made of one request.
type answer struct {
	Normalized []struct {
		UserData map[string]any `json:"user_data"`
	} `json:"normalized"`
	EventsReceived int      `json:"events_received"`
	Messages       []string `json:"messages"`
	TraceID        string   `json:"fbtrace_id"`
	Error          *struct {
		Name     string `json:"name"`
		Message  string `json:"message"`
		Status   int    `json:"status"`
		Response struct {
			Code      int    `json:"code"`
			Subcode   int    `json:"error_subcode"`
			Type      string `json:"type"`
			UserTitle string `json:"error_user_title"`
			TraceID   string `json:"fbtrace_id"`
		} `json:"response"`
	} `json:"error"`
}

// runSDK lets the SDK work through in, one answer per request. It skips, or
// fails in CI, where node or the SDK can't be had.
func runSDK(t *testing.T, in input) []answer {
	t.Helper()
	testkit.Need(t, "node", "npm")
	modules, err := testkit.NodeModules(".")
	if err != nil {
		testkit.Unavailable(t, "the SDK can't be installed: "+err.Error())
	}
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	// Generous: it only ends a run that hangs.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "sdk.mjs")
	cmd.Env = append(os.Environ(), "SLUICE_NODE_MODULES="+modules, "NO_PROXY=*")
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node sdk.mjs: %v\n%s", err, stderr.String())
	}
	var answers []answer
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var a answer
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatalf("the SDK printed %.200q: %v", lines.Text(), err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(in.Requests) {
		t.Fatalf("%d answers to %d requests\n%s", len(answers), len(in.Requests), stderr.String())
	}
	return answers
}
