package api

import (
	"encoding"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
)

type object = map[string]any

// Document is the OpenAPI 3.1 description of the operations, made from the table
// that routes them. Its members are in a fixed order, so that it can be compared.
func Document() []byte {
	g := &schemas{named: object{}, of: map[reflect.Type]string{}}
	paths := object{}
	for _, o := range operations() {
		path := Root + o.path
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(o.method)] = g.operation(&o)
	}
	g.ref(reflect.TypeFor[Envelope]())
	var codes []string
	for _, row := range fault.Catalogue {
		codes = append(codes, string(row.Code))
	}
	problem := g.named["Problem"].(object)["properties"].(object)
	problem["code"] = object{"type": "string", "enum": codes}
	doc := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Sluice", "version": "1",
			"description": "The operations of the command line, with the same answers and errors. Errors are described in docs/errors.md.",
		},
		"servers":  []object{{"url": "http://127.0.0.1:8787"}},
		"security": []object{{"token": []string{}}},
		"paths":    paths,
		"components": object{
			"schemas":         g.named,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "slt_…, made by `sluice token add`"}},
		},
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err) // strings, numbers, maps and lists of them always encode
	}
	return append(text, '\n')
}

// schemas collects the named types.
type schemas struct {
	named object
	of    map[reflect.Type]string
}

func (g *schemas) operation(o *operation) object {
	text := "Needs scope " + string(o.need.scope) + " and role " + string(o.need.role) + "."
	if o.need.gated {
		text += " Write-back must be on."
	}
	if o.need.inside != "" {
		text = "Needs scope " + string(o.need.scope) + "; " + o.need.inside + "."
	}
	out := object{
		"operationId": o.id, "summary": o.summary, "tags": []string{o.tag}, "description": text,
		"x-scope": o.need.scope, "x-role": o.need.role,
	}
	var list []object
	for _, p := range params(o.in) {
		entry := object{"name": p.name, "in": p.in, "schema": g.schema(p.kind)}
		if p.in == "path" {
			entry["required"] = true
		}
		if p.doc != "" {
			entry["description"] = p.doc
		}
		list = append(list, entry)
	}
	if o.method == http.MethodPost && !o.ownKey {
		list = append(list, object{
			"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": 255},
			"description": "The same call with the same key is answered from the first one.",
		})
	}
	if len(list) > 0 {
		out["parameters"] = list
	}
	if o.hasBody() && hasMembers(o.in) {
		out["requestBody"] = object{"content": content(g.schema(o.in))}
	}
	good := http.StatusOK
	kind := o.out
	responses := object{"default": object{"description": "an error", "content": content(g.schema(reflect.TypeFor[Envelope]()))}}
	if kind.Implements(reflect.TypeFor[statused]()) {
		value := kind.Field(0).Type
		responses[strconv.Itoa(http.StatusAccepted)] = object{"description": "under way", "content": content(g.schema(value))}
		kind = value
	}
	responses[strconv.Itoa(good)] = object{"description": "done", "content": content(g.schema(kind))}
	out["responses"] = responses
	return out
}

func content(schema object) object { return object{"application/json": object{"schema": schema}} }

// hasMembers reports whether a type has fields that come in a body.
func hasMembers(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return true
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous && f.Tag.Get("json") != "-" {
			return true
		}
	}
	return false
}

// ref names a struct type once and points at it.
func (g *schemas) ref(t reflect.Type) object {
	name, known := g.of[t]
	if !known {
		name = g.name(t)
		g.of[t] = name
		g.named[name] = object{}
		g.named[name] = g.structure(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// name is the type's own; a second one of the same name takes its package's along.
func (g *schemas) name(t reflect.Type) string {
	base, of, generic := strings.Cut(t.Name(), "[")
	if generic {
		of = strings.TrimSuffix(of, "]")
		of = of[strings.LastIndexAny(of, "./")+1:]
		base = strings.ToUpper(of[:1]) + of[1:] + strings.ToUpper(base[:1]) + base[1:]
	}
	base = strings.ToUpper(base[:1]) + base[1:]
	if g.named[base] == nil {
		return base
	}
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	return strings.ToUpper(pkg[:1]) + pkg[1:] + base
}

func (g *schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	g.fields(t, properties, &required)
	out := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (g *schemas) fields(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case tag == "-":
		case f.Anonymous && tag == "" && inner.Kind() == reflect.Struct:
			g.fields(inner, properties, required)
		case !f.IsExported():
		default:
			if tag == "" {
				tag = f.Name
			}
			schema := g.schema(f.Type)
			if doc := f.Tag.Get("doc"); doc != "" {
				schema["description"] = doc
			}
			properties[tag] = schema
			if !strings.Contains(options, "omit") && f.Type.Kind() != reflect.Pointer {
				*required = append(*required, tag)
			}
		}
	}
}

// schema describes one type as encoding/json writes it.
func (g *schemas) schema(t reflect.Type) object {
	if t.Kind() == reflect.Pointer {
		return g.schema(t.Elem())
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()), t.Implements(reflect.TypeFor[json.Marshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Kind() == reflect.Slice {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": g.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.schema(t.Elem())}
	case reflect.Struct:
		if t.Name() == "" {
			return g.structure(t)
		}
		return g.ref(t)
	default:
		return object{}
	}
}
