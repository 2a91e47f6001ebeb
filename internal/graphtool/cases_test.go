package graphtool_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
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

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/graph"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpserver"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/stdioserve"
	"sluice/internal/sandbox"
)

// TestCases runs every case of every record: a real MCP client, the server, the client of
// the Graph API, the sandbox.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, r := range all() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			for _, c := range r.Cases {
				t.Run(c.Name, func(t *testing.T) { newScene(t, &c, r.Set == "conversions").play(r, &c) })
			}
		})
	}
}

// scene is one case with everything it runs on.
type scene struct {
	t     *testing.T
	clock *clock
	box   *sandbox.Server
	wire  *recorder
	names map[string]string // what was saved
	mcp   *mcp.ClientSession
	extra []tool.Handler // of write-back
}

// clock is moved by waiting.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	return ctx.Err()
}

// newScene sets a case up. The ledger goes by the machine's clock, so that a scene of
// write-back has that one.
func newScene(t *testing.T, c *tool.Case, writes bool) *scene {
	t.Helper()
	s := &scene{t: t, clock: &clock{at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}, names: map[string]string{}}
	if writes {
		s.clock.at = time.Now()
	}
	s.box = sandbox.New(sandbox.Options{Now: s.clock.now, Seed: 1})
	s.wire = &recorder{next: s.box.RoundTripper()}
	if writes {
		s.ledger(c.Token != "write-back off")
	}
	settings := tool.Settings{UploadDir: uploads(t)}
	if c.Settings != nil {
		c.Settings(&settings)
	}
	s.mcp = s.connect(s.token(c.Token), settings)
	return s
}

// uploads is a folder with a small picture, a film and a list.
func uploads(t *testing.T) string {
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

// token makes the token of a case: "" all scopes, "none", a documented one, or
// "only:scope,scope".
func (s *scene) token(name string) graph.Tokens {
	text := name
	switch {
	case name == "none":
		return graph.Tokens{}
	case name == "", name == "write-back off":
		text = sandbox.Token
	case strings.HasPrefix(name, "only:"):
		text = "case-token"
		s.box.AddToken(sandbox.Grant{Token: text, Scopes: strings.Split(strings.TrimPrefix(name, "only:"), ",")})
	}
	threads := "sandbox-threads-token"
	if name == "sandbox-token-expired" {
		threads = "sandbox-threads-token-expired"
	}
	return graph.Tokens{User: graph.StaticToken(text), Threads: graph.StaticToken(threads)}
}

func (s *scene) connect(tokens graph.Tokens, settings tool.Settings) *mcp.ClientSession {
	s.t.Helper()
	bases := map[graph.Host]string{}
	for _, h := range []graph.Host{graph.GraphHost, graph.ThreadsHost, graph.InstagramHost, graph.UploadHost} {
		bases[h] = "http://127.0.0.1"
	}
	api, err := graph.NewAPI(graph.APIOptions{
		Bases: bases, Tokens: tokens, AppID: sandbox.App, AppSecret: sandbox.AppSecret, Transport: s.wire, Now: s.clock.now, Sleep: s.clock.sleep,
		Random: func() float64 { return 0 },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	runner := &tool.Runner{Graph: api, Settings: settings, Now: s.clock.now, Sleep: s.clock.sleep}
	handlers := s.extra
	for _, r := range graphtool.All() {
		handlers = append(handlers, runner.Handler(r))
	}
	server, err := mcpserver.New(mcpserver.Options{Name: "test", Version: "1", Tools: handlers, Search: true})
	if err != nil {
		s.t.Fatal(err)
	}
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = stdioserve.Serve(ctx, fromClient, toClient, stdioserve.Options{Upstream: server, Server: "test", Caller: exchange.Caller{ID: "local"}})
		_ = toClient.Close()
	}()
	client := mcp.NewClient(&mcp.Implementation{Name: "cases", Version: "1"}, nil)
	session, err := client.Connect(s.t.Context(), &mcp.IOTransport{Reader: fromServer, Writer: toServer}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = session.Close()
		cancel()
		_ = fromClient.Close()
		<-ended
	})
	return session
}

// answer is what a call gave.
type answer struct {
	text       string
	structured map[string]any
	code       string
	images     int
}

func (s *scene) call(name, args string) answer {
	s.t.Helper()
	args = s.filled(args)
	if args == "" {
		args = "{}"
	}
	if !json.Valid([]byte(args)) {
		s.t.Fatalf("the arguments of %s are no JSON: %s", name, args)
	}
	res, err := s.mcp.CallTool(s.t.Context(), &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(args)})
	if err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	var a answer
	for _, c := range res.Content {
		switch c := c.(type) {
		case *mcp.TextContent:
			a.text += c.Text
		case *mcp.ImageContent:
			a.images++
		}
	}
	a.structured, _ = res.StructuredContent.(map[string]any)
	if res.IsError {
		failure, _ := res.Meta[mcpserver.MetaError].(map[string]any)
		a.code, _ = failure["code"].(string)
	}
	return a
}

