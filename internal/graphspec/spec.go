// Package graphspec is what Meta's Graph API looks like, as data: types of objects,
// their fields and edges, what each operation takes and answers, which permissions it
// needs, and how well all of that is known. Tools, sandbox, client and documentation
// read the same records, so that they can't drift apart; a script compares the records
// with a local copy of Meta's published specification.
//
// It knows nothing about requests and makes none.
package graphspec

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Evidence says how well a record is known.
type Evidence string

// The kinds of evidence, strongest first.
const (
	Documented Evidence = "D" // read in Meta's documentation or blog
	Specified  Evidence = "S" // read in Meta's public SDK specification or official samples
	Reported   Evidence = "I" // told in a public issue
	Known      Evidence = "K" // long-standing behaviour, not read again
	Chosen     Evidence = "R" // our decision, where nothing is published
)

// Node is one type of object.
type Node struct {
	Name string // as Meta's specification spells it: "Campaign"
	ID   Form   // of its ids
	// Fields are the fields that can be asked for, in the notation of Field.
	Fields string
	// Read, Update and Delete are GET, POST and DELETE of the object itself; nil where
	// there is no such operation.
	Read, Update, Delete *Op
	Edges                []Edge
	Evidence             Evidence
}

// Edge is a connection of an object.
type Edge struct {
	Name              string
	Get, Post, Delete *Op
}

// Op is one operation.
type Op struct {
	// Params are what it takes, in the notation of Field; a trailing ! marks what it needs.
	Params string
	// Returns is the node type that a GET lists or answers with, and a POST creates;
	// empty for an answer of its own ({"success":true}), which Answer describes.
	Returns string
	// One says that a GET of an edge answers one object and not a page of them.
	One bool
	// Answer are the members of an answer that is no Returns, in the notation of Field.
	Answer string
	// Scopes are the permissions it needs, all of them, separated by blanks. Where one
	// of several is enough they are joined by |.
	Scopes   string
	Token    Token
	Evidence Evidence
	// Note is what a reader should know of it.
	Note string
}

// Token is the kind of token an operation takes.
type Token string

// The kinds of tokens. UserToken takes a user's or a system user's.
const (
	UserToken    Token = "user"
	PageToken    Token = "page" // of the Page that the object is or belongs to
	ThreadsToken Token = "threads"
	AppToken     Token = "app"
)

// Field is one field or parameter. Its notation is name, or name:type, with * behind
// the name where it comes without being asked for, and ! at the end where it is needed:
//
//	"id* name status:Status daily_budget:minor comments:list<Comment> creation_id:id!"
//
// Types: string (also when none is given), text (words of people outside: never
// trusted), id, int, float, bool, time (2026-11-20T10:00:00+0000), unix, date, url,
// minor (money in the currency's minor unit), decimal (money or ratio as decimal text),
// json (any), map, the name of an enum, the name of a node, list<T>.
type Field struct {
	Name    string
	Type    string
	Default bool
	Needed  bool
}

// Elem is T of list<T>, and whether it is a list.
func (f Field) Elem() (string, bool) {
	inner, ok := strings.CutPrefix(f.Type, "list<")
	if !ok {
		return f.Type, false
	}
	return strings.TrimSuffix(inner, ">"), true
}

// ParseFields reads the notation. It panics on a mistake: records are ours, and a test
// reads all of them.
func ParseFields(text string) []Field {
	words := strings.Fields(text)
	list := make([]Field, 0, len(words))
	for _, w := range words {
		var f Field
		w, f.Needed = strings.CutSuffix(w, "!")
		f.Name, f.Type, _ = strings.Cut(w, ":")
		f.Name, f.Default = strings.CutSuffix(f.Name, "*")
		if f.Type == "" {
			f.Type = "string"
		}
		if f.Name == "" {
			panic(fmt.Sprintf("graphspec: %q in %q", w, text))
		}
		list = append(list, f)
	}
	return list
}

// Compiled is a node with its notation read.
type Compiled struct {
	*Node
	fields map[string]Field
	order  []Field
	edges  map[string]*Edge
}

// Field finds a field.
func (c *Compiled) Field(name string) (Field, bool) {
	f, ok := c.fields[name]
	return f, ok
}

// AllFields are the fields in the order of the record.
func (c *Compiled) AllFields() []Field { return c.order }

// Edge finds an edge, nil when there is none.
func (c *Compiled) Edge(name string) *Edge { return c.edges[name] }

// Op finds an operation: of the object itself with edge "". Verb is GET, POST or
// DELETE. It is nil where there is none.
func (c *Compiled) Op(verb, edge string) *Op {
	get, post, del := c.Read, c.Update, c.Delete
	if edge != "" {
		e := c.edges[edge]
		if e == nil {
			return nil
		}
		get, post, del = e.Get, e.Post, e.Delete
	}
	switch verb {
	case "GET":
		return get
	case "POST":
		return post
	case "DELETE":
		return del
	}
	return nil
}

// Root is the node of what belongs to no object: /search, /ads_archive, /debug_token.
const Root = "Root"

var compiled = sync.OnceValue(func() map[string]*Compiled {
	all, more := map[string]*Compiled{}, edgesElsewhere()
	for _, list := range nodes() {
		for _, n := range list {
			if all[n.Name] != nil {
				panic("graphspec: two nodes " + n.Name)
			}
			n.Edges = slices.Concat(n.Edges, slices.Concat(more[n.Name]...))
			c := &Compiled{Node: n, fields: map[string]Field{}, edges: map[string]*Edge{}, order: ParseFields(n.Fields)}
			for _, f := range c.order {
				c.fields[f.Name] = f
			}
			for i := range n.Edges {
				c.edges[n.Edges[i].Name] = &n.Edges[i]
			}
			all[n.Name] = c
		}
	}
	for name := range more {
		if all[name] == nil {
			panic("graphspec: edges of " + name + ", which is no node")
		}
	}
	return all
})

// Lookup finds a node type, nil when there is none.
func Lookup(name string) *Compiled { return compiled()[name] }

// Names are the names of all node types, in no order.
func Names() []string {
	var list []string
	for name := range compiled() {
		list = append(list, name)
	}
	return list
}

// IsEnum reports whether a type is an enum, and gives its values.
func IsEnum(name string) ([]string, bool) {
	v, ok := allEnums()[name]
	return v, ok
}

var allEnums = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for _, set := range enums() {
		for name, values := range set {
			if all[name] != nil {
				panic("graphspec: two enums " + name)
			}
			all[name] = strings.Fields(values)
		}
	}
	return all
})
