package tool

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"sluice/internal/fault"
)

// Progress tells how far a long call is: done of total (0: unknown), with words.
type Progress func(done, total float64, message string)

// Handler is a tool as an MCP server needs it: its definition, and what it does.
type Handler interface {
	Name() string
	// Set is the set it belongs to, Scopes what Meta has to have granted for it.
	Set() string
	Scopes() []string
	// Core reports whether it is in the short list, Gone whether all it does is to say
	// that Meta offers nothing for it.
	Core() bool
	Gone() bool
	// Definition is the JSON of its entry in tools/list.
	Definition() json.RawMessage
	// Call does it. It never returns nil.
	Call(ctx context.Context, arguments json.RawMessage, p Progress) *Result
}

// Result is the answer to a call.
type Result struct {
	Text       string
	Structured json.RawMessage // nil: none
	Images     []Image
	Fault      *fault.Error // nil: it went well
}

// Runner makes handlers of records.
type Runner struct {
	Graph    Graph
	Settings Settings
	Now      func() time.Time                           // time.Now when nil
	Sleep    func(context.Context, time.Duration) error // real when nil
	Log      *slog.Logger
}

// Handler is the handler of a record. Its definition is written when a client first asks for
// it: most are in nobody's list. One that can't be written is a defect of the record, which
// the tests of all records find.
func (r *Runner) Handler(t *Tool) Handler {
	return &handler{r, t, sync.OnceValue(func() json.RawMessage {
		text, err := t.Definition()
		if err != nil {
			panic("tool " + t.Name + ": " + err.Error())
		}
		return text
	})}
}

type handler struct {
	runner *Runner
	tool   *Tool
	def    func() json.RawMessage
}

func (h *handler) Name() string                { return h.tool.Name }
func (h *handler) Set() string                 { return h.tool.Set }
func (h *handler) Scopes() []string            { return h.tool.AllScopes() }
func (h *handler) Core() bool                  { return h.tool.Core }
func (h *handler) Gone() bool                  { return h.tool.Gone != nil }
func (h *handler) Definition() json.RawMessage { return h.def() }

// Call implements Handler.
func (h *handler) Call(ctx context.Context, arguments json.RawMessage, p Progress) *Result {
	began := time.Now()
	result := h.call(ctx, arguments, p)
	if log := h.runner.Log; log != nil {
		code := ""
		if result.Fault != nil {
			code = string(result.Fault.Code)
		}
		log.Debug("tool", "tool", h.tool.Name, "ms", time.Since(began).Milliseconds(), "code", code)
	}
	return result
}

func (h *handler) call(ctx context.Context, arguments json.RawMessage, p Progress) *Result {
	r := h.runner
	now, sleep := r.Now, r.Sleep
	if now == nil {
		now = time.Now
	}
	if sleep == nil {
		sleep = rest
	}
	if p == nil {
		p = func(float64, float64, string) {}
	}
	args, notices, err := h.tool.bind(arguments, now())
	if err != nil {
		return Failed(err)
	}
	e := &Env{Tool: h.tool, Args: args, Graph: r.Graph, Settings: r.Settings, Now: now, Sleep: sleep, Progress: p, notices: notices}
	answer, err := e.run(ctx)
	if err != nil {
		return Failed(err)
	}
	result, err := h.tool.show(answer, args)
	if err != nil {
		return Failed(err)
	}
	return result
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Failed is the result of a call that failed.
func Failed(err error) *Result {
	f, ok := fault.As(err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = fault.New(fault.Cancelled, "the call was given up").Wrap(err)
	default:
		f = fault.New(fault.Internal, "the tool failed").Wrap(err)
	}
	fix := f.Fix
	if fix == "" {
		fix = fault.Lookup(f.Code).Fix
	}
	var b strings.Builder
	b.WriteString("[" + string(f.Code) + "] " + f.Message)
	if fix != "" {
		b.WriteString("\nWhat to do: " + fix)
	}
	if f.RetryAfter > 0 {
		b.WriteString("\nTry again in " + (time.Duration(f.RetryAfter) * time.Second).String() + ".")
	}
	if said := metaSaid(f); said != "" {
		b.WriteString("\nMeta: " + said)
	}
	return &Result{Text: b.String(), Fault: f}
}

// metaSaid is code, subcode and trace of a refusal by Meta, for whoever asks support.
func metaSaid(f *fault.Error) string {
	var parts []string
	for _, name := range []string{"code", "subcode", "title", "user_msg", "field", "fbtrace_id"} {
		v, ok := f.Details[name]
		if !ok {
			continue
		}
		text, err := parameter(v)
		if err != nil || text == "" || text == "0" {
			continue
		}
		parts = append(parts, name+" "+text)
	}
	return strings.Join(parts, ", ")
}
