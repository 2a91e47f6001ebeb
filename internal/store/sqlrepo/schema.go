package sqlrepo

import (
	"embed"
	"strings"
)

// Schema holds the numbered migrations that every engine applies after its own
// first one. They are written in SQLite's STRICT dialect; an engine that speaks
// another translates the types.
//
//go:embed schema/*.sql
var Schema embed.FS

// The engines by the names that migrations use.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

const sectionMark = "-- engine:"

// Section is the part of a migration that an engine applies. A line
//
//	-- engine: sqlite
//
// (or postgres) starts a section for that engine alone, which is applied as it is
// written; `-- engine: all` ends it. part is called for every part in order; alone
// says that it was written for this engine.
func Section(text, engine string, part func(text string, alone bool)) {
	section, from := "all", 0
	flush := func(to int) {
		if to > from && (section == "all" || section == engine) {
			part(text[from:to], section != "all")
		}
	}
	at := 0
	for line := range strings.Lines(text) {
		next := at + len(line)
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), sectionMark); ok {
			flush(at)
			section, from = strings.TrimSpace(name), next
		}
		at = next
	}
	flush(at)
}
