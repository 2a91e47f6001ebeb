package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxBatchCalls is how many calls one batch may hold.
const maxBatchCalls = 50

// batchEntry is one call of a batch (graph-api/batch-requests).
type batchEntry struct {
	Method    string `json:"method"`
	URL       string `json:"relative_url"`
	Body      string `json:"body"`
	Name      string `json:"name"`
	DependsOn string `json:"depends_on"`
	Omit      *bool  `json:"omit_response_on_success"`
	Files     string `json:"attached_files"`
	Token     string `json:"access_token"`
}

// batchAnswer is what comes back of one; a nil one is null.
type batchAnswer struct {
	Code    int           `json:"code"`
	Headers []batchHeader `json:"headers,omitempty"`
	Body    string        `json:"body"`
}

type batchHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// isBatch reports whether a request is a batch of calls.
func (r *request) isBatch() bool {
	return r.id == "" && r.http.Method == http.MethodPost && r.hasParam("batch") && !r.entry
}

// serveBatch answers POST / with a batch: the calls in their order, each answered on
// its own.
func (s *Server) serveBatch(r *request) (any, *apiError) {
	r.own = "D"
	r.token, r.tokenIn = tokenOf(r)
	if r.token != "" {
		s.mu.Lock()
		tok, err := s.world.verify(r.token, r.now)
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		r.grant = tok
	}
	var entries []batchEntry
	if err := json.Unmarshal([]byte(r.param("batch")), &entries); err != nil {
		return nil, errParam.with("what", "Param batch must be an array of requests")
	}
	if len(entries) == 0 || len(entries) > maxBatchCalls {
		return nil, errParam.with("what", "Too many requests in batch message. Maximum batch size is "+strconv.Itoa(maxBatchCalls))
	}
	b := batchRun{s: s, outer: r, done: map[string]*batchAnswer{}, used: map[string]bool{}}
	for _, e := range entries {
		b.note(e)
	}
	out := make([]*batchAnswer, len(entries))
	for i, e := range entries {
		out[i] = b.do(e)
	}
	return out, nil
}

// batchRun is a batch on its way.
type batchRun struct {
	s     *Server
	outer *request
	done  map[string]*batchAnswer // by name; nil: failed, or never ran
	used  map[string]bool         // names that others depend on
}

// reference is a use of another call's answer: {result=name:$.data.*.id}.
var reference = regexp.MustCompile(`\{result=([^:}]+):(\$[^}]*)\}`)

func (b *batchRun) note(e batchEntry) {
	if e.DependsOn != "" {
		b.used[e.DependsOn] = true
	}
	for _, m := range reference.FindAllStringSubmatch(e.URL+" "+e.Body, -1) {
		b.used[m[1]] = true
	}
}

// do makes one call. It is nil when it did not run, or when it was asked not to be
// answered.
func (b *batchRun) do(e batchEntry) *batchAnswer {
	ans := b.call(e)
	if e.Name == "" {
		return ans
	}
	ok := ans != nil && ans.Code == http.StatusOK
	b.done[e.Name] = nil
	if ok {
		b.done[e.Name] = ans
	}
	omit := b.used[e.Name]
	if e.Omit != nil {
		omit = *e.Omit
	}
	if ok && omit {
		return nil
	}
	return ans
}

func (b *batchRun) call(e batchEntry) *batchAnswer {
	if e.DependsOn != "" && b.done[e.DependsOn] == nil {
		return nil
	}
	address, known := b.resolved(e.URL)
	body, also := b.resolved(e.Body)
	if !known || !also {
		return nil
	}
	hr, err := b.request(e, address, body)
	if err != nil {
		return &batchAnswer{Code: http.StatusBadRequest, Body: `{"error":{"message":"Malformed relative_url","type":"GraphBatchException","code":-1}}`}
	}
	sub := &request{http: hr, trace: traceID(b.s.opts.Seed, b.s.calls.Add(1)), entry: true}
	for _, name := range strings.Split(e.Files, ",") {
		if file, ok := b.outer.files[strings.TrimSpace(name)]; ok {
			if sub.files == nil {
				sub.files = map[string][]byte{}
			}
			sub.files[strings.TrimSpace(name)] = file
		}
	}
	rep := b.s.finished(sub, b.s.graph(sub))
	if rep.cut != cutNone {
		return nil
	}
	ans := &batchAnswer{Code: rep.status, Body: string(rep.body)}
	if b.outer.param("include_headers") != "false" {
		for name, values := range rep.header {
			ans.Headers = append(ans.Headers, batchHeader{name, values[0]})
		}
		slices.SortFunc(ans.Headers, func(a, b batchHeader) int { return strings.Compare(a.Name, b.Name) })
	}
	return ans
}

