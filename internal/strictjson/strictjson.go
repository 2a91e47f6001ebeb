// Package strictjson reads JSON from those we don't trust: names count exactly as
// they are written, none may come twice, none may be unknown, and nothing may follow
// the value.
//
// Its guarantee: what it refuses it names by its place, and never by its value. Its
// limit: types that unmarshal themselves judge their own part.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Error says what is wrong, and where.
type Error struct {
	Pointer string // JSON pointer of the member; empty: the whole
	Problem string
}

func (e *Error) Error() string {
	if e.Pointer == "" {
		return e.Problem
	}
	return e.Pointer + ": " + e.Problem
}

// Unmarshal reads text into the value that into points at. Its errors are *Error.
func Unmarshal(text []byte, into any) error {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	w := walker{dec: dec}
	if err := w.value(reflect.TypeOf(into).Elem(), ""); err != nil {
		return asError(err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return &Error{"", "something follows the value"}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return asError(err)
	}
	return nil
}

func asError(err error) error {
	var mine *Error
	var syntax *jsontext.SyntacticError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName):
		return &Error{string(syntax.JSONPointer), "the member comes more than once"}
	case errors.As(err, &syntax):
		return &Error{"", "not one JSON value (byte " + strconv.FormatInt(syntax.ByteOffset, 10) + ")"}
	case errors.As(err, &kind) && kind.Field != "":
		return &Error{"/" + strings.ReplaceAll(kind.Field, ".", "/"), "the wrong type"}
	case errors.As(err, &kind):
		return &Error{"", "the wrong type"}
	}
	return &Error{"", "not one JSON value"}
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// walker compares the names of a text with those of a type.
type walker struct{ dec *jsontext.Decoder }

func (w *walker) value(t reflect.Type, at string) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	known := t != nil && t.Kind() != reflect.Interface && !reflect.PointerTo(t).Implements(unmarshaler)
	kind := w.dec.PeekKind()
	switch {
	case !known:
		return w.dec.SkipValue()
	case kind != '{' && kind != '[':
		if !scalar(t, kind) {
			return &Error{at, "the wrong type"}
		}
		return w.dec.SkipValue()
	case kind == '{' && t.Kind() == reflect.Struct:
		fields := map[string]reflect.Type{}
		members(t, fields)
		return w.object(at, func(name string) (reflect.Type, bool) { f, ok := fields[name]; return f, ok })
	case kind == '{' && t.Kind() == reflect.Map:
		return w.object(at, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case kind == '[' && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return w.array(t.Elem(), at)
	default:
		return &Error{at, "the wrong type"}
	}
}

// scalar reports whether a text, number, truth value or null can be of a type.
func scalar(t reflect.Type, kind jsontext.Kind) bool {
	switch kind {
	case '"':
		bytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
		return t.Kind() == reflect.String || bytes || reflect.PointerTo(t).Implements(textUnmarshaler)
	case '0':
		return t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64
	case 't', 'f':
		return t.Kind() == reflect.Bool
	default:
		return true // null, or what is no JSON: the decoder says so
	}
}

func (w *walker) object(at string, member func(string) (reflect.Type, bool)) error {
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for w.dec.PeekKind() != '}' {
		token, err := w.dec.ReadToken()
		if err != nil {
			return err
		}
		here := at + "/" + escape(token.String())
		t, ok := member(token.String())
		if !ok {
			return &Error{here, "there is no such member"}
		}
		if err := w.value(t, here); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

func (w *walker) array(elem reflect.Type, at string) error {
	if _, err := w.dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; w.dec.PeekKind() != ']'; i++ {
		if err := w.value(elem, at+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	_, err := w.dec.ReadToken()
	return err
}

// escape writes a name as a part of a JSON pointer. A long one is cut: it is shown.
func escape(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(strings.ToValidUTF8(name, "?"))
}

// members lists what encoding/json would fill, by name.
func members(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case name == "-":
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
			members(inner, into)
		case !f.IsExported():
		case name == "":
			into[f.Name] = f.Type
		default:
			into[name] = f.Type
		}
	}
}
