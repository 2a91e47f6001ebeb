package tools

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
)

// hostile are texts that would lead elsewhere, or say more, if they got into a path.
var hostile = []string{
	"1/2", "../me", "..", ".", "1?fields=access_token", "1#x", "1%2f2", "%2e%2e", "1&x=1", "1\n2", "1\r\nHost: example.com", "1\u2028", "\u0661\u0662",
	"1 2", "\\..\\me", "1;x", "me/accounts", "act_1/..", "1\u0000", "\uff11", "{\"id\":1}", "https://example.com/1", strings.Repeat("9", 400), "",
}

// TestIDsThatAreNone gives each id of each tool every hostile text: it is refused, and
// nothing is asked.
func TestIDsThatAreNone(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, record := range graphtool.All() {
		r, m := stubbed(t)
		base := arguments(t, r, record)
		for _, place := range places(record.Args, nil, isID) {
			for _, text := range hostile {
				args := with(base, place, text)
				m.reset()
				res := r.call(record.Name, string(args))
				tried++
				if c := code(res); c != fault.ArgumentInvalid && c != fault.Unsupported || m.count() > 0 {
					t.Errorf("%s %v=%q: code %q, %d requests", record.Name, place, text, c, m.count())
				}
			}
		}
	}
	if tried < 3000 {
		t.Errorf("only %d calls were tried", tried)
	}
}

// TestTextsStayOutOfPaths gives every other text argument of each tool hostile texts:
// whatever is asked, the path of it is made of ids and edges.
func TestTextsStayOutOfPaths(t *testing.T) {
	t.Parallel()
	asked, turn := 0, 0
	for _, record := range graphtool.All() {
		r, m := stubbed(t)
		base := arguments(t, r, record)
		for _, place := range places(record.Args, nil, isText) {
			// The texts take turns: each place gets two, and each text many places. All of
			// them everywhere is FuzzArguments' work.
			for range 2 {
				r.call(record.Name, string(with(base, place, hostile[turn%len(hostile)])))
				turn++
			}
		}
		asked += m.count()
		for _, problem := range m.problems() {
			t.Errorf("%s: %s", record.Name, problem)
		}
	}
	if asked < 500 {
		t.Errorf("only %d requests were made: the texts were refused before they could get anywhere", asked)
	}
}

func isID(a *tool.Arg) bool   { return a.Kind == tool.StringKind && a.Format == tool.IDFormat }
func isText(a *tool.Arg) bool { return a.Kind == tool.StringKind && a.Format != tool.IDFormat }

// places are the ways to the arguments of a kind, also inside of objects and lists.
func places(args []tool.Arg, at []string, kind func(*tool.Arg) bool) (list [][]string) {
	for i := range args {
		list = append(list, placesIn(&args[i], append(slices.Clone(at), args[i].Name), kind)...)
	}
	return list
}

func placesIn(a *tool.Arg, at []string, kind func(*tool.Arg) bool) [][]string {
	switch {
	case kind(a):
		return [][]string{at}
	case a.Kind == tool.ArrayKind && a.Items != nil:
		return placesIn(a.Items, append(slices.Clone(at), "0"), kind)
	case a.Kind == tool.ObjectKind:
		return places(a.Props, at, kind)
	}
	return nil
}

// with are arguments with a text at a place, made where it is not there.
func with(args map[string]any, place []string, text string) []byte {
	b, err := json.Marshal(put(clone(args), place, text))
	if err != nil {
		panic(err) // it was JSON
	}
	return b
}

