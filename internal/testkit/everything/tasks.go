package everything

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// tasks are the calls that were answered with a task. They are kept until the server
// closes, longer than their ttl.
type tasks struct {
	ctx  context.Context
	stop context.CancelFunc
	run  sync.WaitGroup

	mu   sync.Mutex
	byID map[string]*task
}

const taskTTL = 5 * time.Minute

func newTasks() *tasks {
	ctx, stop := context.WithCancel(context.Background())
	return &tasks{ctx: ctx, stop: stop, byID: map[string]*task{}}
}

func (ts *tasks) close() {
	ts.stop()
	ts.run.Wait()
}

// task is one of them; its fields belong to the lock of tasks.
type task struct {
	all              *tasks
	id, status       string
	created, updated time.Time
	result           object
	failure          *rpcError
	pending          object                     // questions not answered yet, by key
	answers          map[string]json.RawMessage // by key
	answered         chan struct{}              // closed when nothing is pending any more
	cancel           context.CancelFunc
}

// job is the work of a tool that can run as a task: it returns its result or a failure,
// and ends early when ctx does. Questions that come before the task exists (first) are
// an interrupted call.
type job struct {
	first func(m *message) object
	run   func(ctx context.Context, t *task, m *message) (object, *rpcError)
}

var jobs = map[string]job{
	"slow_compute":       {run: slowCompute},
	"failing_job":        {run: failingJob},
	"protocol_error_job": {run: protocolErrorJob},
	"confirm_delete":     {run: confirmDelete},
	"multi_input":        {run: multiInput},
	"test_tool_with_task": {
		first: func(m *message) object {
			if len(m.Params.InputResponses) > 0 {
				return nil
			}
			return object{"user_name": question("What is your name?", "name", "string")}
		},
		run: func(_ context.Context, _ *task, m *message) (object, *rpcError) {
			return content("The task is for " + accepted(m.Params.InputResponses["user_name"], "name")), nil
		},
	},
}

func (ts *tasks) call(m *message) (object, *rpcError) {
	j := jobs[m.Params.Name]
	if j.first != nil {
		if ask := j.first(m); ask != nil {
			return object{"resultType": "input_required", "inputRequests": ask}, nil
		}
	}
	ctx, cancel := context.WithCancel(ts.ctx)
	now := time.Now()
	t := &task{all: ts, id: rand.Text(), status: "working", created: now, updated: now, cancel: cancel}
	created := t.describe()
	created["resultType"] = "task"
	ts.mu.Lock()
	ts.byID[t.id] = t
	ts.mu.Unlock()
	ts.run.Go(func() {
		defer cancel()
		result, failure := j.run(ctx, t, m)
		ts.mu.Lock()
		defer ts.mu.Unlock()
		switch {
		case t.status == "cancelled":
		case failure != nil:
			t.set("failed")
			t.failure = failure
		default:
			t.set("completed")
			t.result = result
		}
	})
	return created, nil
}

func (t *task) set(status string) { t.status, t.updated = status, time.Now() }

// describe is the part that every form of a task has.
func (t *task) describe() object {
	return object{
		"taskId": t.id, "status": t.status, "ttlMs": taskTTL.Milliseconds(), "pollIntervalMs": 100,
		"createdAt": t.created.UTC().Format(time.RFC3339Nano), "lastUpdatedAt": t.updated.UTC().Format(time.RFC3339Nano),
	}
}

func (ts *tasks) find(id string) (*task, *rpcError) {
	if t, ok := ts.byID[id]; ok {
		return t, nil
	}
	return nil, invalid("no task has this id")
}

func (ts *tasks) get(id string) (object, *rpcError) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, fail := ts.find(id)
	if fail != nil {
		return nil, fail
	}
	detailed := t.describe()
	switch t.status {
	case "completed":
		detailed["result"] = t.result
	case "failed":
		detailed["error"] = t.failure
	case "input_required":
		still := object{}
		for key, ask := range t.pending {
			still[key] = ask
		}
		detailed["inputRequests"] = still
	}
	return detailed, nil
}