var variable = regexp.MustCompile(`\$\{([a-z_]+)([+-]\d+)?\}`)

func (s *scene) filled(text string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		m := variable.FindStringSubmatch(v)
		if m[1] == "now" {
			plus, _ := strconv.ParseInt(m[2], 10, 64)
			return strconv.FormatInt(s.clock.now().Unix()+plus, 10)
		}
		switch m[1] {
		case "today", "yesterday":
			day := s.clock.now().UTC()
			if m[1] == "yesterday" {
				day = day.AddDate(0, 0, -1)
			}
			return day.Format(time.DateOnly)
		}
		saved, ok := s.names[m[1]]
		if !ok {
			s.t.Errorf("nothing was saved as %s", m[1])
		}
		return saved
	})
}

func (s *scene) play(r *tool.Tool, c *tool.Case) {
	t := s.t
	t.Helper()
	for _, p := range c.Before {
		a := s.call(p.Tool, p.Args)
		if a.code != "" {
			t.Fatalf("before: %s: %s", p.Tool, a.text)
		}
		for _, save := range strings.Fields(p.Save) {
			name, path, _ := strings.Cut(save, "=")
			v, there := lookup(a.structured["data"], path)
			if !there {
				t.Fatalf("before: %s has no data.%s: %v", p.Tool, path, a.structured)
			}
			s.names[name] = printed(v)
		}
	}
	if c.Faults != "" {
		s.plan(c.Faults)
	}
	s.wire.reset()
	a := s.call(r.Name, c.Args)
	asked := s.wire.taken()
	for _, r := range s.box.Requests() {
		for _, w := range r.Warnings {
			t.Errorf("the sandbox warns: %s %s: %s", r.Method, r.Path, w)
		}
	}
	if a.code != c.Error {
		t.Fatalf("code %q, want %q\n%s\nasked: %s", a.code, c.Error, a.text, strings.Join(asked, "\n       "))
	}
	for _, says := range append(c.Says, c.Shows...) {
		if !strings.Contains(a.text, s.filled(says)) {
			t.Errorf("it does not say %q:\n%s", says, a.text)
		}
	}
	if c.Error == "argument_invalid" || c.Error == "unsupported" {
		if len(asked) > 0 {
			t.Errorf("Meta was asked: %v", asked)
		}
	}
	s.compare(c.Asks, asked)
	if c.Error != "" {
		return
	}
	for _, has := range c.Has {
		path, want, exact := strings.Cut(s.filled(has), "=")
		v, there := lookup(map[string]any(a.structured), path)
		if !there || exact && printed(v) != want {
			t.Errorf("%s is %v, want %s\n%v", path, v, want, a.structured)
		}
	}
	s.conforms(r, a)
	s.leaks(a)
}

