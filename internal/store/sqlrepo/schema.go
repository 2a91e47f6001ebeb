package sqlrepo

import "embed"

// Schema holds the numbered migrations that every engine applies after its own
// first one. They are written in SQLite's STRICT dialect; an engine that speaks
// another translates the types.
//
//go:embed schema/*.sql
var Schema embed.FS