func (ts *tasks) update(id string, responses map[string]json.RawMessage) (object, *rpcError) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, fail := ts.find(id)
	if fail != nil {
		return nil, fail
	}
	if t.status != "input_required" {
		return object{}, nil
	}
	for key, response := range responses {
		if _, asked := t.pending[key]; asked {
			delete(t.pending, key)
			t.answers[key] = response
		}
	}
	if len(t.pending) == 0 {
		t.set("working")
		close(t.answered)
	}
	return object{}, nil
}

func (ts *tasks) cancel(id string) (object, *rpcError) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, fail := ts.find(id)
	if fail != nil {
		return nil, fail
	}
	if t.status == "working" || t.status == "input_required" {
		t.set("cancelled")
		t.cancel()
	}
	return object{}, nil
}

// ask puts questions to the client and waits for all answers.
func (t *task) ask(ctx context.Context, questions object) (map[string]json.RawMessage, error) {
	t.all.mu.Lock()
	if t.status != "working" {
		t.all.mu.Unlock()
		return nil, context.Canceled
	}
	answered := make(chan struct{})
	t.pending, t.answers, t.answered = questions, map[string]json.RawMessage{}, answered
	t.set("input_required")
	t.all.mu.Unlock()
	select {
	case <-answered:
		t.all.mu.Lock()
		defer t.all.mu.Unlock()
		return t.answers, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func content(text string) object {
	return object{"resultType": "complete", "content": []object{{"type": "text", "text": text}}}
}

func question(message, property, kind string) object {
	return object{"method": "elicitation/create", "params": object{
		"mode": "form", "message": message,
		"requestedSchema": object{
			"type": "object", "properties": object{property: object{"type": kind}}, "required": []string{property},
		},
	}}
}

// accepted is a member of the content of an accepted elicitation, as text.
func accepted(response json.RawMessage, member string) string {
	var r struct {
		Action  string         `json:"action"`
		Content map[string]any `json:"content"`
	}
	if json.Unmarshal(response, &r) != nil || r.Action != "accept" {
		return ""
	}
	s, _ := r.Content[member].(string)
	return s
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func slowCompute(ctx context.Context, _ *task, m *message) (object, *rpcError) {
	var in struct {
		Seconds float64 `json:"seconds"`
		Label   string  `json:"label"`
	}
	if json.Unmarshal(m.Params.Arguments, &in) != nil {
		return nil, invalid("seconds is a number, label a string")
	}
	pause(ctx, time.Duration(in.Seconds*float64(time.Second)))
	return content("computed " + in.Label), nil
}

func failingJob(ctx context.Context, _ *task, _ *message) (object, *rpcError) {
	pause(ctx, 300*time.Millisecond)
	result := content("the job failed, as it always does")
	result["isError"] = true
	return result, nil
}

func protocolErrorJob(context.Context, *task, *message) (object, *rpcError) {
	return nil, &rpcError{Code: -32603, Message: "the job broke down, as it always does", status: http.StatusOK}
}

func confirmDelete(ctx context.Context, t *task, m *message) (object, *rpcError) {
	var in struct {
		Filename string `json:"filename"`
	}
	_ = json.Unmarshal(m.Params.Arguments, &in)
	if _, err := t.ask(ctx, object{"confirm": question("Really?", "confirm", "boolean")}); err != nil {
		return nil, nil
	}
	return content("nothing was deleted, not even " + in.Filename), nil
}

func multiInput(ctx context.Context, t *task, _ *message) (object, *rpcError) {
	answers, err := t.ask(ctx, object{
		"first":  question("First name?", "name", "string"),
		"second": question("Second name?", "name", "string"),
	})
	if err != nil {
		return nil, nil
	}
	return content(accepted(answers["first"], "name") + " and " + accepted(answers["second"], "name")), nil
}
