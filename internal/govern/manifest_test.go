package govern_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/govern"
)

// Aliases that multiply must not multiply work.
func TestAliasesDoNotMultiply(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("kind: grant\nserver: crm\nname: x\nexpires: never\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		prev, next := string(rune('0'+i)), string(rune('1'+i))
		b.WriteString("a" + next + ": &a" + next + " [" + strings.TrimSuffix(strings.Repeat("*a"+prev+", ", 10), ", ") + "]\n")
	}
	b.WriteString("scopes: *a9\n")
	_, err := govern.ReadManifest("prod", map[string][]byte{"a.yaml": []byte(b.String())})
	refused(t, "a file of aliases", err, fault.Usage)
}

// Nor must values that are nested without end take the parser's time, or its stack.
func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"lists": "kind: server\nname: x\nmethods: " + strings.Repeat("[", 200_000), "objects": "kind: server\nname: x\nenv: " + strings.Repeat("{a: ", 50_000),
		"lines": "kind: server\nname: x\nmethods:\n" + strings.Repeat("- ", 100_000) + "a", "size": "kind: server\nname: x\n" + strings.Repeat("# x\n", 100_000),
	} {
		start := time.Now()
		_, err := govern.ReadManifest("prod", map[string][]byte{"a.yaml": []byte(text)})
		refused(t, name, err, fault.Usage)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
}
