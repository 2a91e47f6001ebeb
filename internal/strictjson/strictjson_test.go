package strictjson

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type inner struct {
	Name string `json:"name"`
	N    int    `json:"n,omitempty"`
}

type outer struct {
	inner2
	On    *bool             `json:"on"`
	List  []inner           `json:"list"`
	By    map[string]inner  `json:"by"`
	Text  map[string]string `json:"text"`
	At    time.Time         `json:"at"`
	Raw   json.RawMessage   `json:"raw"`
	Any   any               `json:"any"`
	Never string            `json:"-"`
}

type inner2 struct {
	Deep inner `json:"deep"`
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"all members", `{"deep":{"name":"a"},"on":true,"list":[{"n":1}],"by":{"x":{"n":2}},"text":{"any name":"v"},"at":"2026-11-21T10:00:00Z","raw":{"what":[1]},"any":{"ever":1}}`, ""},
		{"nothing", `{}`, ""},
		{"null", `{"list":null,"on":null}`, ""},
		{"unknown", `{"nothing":1}`, "/nothing: there is no such member"},
		{"unknown inside", `{"list":[{"n":1},{"m":1}]}`, "/list/1/m: there is no such member"},
		{"unknown in a map", `{"by":{"a/b":{"m":1}}}`, "/by/a~1b/m: there is no such member"},
		{"unknown in an embedded one", `{"deep":{"m":1}}`, "/deep/m: there is no such member"},
		{"another case", `{"On":true}`, "/On: there is no such member"},
		{"hidden", `{"Never":"x"}`, "/Never: there is no such member"},
		{"twice", `{"on":true,"on":false}`, "/on: the member comes more than once"},
		{"twice in what unmarshals itself", `{"raw":{"a":1,"a":2}}`, "/raw/a: the member comes more than once"},
		{"wrong type", `{"on":"yes"}`, "/on: the wrong type"},
		{"object for a list", `{"list":{}}`, "/list: the wrong type"},
		{"list for an object", `{"deep":[]}`, "/deep: the wrong type"},
		{"text for a number inside", `{"deep":{"n":"1"}}`, "/deep/n: the wrong type"},
		{"another root", `[]`, "the wrong type"},
		{"no JSON", `{"on":tru}`, "not one JSON value (byte 9)"},
		{"cut off", `{"on":true`, "not one JSON value (byte 10)"},
		{"two values", `{} {}`, "something follows the value"},
		{"empty", ``, "not one JSON value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var v outer
			err := Unmarshal([]byte(tt.text), &v)
			var mine *Error
			got := ""
			if err != nil {
				got = err.Error()
				if !errors.As(err, &mine) {
					t.Errorf("%T is no *Error", err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"deep":{"name":"a"},"list":[{}],"by":{"x":{}}}`))
	f.Add([]byte(`[{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var v, again outer
		if Unmarshal(text, &v) != nil {
			return
		}
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s: taken, and encoding/json says %v", text, err)
		}
	})
}
