package approve

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode"

	"sluice/internal/enforce"
)

// Comparison says how a call differs from the last one of that tool by that grant that
// somebody approved.
type Comparison struct {
	With string    `json:"approval_id"`
	At   time.Time `json:"at"`
	// Values says that values were compared. Where none are kept (record_arguments is
	// off), only the keys are.
	Values  bool     `json:"values"`
	Changes []Change `json:"changes"`
	More    int      `json:"more,omitempty" doc:"changes beyond those listed"`
}

// Change is one difference.
type Change struct {
	Path string          `json:"path"`
	Kind string          `json:"kind" doc:"added, removed or changed"`
	Was  json.RawMessage `json:"was,omitempty"`
	Is   json.RawMessage `json:"is,omitempty"`
}

// maxChanges is how many differences are listed.
const maxChanges = 100

// compare finds the last approved call and says how this one differs; nil when there is
// none.
func (s *Service) compare(ctx context.Context, a *enforce.Approval, args []byte) (*Comparison, error) {
	calls, err := s.o.Store.Calls(ctx, enforce.CallFilter{
		Workspace: a.Workspace, Grant: a.Grant, Server: a.Server, Tool: a.Tool, Decision: "allow", Arguments: true, Limit: 50,
	})
	if err != nil {
		return nil, failed(err, a.ID)
	}
	for i := range calls {
		c := &calls[i]
		if c.Call.Approval == "" || c.Call.Approval == a.ID {
			continue
		}
		out := &Comparison{With: c.Call.Approval, At: c.At}
		if before, ok := open(s.o.OpenCall, c.Arguments); ok {
			out.Values = true
			out.differ(before, args)
		} else {
			out.differ(keysOnly(c.Call.ArgKeys), keysOnly(a.ArgKeys))
			for i := range out.Changes {
				out.Changes[i].Was, out.Changes[i].Is = nil, nil
			}
		}
		return out, nil
	}
	return nil, nil
}

func open(fn func([]byte) ([]byte, error), sealed []byte) ([]byte, bool) {
	if fn == nil || len(sealed) == 0 {
		return nil, false
	}
	plain, err := fn(sealed)
	if err == nil && len(bytes.TrimSpace(plain)) == 0 {
		plain = []byte("{}")
	}
	return plain, err == nil && json.Valid(plain)
}

func keysOnly(keys []string) []byte {
	m := map[string]bool{}
	for _, k := range keys {
		m[k] = true
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err) // a map of strings always encodes
	}
	return raw
}

// differ lists the differences of two JSON values by path.
func (c *Comparison) differ(was, is []byte) {
	c.Changes = []Change{}
	c.walk("args", decode(was), decode(is))
}

func decode(raw []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

func (c *Comparison) walk(path string, was, is any) {
	a, objects := was.(map[string]any)
	b, both := is.(map[string]any)
	if objects && both {
		keys := slices.Collect(maps.Keys(a))
		for k := range b {
			if _, there := a[k]; !there {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			before, had := a[k]
			after, has := b[k]
			c.step(path+segment(k), before, had, after, has)
		}
		return
	}
	x, lists := was.([]any)
	y, both := is.([]any)
	if lists && both {
		for i := range max(len(x), len(y)) {
			var before, after any
			if i < len(x) {
				before = x[i]
			}
			if i < len(y) {
				after = y[i]
			}
			c.step(path+"["+strconv.Itoa(i)+"]", before, i < len(x), after, i < len(y))
		}
		return
	}
	if !reflect.DeepEqual(was, is) {
		c.add(Change{Path: path, Kind: "changed", Was: encode(was), Is: encode(is)})
	}
}

func (c *Comparison) step(path string, was any, had bool, is any, has bool) {
	switch {
	case !had:
		c.add(Change{Path: path, Kind: "added", Is: encode(is)})
	case !has:
		c.add(Change{Path: path, Kind: "removed", Was: encode(was)})
	default:
		c.walk(path, was, is)
	}
}

func (c *Comparison) add(ch Change) {
	if len(c.Changes) == maxChanges {
		c.More++
		return
	}
	c.Changes = append(c.Changes, ch)
}

// segment writes a key as policies write paths.
func segment(key string) string {
	for _, r := range key {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' && r != '$' {
			return "[" + strconv.Quote(key) + "]"
		}
	}
	if key == "" {
		return `[""]`
	}
	return "." + key
}

func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}