// request is the entry as a request of its own, under the version and token of the
// batch where it names none.
func (b *batchRun) request(e batchEntry, address, body string) (*http.Request, error) {
	outer := b.outer.http
	path, query, _ := strings.Cut(strings.TrimLeft(address, "/"), "?")
	path, err := url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	if first, _, _ := strings.Cut(path, "/"); b.outer.asked != "" && !looksLikeVersion(first) {
		path = b.outer.asked + "/" + path
	}
	hr := outer.Clone(outer.Context())
	hr.Method = strings.ToUpper(e.Method)
	if hr.Method == "" {
		hr.Method = http.MethodGet
	}
	hr.URL = &url.URL{Scheme: outer.URL.Scheme, Host: outer.URL.Host, Path: "/" + path, RawQuery: query}
	hr.Body, hr.ContentLength = http.NoBody, 0
	hr.Header = http.Header{}
	if body != "" {
		hr.Body, hr.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		hr.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	token := e.Token
	if token == "" {
		token = b.outer.token
		hr.URL.RawQuery = b.withProof(query)
	}
	if token != "" {
		hr.Header.Set("Authorization", "Bearer "+token)
	}
	return hr, nil
}

// withProof gives a call the proof of the batch, whose token it uses.
func (b *batchRun) withProof(query string) string {
	proof := b.outer.param("appsecret_proof")
	if proof == "" || strings.Contains(query, "appsecret_proof=") {
		return query
	}
	more := url.Values{"appsecret_proof": {proof}}
	if at := b.outer.param("appsecret_time"); at != "" {
		more.Set("appsecret_time", at)
	}
	return strings.TrimPrefix(query+"&"+more.Encode(), "&")
}

// resolved puts earlier answers in the place of references. ok is false where one of
// them has none.
func (b *batchRun) resolved(text string) (out string, ok bool) {
	ok = true
	out = reference.ReplaceAllStringFunc(text, func(use string) string {
		m := reference.FindStringSubmatch(use)
		ans := b.done[m[1]]
		if ans == nil {
			ok = false
			return ""
		}
		var v any
		if json.Unmarshal([]byte(ans.Body), &v) != nil {
			ok = false
			return ""
		}
		return strings.Join(follow(v, strings.TrimPrefix(m[2], "$")), ",")
	})
	return out, ok
}

var step = regexp.MustCompile(`^(?:\.([A-Za-z0-9_]+)|\.\*|\[\*\]|\[(\d+)\])`)

// follow reads the part of JSONPath that batches are written with: .name, .*, [*], [0].
func follow(v any, path string) []string {
	if path == "" {
		switch x := v.(type) {
		case nil:
			return nil
		case string:
			return []string{x}
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return []string{string(text)}
	}
	m := step.FindStringSubmatch(path)
	if m == nil {
		return nil
	}
	rest := path[len(m[0]):]
	switch x := v.(type) {
	case map[string]any:
		if m[1] != "" {
			return follow(x[m[1]], rest)
		}
	case []any:
		if i, err := strconv.Atoi(m[2]); err == nil {
			if i < len(x) {
				return follow(x[i], rest)
			}
			return nil
		}
		var all []string
		for _, item := range x {
			all = append(all, follow(item, rest)...)
		}
		return all
	}
	return nil
}
