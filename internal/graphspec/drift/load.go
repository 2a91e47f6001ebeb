package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// specification is Meta's published files, as far as they are compared.
type specification struct {
	nodes map[string]*specNode
	enums map[string][]string
}

type specNode struct {
	APIs   []specAPI   `json:"apis"`
	Fields []specField `json:"fields"`
}

// specAPI is one operation: of an edge, or with a name such as #get of the object.
type specAPI struct {
	Method   string      `json:"method"`
	Endpoint string      `json:"endpoint"`
	Return   string      `json:"return"`
	Params   []specParam `json:"params"`
}

type specField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type specParam struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
}

// enumFile is the one file that is no node.
const enumFile = "enum_types.json"

func load(dir fs.FS) (*specification, error) {
	s := &specification{nodes: map[string]*specNode{}, enums: map[string][]string{}}
	files, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		if name == enumFile {
			var list []struct {
				Name   string   `json:"name"`
				Values []string `json:"values"`
			}
			if err := json.Unmarshal(text, &list); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			for _, e := range list {
				s.enums[e.Name] = e.Values
			}
			continue
		}
		var n specNode
		if err := json.Unmarshal(text, &n); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		s.nodes[strings.TrimSuffix(path.Base(name), ".json")] = &n
	}
	if len(s.nodes) == 0 {
		return nil, fmt.Errorf("there is no .json file of a node in the folder")
	}
	return s, nil
}

// api finds an operation; with an empty endpoint that of the object itself.
func (n *specNode) api(method, endpoint string) *specAPI {
	for i := range n.APIs {
		if a := &n.APIs[i]; a.Method == method && a.Endpoint == endpoint {
			return a
		}
	}
	return nil
}

// elem takes list<…> off a type.
func elem(kind string) string {
	inner, ok := strings.CutPrefix(kind, "list<")
	if !ok {
		return kind
	}
	return strings.TrimSuffix(inner, ">")
}