// printed is a value as cases write it.
func printed(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// conforms checks the structured answer against the schema that the tool promises.
func (s *scene) conforms(r *tool.Tool, a answer) {
	s.t.Helper()
	text, err := r.OutputSchema()
	if err != nil {
		s.t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		s.t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := resolved.Validate(map[string]any(a.structured)); err != nil {
		s.t.Errorf("the answer is not what its schema says: %v\n%v", err, a.structured)
	}
	if a.text == "" && a.images == 0 {
		s.t.Error("the answer says nothing")
	}
}

// leaks: no token comes out, whatever was asked.
func (s *scene) leaks(a answer) {
	s.t.Helper()
	all := a.text + fmt.Sprint(a.structured)
	for _, secret := range []string{sandbox.Token, "sandbox-page-token", "sandbox-threads-token", sandbox.AppSecret, "case-token", "appsecret_proof"} {
		if strings.Contains(all, secret) {
			s.t.Errorf("the answer holds a secret (%s…)", secret[:12])
		}
	}
}

// lookup follows a dotted path through objects and lists.
func lookup(v any, path string) (any, bool) {
	if path == "" {
		return v, true
	}
	name, rest, _ := strings.Cut(path, ".")
	switch d := v.(type) {
	case map[string]any:
		inner, ok := d[name]
		if !ok {
			return nil, false
		}
		return lookup(inner, rest)
	case []any:
		if name == "length" {
			return len(d), true
		}
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(d) {
			return nil, false
		}
		return lookup(d[i], rest)
	}
	return nil, false
}

func (s *scene) plan(faults string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://127.0.0.1/_emulator/faults", strings.NewReader(faults))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.box.RoundTripper().RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		s.t.Fatalf("the fault plan is refused: %s", text)
	}
}

// compare checks the requests of a case against those that are expected.
func (s *scene) compare(want, got []string) {
	s.t.Helper()
	if want == nil {
		return
	}
	ok := len(want) == len(got)
	for i := 0; ok && i < len(want); i++ {
		wanted, given := words(s.filled(want[i])), words(got[i])
		for _, w := range wanted {
			ok = ok && slices.Contains(given, w)
		}
		ok = ok && len(given) > 1 && given[0] == wanted[0] && given[1] == wanted[1]
	}
	if !ok {
		s.t.Errorf("Meta was asked\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

var parameterStart = regexp.MustCompile(` ([A-Za-z_][A-Za-z0-9_\[\].]*)=`)

// words splits a request into method, path and parameters: a parameter's value reaches to
// the next name=. Backticks around a parameter are taken off.
func words(line string) []string {
	line = strings.ReplaceAll(line, "`", "")
	method, rest, _ := strings.Cut(line, " ")
	path, _, _ := strings.Cut(rest, " ")
	list := []string{method, path}
	rest = rest[len(path):]
	at := parameterStart.FindAllStringIndex(rest, -1)
	for i, span := range at {
		end := len(rest)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		list = append(list, strings.TrimSpace(rest[span[0]:end]))
	}
	return list
}

// recorder notes the requests on their way to the sandbox.
type recorder struct {
	next http.RoundTripper

	mu   sync.Mutex
	list []string
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
}

func (r *recorder) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

var version = regexp.MustCompile(`^/v\d+\.\d+`)

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := r.note(req); err != nil {
		return nil, err
	}
	return r.next.RoundTrip(req)
}

// note writes a request down.
func (r *recorder) note(req *http.Request) error {
	params := req.URL.Query()
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return err
		}
		_ = req.Body.Close()
		readForm(req.Header.Get("Content-Type"), body, params)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	params.Del("appsecret_proof")
	path := version.ReplaceAllString(req.URL.Path, "")
	line := req.Method + " " + path
	for _, name := range slices.Sorted(mapKeys(params)) {
		line += " `" + name + "=" + params.Get(name) + "`"
	}
	if params.Get("fields") != "access_token" { // looking up a Page's token
		r.mu.Lock()
		r.list = append(r.list, line)
		r.mu.Unlock()
	}
	return nil
}

func mapKeys(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range v {
			if !yield(name) {
				return
			}
		}
	}
}

func readForm(contentType string, body []byte, into url.Values) {
	media, args, err := mime.ParseMediaType(contentType)
	if err != nil {
		return
	}
	switch media {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return
		}
		for name, values := range form {
			into[name] = values
		}
	case "multipart/form-data":
		parts := multipart.NewReader(bytes.NewReader(body), args["boundary"])
		for {
			p, err := parts.NextPart()
			if err != nil {
				return
			}
			if p.FileName() != "" {
				into.Set(p.FormName(), "@"+p.FileName())
				continue
			}
			text, err := io.ReadAll(p)
			if err != nil {
				return
			}
			into.Set(p.FormName(), string(text))
		}
	}
}
