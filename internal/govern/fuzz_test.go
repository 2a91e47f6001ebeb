package govern_test

import (
	"testing"

	"sluice/internal/govern"
)

// Files come over the API from people who may be careless or worse.
func FuzzReadManifest(f *testing.F) {
	for _, text := range production() {
		f.Add(string(text))
	}
	f.Add("kind: server\nname: &a [*a]\n")
	f.Add("kind: policy\nserver: crm\nname: x\ndocument: '{'\n---\n- 1\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := govern.ReadManifest("prod", map[string][]byte{"a.yaml": []byte(text), "b.json": []byte(text)})
		if (m == nil) == (err == nil) {
			t.Errorf("%v, %v", m, err)
		}
	})
}

// Diff is shown before a change: it must not overlook one, nor find one where there is
// none.
func FuzzDiff(f *testing.F) {
	f.Add(denyAll, allowAll)
	f.Add(`{"version":"1","default":"deny","tools":{"a":{"deny_if":[{"conditions":[]},{"id":"x","conditions":[]}]}}}`, `{"version":"1","default":"deny","tools":{"a":{"deny_if":[{"id":"x","conditions":[]},{"conditions":[]}]}}}`)
	f.Add(`{"version":"1","default":"deny","hide":["a","b"],"all_tools":{"limits":[{"counter":"c","window":"hour","max":1,"scope":"grant"}]}}`, `{"version":"1","default":"deny","hide":["b"]}`)
	f.Add(`{"version":"1","default":"deny","hide":["a","b"]}`, `{"version":"1","default":"deny","hide":["b","a"]}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(govern.Diff([]byte(a), []byte(a))) != 0 {
			t.Errorf("%q differs from itself", a)
		}
		before, after := canonical(a), canonical(b)
		if before == nil || after == nil {
			return
		}
		if differs := string(before) != string(after); differs != (len(govern.Diff(before, after)) > 0) {
			t.Errorf("%s and %s: %v", before, after, govern.Diff(before, after))
		}
	})
}