func clone(args map[string]any) map[string]any {
	b, err := json.Marshal(args)
	if err != nil {
		panic(err) // it was JSON
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

func put(v any, place []string, text string) any {
	if len(place) == 0 {
		return text
	}
	if place[0] == "0" {
		list, _ := v.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[0] = put(list[0], place[1:], text)
		return list
	}
	m, _ := v.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	m[place[0]] = put(m[place[0]], place[1:], text)
	return m
}

// arguments are those of a tool's first good case.
func arguments(t testing.TB, r *rig, record *tool.Tool) map[string]any {
	t.Helper()
	args := map[string]any{}
	if c := goodCase(record); c != nil {
		if err := json.Unmarshal([]byte(r.filled(c.Args)), &args); err != nil {
			t.Fatalf("%s: %v", record.Name, err)
		}
	}
	return args
}

// stubbed is a rig with a Meta that agrees to everything and looks at what it is asked.
func stubbed(t testing.TB) (*rig, *agreeable) {
	t.Helper()
	m := &agreeable{}
	return newRig(t, rigged{transport: func(http.RoundTripper) http.RoundTripper { return &tap{m, m.look} }}), m
}

// agreeable answers everything with an object that has what most callers look for.
type agreeable struct {
	mu   sync.Mutex
	n    int
	said []string
}

const agreed = `{"id":"77","success":true,"data":[{"id":"77","name":"x","access_token":"EAAp"}],"name":"x","access_token":"page-token-of-the-stub",
"status_code":"FINISHED","status":"FINISHED","async_status":"Job Completed","async_percent_completion":100,"report_run_id":"77","currency":"GBP",
"account_id":"3000000000000001","uri":"https://rupload.facebook.com/ig-api-upload/v26.0/77","upload_url":"https://rupload.facebook.com/video-upload/v26.0/77",
"video_id":"77","creation_id":"77","h":"x","hash":"x","images":{"x":{"hash":"x"}},"message_id":"m_77","recipient_id":"77","from":{"id":"77"}}`

// RoundTrip implements http.RoundTripper.
func (m *agreeable) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(agreed)), ContentLength: int64(len(agreed)),
	}, nil
}

func (m *agreeable) look(a asked) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	if err := proper(a); err != nil {
		m.said = append(m.said, err.Error())
	}
}

func (m *agreeable) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n, m.said = 0, nil
}

func (m *agreeable) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n
}

func (m *agreeable) problems() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.said)
}

var (
	versionForm = regexp.MustCompile(`^v\d{1,3}\.\d$`)
	// idForm is every form of ids in graphspec, and the token's own object.
	idForm = regexp.MustCompile(`^(me|act_\d{1,32}|\d{1,32}(_\d{1,32}){0,2}|[A-Za-z0-9_:.$=\-]{1,256})$`)
	// sessionForm is an upload session, which has its own signature.
	sessionForm = regexp.MustCompile(`^upload:[A-Za-z0-9_:.$=|\-]{1,250}$`)
)

// edges are the names of all edges, and of what belongs to no object.
var edges = sync.OnceValues(func() (edges, roots map[string]bool) {
	edges, roots = map[string]bool{}, map[string]bool{}
	for _, name := range graphspec.Names() {
		for _, e := range graphspec.Lookup(name).Edges {
			if edges[e.Name] = true; name == graphspec.Root {
				roots[e.Name] = true
			}
		}
	}
	return edges, roots
})

// proper reports what is wrong with the address of a request: its path is a version, and
// then an object, an edge of one, or something that graphspec knows without object.
func proper(a asked) error {
	path := a.url.EscapedPath()
	wrong := fmt.Errorf("%s %q", a.method, path)
	if a.url.Fragment != "" || strings.Contains(path, "%") || strings.Contains(path, "//") || a.url.Host != "127.0.0.1" || a.url.User != nil {
		return wrong
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for _, s := range segments {
		if strings.Trim(s, ".") == "" && s != "" {
			return wrong
		}
	}
	all, roots := edges()
	if len(segments) == 3 && versionForm.MatchString(segments[1]) && (segments[0] == "video-upload" || segments[0] == "ig-api-upload" || segments[0] == "threads-upload") {
		segments = segments[1:]
	}
	if !versionForm.MatchString(segments[0]) {
		return wrong
	}
	rest := segments[1:]
	known := roots[strings.Join(rest, "/")]
	switch len(rest) {
	case 1: // an object, or the batch
		known = known || rest[0] == "" || idForm.MatchString(rest[0]) || sessionForm.MatchString(rest[0])
	case 2:
		known = known || idForm.MatchString(rest[0]) && all[rest[1]]
	}
	if !known {
		return wrong
	}
	return nil
}
