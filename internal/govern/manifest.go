package govern

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/registry"
)

// Manifest is what a directory of files says: servers, policies and grants that it
// owns, whole.
type Manifest struct {
	Name     string // of the directory; its objects are owned by "apply:NAME"
	Servers  []ServerSpec
	Policies []ManifestPolicy
	Grants   []ManifestGrant
}

// ManifestPolicy is one policy of a manifest.
type ManifestPolicy struct {
	Place    string // file and document, for messages
	Server   string
	Name     string
	Mode     registry.Mode
	Document json.RawMessage
}

// ManifestGrant is one grant of a manifest.
type ManifestGrant struct {
	Place string
	NewGrant
}

// The objects as they are written.
type (
	kindDoc struct {
		Kind string `yaml:"kind"`
	}
	serverDoc struct {
		Kind             string            `yaml:"kind"`
		Name             string            `yaml:"name"`
		Members          []registry.Member `yaml:"members"`
		config.MCPServer `yaml:",inline"`
	}
	policyDoc struct {
		Kind     string `yaml:"kind"`
		Server   string `yaml:"server"`
		Name     string `yaml:"name"`
		Mode     string `yaml:"mode"`
		Document string `yaml:"document"` // a file beside this one, or the JSON itself
	}
	grantDoc struct {
		Kind    string   `yaml:"kind"`
		Server  string   `yaml:"server"`
		Name    string   `yaml:"name"`
		Policy  string   `yaml:"policy"`
		User    string   `yaml:"user"`
		Scopes  []string `yaml:"scopes"`
		Expires string   `yaml:"expires"` // RFC 3339, or never
		Issuer  string   `yaml:"issuer"`
		Subject string   `yaml:"subject"`
	}
)

// reader collects what files say and everything that is wrong with it.
type reader struct {
	m      *Manifest
	files  map[string][]byte
	used   map[string]bool // documents of policies
	seen   map[string]string
	faults []string
}

// ReadManifest reads files by their path inside the directory: objects in YAML or JSON,
// one or several in a file, and the documents of policies beside them. It reports all
// faults at once, each with its place; a file that says nothing is one.
func ReadManifest(name string, files map[string][]byte) (*Manifest, error) {
	return readManifest(name, files, "")
}

// ReadManifestFile reads the objects of one file alone; the others are documents that it
// may name.
func ReadManifestFile(name, file string, files map[string][]byte) (*Manifest, error) {
	return readManifest(name, files, file)
}

func readManifest(name string, files map[string][]byte, only string) (*Manifest, error) {
	if err := checkName("directory", name); err != nil {
		return nil, err
	}
	r := &reader{m: &Manifest{Name: name}, files: files, used: map[string]bool{}, seen: map[string]string{}}
	paths := slices.Sorted(maps.Keys(files))
	var rest []string
	for _, p := range paths {
		if only != "" && p != only {
			continue
		}
		if strings.HasSuffix(p, ".json") && !isObject(files[p]) {
			rest = append(rest, p) // the document of a policy, if one names it
			continue
		}
		r.file(p)
	}
	for _, p := range rest {
		if !r.used[p] {
			r.say(p, "it is neither an object with a `kind` nor the document of a policy here")
		}
	}
	if len(r.faults) > 0 {
		return nil, fault.New(fault.Usage, "%s", strings.Join(r.faults, "; ")).WithFix("see docs/apply.md").With("faults", r.faults)
	}
	return r.m, nil
}

func isObject(text []byte) bool {
	var k struct {
		Kind *string `json:"kind"`
	}
	return json.Unmarshal(text, &k) == nil && k.Kind != nil
}

func (r *reader) say(place, format string, args ...any) {
	r.faults = append(r.faults, place+": "+fmt.Sprintf(format, args...))
}

func (r *reader) file(p string) {
	switch {
	case len(r.files[p]) > maxObjects:
		r.say(p, "it is larger than %d KiB: write its objects into several files", maxObjects>>10)
		return
	case tooDeep(r.files[p]):
		r.say(p, "values are nested more than %d deep", maxDepth)
		return
	}
	parsed, err := parser.ParseBytes(r.files[p], 0)
	if err != nil {
		r.say(p, "%s", yaml.FormatError(err, false, false))
		return
	}
	for i, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		place := p
		if len(parsed.Docs) > 1 {
			place = fmt.Sprintf("%s (document %d)", p, i+1)
		}
		r.object(p, place, doc.Body)
	}
}

// Bounds of a file of objects. The parser's time grows with the square of its size and
// of how deep values are nested, and its stack with the latter: what comes over the API
// must not end the process.
const (
	maxObjects = 256 << 10
	maxDepth   = 200
)

