// Package tools tests the server for Meta's platform: the built program as clients have
// it, the server behind the gateway, and, in process, what no tool may ever do: let a
// token out, or put into an address what is no id.
package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/sandbox"
	"sluice/internal/testkit/mcptest"
	"sluice/internal/writetool"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

// records are all tools.
var records = sync.OnceValue(func() []*tool.Tool { return slices.Concat(graphtool.All(), writetool.Records()) })

// rig is the tools over the client of the Graph API and a sandbox, without MCP in between.
type rig struct {
	t        testing.TB
	o        rigged
	box      *sandbox.Server
	logs     bytes.Buffer // of everything, at debug
	runner   *tool.Runner
	handlers map[string]tool.Handler
	saved    map[string]string

	mu   sync.Mutex
	at   time.Time
	told strings.Builder // by progress
}

// rigged is how a rig is made. Zero values are the defaults.
type rigged struct {
	tokens    graph.Tokens
	transport func(http.RoundTripper) http.RoundTripper
	more      []tool.Handler // beside those of Graph
}

func newRig(t testing.TB, o rigged) *rig {
	t.Helper()
	r := &rig{t: t, o: o, at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), handlers: map[string]tool.Handler{}, saved: map[string]string{}}
	r.box = sandbox.New(sandbox.Options{Now: r.now, Seed: 1})
	if o.tokens.User == nil {
		r.o.tokens = graph.Tokens{User: graph.StaticToken(sandbox.Token), Threads: graph.StaticToken(sandbox.ThreadsToken)}
	}
	log := slog.New(slog.NewTextHandler(&locked{to: &r.logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.runner = &tool.Runner{Settings: tool.Settings{UploadDir: uploads(t)}, Now: r.now, Sleep: r.sleep, Log: log}
	for _, h := range o.more {
		r.handlers[h.Name()] = h
	}
	r.forget()
	return r
}

// forget gives the tools a client that has seen nothing: no Page token, no limit, no open
// circuit.
func (r *rig) forget() {
	r.t.Helper()
	transport := r.box.RoundTripper()
	if r.o.transport != nil {
		transport = r.o.transport(transport)
	}
	api, err := graph.NewAPI(graph.APIOptions{
		Bases: here, Tokens: r.o.tokens, AppID: sandbox.App, AppSecret: sandbox.AppSecret, Transport: transport,
		Now: r.now, Sleep: r.sleep, Random: func() float64 { return 0 }, Log: r.runner.Log,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runner.Graph = api
}

// tool is a handler, made when it is first asked for.
func (r *rig) tool(name string) tool.Handler {
	if h := r.handlers[name]; h != nil {
		return h
	}
	record := graphtool.Named(name)
	if record == nil {
		r.t.Fatalf("there is no tool %s", name)
	}
	r.handlers[name] = r.runner.Handler(record)
	return r.handlers[name]
}

// here are the addresses of a Graph that a transport in this process answers for.
var here = map[graph.Host]string{
	graph.GraphHost: "http://127.0.0.1", graph.ThreadsHost: "http://127.0.0.1",
	graph.InstagramHost: "http://127.0.0.1", graph.UploadHost: "http://127.0.0.1",
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// sleep moves the clock instead of waiting.
func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
	return ctx.Err()
}

// heard notes the words of progress.
func (r *rig) heard(_, _ float64, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.WriteString(message + "\n")
}

// code is what a call came to: "" when it went well.
func code(r *tool.Result) fault.Code {
	if r.Fault == nil {
		return ""
	}
	return r.Fault.Code
}

func (r *rig) call(name, args string) *tool.Result {
	r.t.Helper()
	return r.tool(name).Call(r.t.Context(), json.RawMessage(args), r.heard)
}

// prepare makes the calls before a case, and returns its arguments. It reports false where
// one of them did not go well.
func (r *rig) prepare(c *tool.Case) (args string, ok bool) {
	r.t.Helper()
	for _, p := range c.Before {
		res := r.call(p.Tool, r.filled(p.Args))
		if res.Fault != nil {
			return "", false
		}
		var answer map[string]any
		if err := json.Unmarshal(res.Structured, &answer); err != nil {
			return "", false
		}
		for _, save := range strings.Fields(p.Save) {
			name, path, _ := strings.Cut(save, "=")
			r.saved[name] = member(answer["data"], path)
		}
	}
	return r.filled(c.Args), true
}

// member follows a dotted path.
func member(v any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		switch d := v.(type) {
		case map[string]any:
			v = d[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(d) {
				return ""
			}
			v = d[i]
		}
	}
	switch d := v.(type) {
	case string:
		return d
	case float64:
		return strconv.FormatFloat(d, 'f', -1, 64)
	}
	return ""
}

var variable = regexp.MustCompile(`\$\{([a-z_]+)([+-]\d+)?\}`)

// filled puts saved members, times and days into arguments. What was not saved is an id
// that nothing has.
func (r *rig) filled(text string) string {
	if text == "" {
		return "{}"
	}
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		m := variable.FindStringSubmatch(v)
		now := r.now().UTC()
		switch m[1] {
		case "now":
			plus, _ := strconv.ParseInt(m[2], 10, 64)
			return strconv.FormatInt(now.Unix()+plus, 10)
		case "today":
			return now.Format(time.DateOnly)
		case "yesterday":
			return now.AddDate(0, 0, -1).Format(time.DateOnly)
		}
		if saved := r.saved[m[1]]; saved != "" {
			return saved
		}
		return "77"
	})
}

// fails makes the sandbox fail every request from now on, or none with "".
func (r *rig) fails(plan string) {
	r.t.Helper()
	method := http.MethodPost
	if plan == "" {
		method = http.MethodDelete
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://127.0.0.1/_emulator/faults", strings.NewReader(plan))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.box.RoundTripper().RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if text, _ := io.ReadAll(res.Body); res.StatusCode >= 300 {
		r.t.Fatalf("the fault plan is refused: %s", text)
	}
}

// uploads is a folder with a picture, a film and lists.
func uploads(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string][]byte{
		"picture.png": append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 200)...),
		"picture.jpg": append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), make([]byte, 200)...),
		"film.mp4":    append([]byte("\x00\x00\x00\x18ftypmp42"), make([]byte, 4000)...),
		"people.csv":  []byte("email,phone\ncustomer.one@example.com,+44 20 7946 0001\nnot an address,\n"),
		"notes.txt":   []byte("plain words\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// locked lets several goroutines write one after the other.
type locked struct {
	mu sync.Mutex
	to io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// asked is one request on its way to Meta.
type asked struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// tap notes requests on their way.
type tap struct {
	next http.RoundTripper
	note func(asked)
}

// RoundTrip implements http.RoundTripper.
func (p *tap) RoundTrip(req *http.Request) (*http.Response, error) {
	a := asked{method: req.Method, url: req.URL, header: req.Header.Clone()}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		a.body, req.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	p.note(a)
	return p.next.RoundTrip(req)
}
