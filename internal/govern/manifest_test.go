package govern_test

import (
	"strings"
	"testing"

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