// tooDeep reports whether a file opens more than that. It counts without knowing about
// strings, which is good enough for a bound.
func tooDeep(text []byte) bool {
	open := 0
	for line := range bytes.Lines(text) {
		lead := 0
		for _, word := range bytes.Fields(line) {
			if string(word) == "-" || string(word) == "?" {
				lead++
			}
		}
		for _, b := range line {
			switch b {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			if open > maxDepth {
				return true
			}
		}
		if lead > maxDepth {
			return true
		}
	}
	return false
}

func (r *reader) object(file, place string, node ast.Node) {
	var kind kindDoc
	if err := yaml.NodeToValue(node, &kind); err != nil {
		r.say(place, "an object with `kind: server`, `policy` or `grant` belongs here")
		return
	}
	switch kind.Kind {
	case "server":
		if d, ok := decodeNode[serverDoc](r, place, node); ok {
			r.server(place, d)
		}
	case "policy":
		if d, ok := decodeNode[policyDoc](r, place, node); ok {
			r.policy(file, place, d)
		}
	case "grant":
		if d, ok := decodeNode[grantDoc](r, place, node); ok {
			r.grant(place, d)
		}
	default:
		r.say(place, "kind: server, policy or grant")
	}
}

func decodeNode[T any](r *reader, place string, node ast.Node) (*T, bool) {
	d := new(T)
	if err := yaml.NodeToValue(node, d, yaml.Strict()); err != nil {
		r.say(place, "%s", yaml.FormatError(err, false, false)) // without the excerpt: it may hold a secret
		return nil, false
	}
	return d, true
}

// once refuses a second object of one name.
func (r *reader) once(place, kind, name string) bool {
	key := kind + " " + name
	if other, is := r.seen[key]; is {
		r.say(place, "%s stands in %s already", key, other)
		return false
	}
	r.seen[key] = place
	return true
}

func (r *reader) server(place string, d *serverDoc) {
	if err := config.CheckServerName(d.Name); err != nil {
		r.say(place, "%v", err)
		return
	}
	if !r.once(place, "server", d.Name) {
		return
	}
	spec := ServerSpec{Name: d.Name, Members: d.Members, Settings: d.Settings()}
	text, err := d.Spec()
	switch {
	case err != nil:
		r.say(place, "%v", err)
		return
	case len(d.Members) > 0 && string(text) != "{}":
		r.say(place, "a server has members, or says how it is reached")
		return
	case len(d.Members) == 0:
		if spec.Text, err = serverText(text, spec.Settings); err == nil {
			_, err = config.ReadServer(spec.Text)
		}
	default:
		err = checkAggregate(&registry.Server{Name: d.Name, Members: d.Members, Settings: spec.Settings})
	}
	if err != nil {
		r.say(place, "%v", err)
		return
	}
	r.m.Servers = append(r.m.Servers, spec)
}

// serverText is the description of one server with its settings: what ServerSpec takes.
func serverText(spec json.RawMessage, settings registry.Settings) ([]byte, error) {
	keys := map[string]json.RawMessage{}
	raw, err := json.Marshal(settings)
	if err == nil {
		err = json.Unmarshal(raw, &keys)
	}
	if err == nil {
		err = json.Unmarshal(spec, &keys)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(keys)
}

func (r *reader) policy(file, place string, d *policyDoc) {
	mode := registry.Mode(cmp.Or(d.Mode, string(registry.Enforce)))
	switch {
	case config.CheckServerName(d.Server) != nil:
		r.say(place, "server: the name of a server")
		return
	case mode != registry.Enforce && mode != registry.Observe:
		r.say(place, "mode: enforce or observe")
		return
	case d.Document == "":
		r.say(place, "document: the name of a policy.json beside this file, or its text")
		return
	}
	if err := checkName("policy", d.Name); err != nil {
		r.say(place, "%v", err)
		return
	}
	if !r.once(place, "policy", d.Server+"/"+d.Name) {
		return
	}
	document := []byte(d.Document)
	if !strings.HasPrefix(strings.TrimSpace(d.Document), "{") {
		at := path.Join(path.Dir(file), d.Document)
		text, is := r.files[at]
		if !is {
			r.say(place, "document: there is no file %s", at)
			return
		}
		r.used[at], document, place = true, text, at
	}
	r.m.Policies = append(r.m.Policies, ManifestPolicy{Place: place, Server: d.Server, Name: d.Name, Mode: mode, Document: bytes.TrimSpace(document)})
}

func (r *reader) grant(place string, d *grantDoc) {
	n := NewGrant{Server: d.Server, Name: d.Name, Policy: d.Policy, User: d.User, Scopes: d.Scopes, Issuer: d.Issuer, Subject: d.Subject}
	if config.CheckServerName(d.Server) != nil {
		r.say(place, "server: the name of a server")
		return
	}
	err := checkName("grant", d.Name)
	if err == nil {
		n.Scopes, err = checkScopes(d.Scopes)
	}
	if err == nil {
		err = checkPerson(d.Issuer, d.Subject)
	}
	if err != nil {
		r.say(place, "%v", err)
		return
	}
	if d.Expires != "never" {
		// A lifetime would be another moment at each run.
		until, err := time.Parse(time.RFC3339, d.Expires)
		if err != nil {
			r.say(place, "expires: when it ends, such as 2027-06-30T00:00:00Z, or never")
			return
		}
		n.Until = until.UTC().Truncate(time.Second)
	}
	if r.once(place, "grant", d.Server+"/"+d.Name) {
		r.m.Grants = append(r.m.Grants, ManifestGrant{place, n})
	}
}
