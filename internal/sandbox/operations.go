package sandbox

import (
	"slices"
	"strings"

	"sluice/internal/graphspec"
)

// operation is one call of the Graph surface as the inspection surface lists it.
type operation struct {
	Method   string   `json:"method"`
	Path     string   `json:"path"`
	On       []string `json:"on,omitempty"`
	Does     string   `json:"does,omitempty"`
	Scopes   string   `json:"scopes,omitempty"`
	Token    string   `json:"token,omitempty"`
	Evidence string   `json:"evidence"`
}

// operations lists the sandbox's own routes, then everything that graphspec knows.
func operations(own []route) []operation {
	list := make([]operation, 0, 500)
	for _, rt := range own {
		path := "/{version}/{id}"
		switch {
		case rt.kinds == nil:
			path = "/{version}/" + rt.edge
		case rt.edge != "":
			path += "/" + rt.edge
		}
		list = append(list, operation{
			Method: rt.method, Path: path, On: rt.kinds, Does: rt.does, Scopes: strings.Join(rt.scopes, "|"), Evidence: string(graphspec.Documented),
		})
	}
	names := graphspec.Names()
	slices.Sort(names)
	for _, name := range names {
		node := graphspec.Lookup(name)
		add := func(method, edge string, op *graphspec.Op) {
			if op == nil {
				return
			}
			path := "/{version}/{id}"
			if name == graphspec.Root {
				path = "/{version}"
			}
			if edge != "" {
				path += "/" + edge
			}
			token := op.Token
			if token == "" {
				token = graphspec.UserToken
			}
			list = append(list, operation{
				Method: method, Path: path, On: []string{name}, Does: op.Note, Scopes: op.Scopes, Token: string(token), Evidence: string(op.Evidence),
			})
		}
		add("GET", "", node.Read)
		add("POST", "", node.Update)
		add("DELETE", "", node.Delete)
		for _, e := range node.Edges {
			add("GET", e.Name, e.Get)
			add("POST", e.Name, e.Post)
			add("DELETE", e.Name, e.Delete)
		}
	}
	return list
}
