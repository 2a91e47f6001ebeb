package sqlrepo_test

import (
	"testing"

	"sluice/internal/store/sqlrepo"
)

func TestAMigrationHasSectionsForOneEngine(t *testing.T) {
	t.Parallel()
	const text = "a;\n-- engine: sqlite\nb;\n-- engine: postgres\nc;\n-- engine: all\nd;"
	for engine, want := range map[string]string{
		sqlrepo.SQLite:   "a;\n|b;\n!|d;|",
		sqlrepo.Postgres: "a;\n|c;\n!|d;|",
	} {
		got := ""
		sqlrepo.Section(text, engine, func(part string, alone bool) {
			if got += part; alone {
				got += "!"
			}
			got += "|"
		})
		if got != want {
			t.Errorf("%s applies %q, want %q", engine, got, want)
		}
	}
}
