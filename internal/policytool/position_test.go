package policytool_test

import (
	"fmt"
	"slices"
	"testing"

	"sluice/internal/policytool"
	"sluice/policy"
)

func TestAFaultHasItsPlaceInTheFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"member":        {"{\"version\":\"1\",\n \"default\":\"deny\",\n  \"tols\":{}}", "3:3 E_UNKNOWN_FIELD"},
		"value":         {"{\"version\":1,\"default\":\"deny\"}", "1:2 E_VERSION"},
		"missing":       {"\n {\"version\":\"1\"}", "2:2 E_DEFAULT"},
		"element":       {"{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"a\",\n\"a\"]}", "2:1 E_HIDE_DUP"},
		"second of two": {"{\"version\":\"1\",\"default\":\"deny\",\n\"default\":\"allow\"}", "2:1 E_DUP_KEY"},
		"characters":    {"{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"äöü\":{\"x\":1}}}", "1:49 E_UNKNOWN_FIELD"},
		"broken":        {"{\"version\":\"1\",\n\"default\":\"deny\",\n\"tools\":{]}", "3:10 E_JSON"},
		"nothing":       {"", "1:1 E_JSON"},
		"inside a rule": {"{\"version\":\"1\",\"default\":\"deny\",\"tools\":{\"a/b\":{\"deny_if\":[\n{\"conditions\":[\n\n {\"path\":\"args.x\",\"op\":\"equals\",\"value\":1}]}]}}}", "4:19 E_OP"},
	} {
		_, faults := policy.Parse([]byte(c.text))
		var got []string
		for _, f := range policytool.Place([]byte(c.text), faults) {
			got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Code))
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, faults)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add(`{"version":"1","default":"deny","default":"allow"}`, "/default")
	f.Add(`{"a":[{"b":}]}`, "/a/0/b")
	f.Fuzz(func(t *testing.T, text, pointer string) {
		for _, code := range []string{"E_JSON", "E_DUP_KEY", "E_OP"} {
			found := policytool.Place([]byte(text), []policy.Fault{{Code: code, Pointer: pointer}})
			if len(found) != 1 || found[0].Line < 1 || found[0].Column < 1 {
				t.Fatalf("%+v", found)
			}
		}
	})
}
