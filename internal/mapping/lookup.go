package mapping

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"sluice/internal/suggest"
)

const (
	maxTableBytes   = 4 << 20
	maxTableEntries = 100_000
)

// lookupTable replaces values by others. Keys are compared exactly, after trimming.
type lookupTable struct {
	entries map[string]string
	// keep passes on values that the table does not know; else they become empty.
	keep   bool
	digest [32]byte // of the file, zero for an inline table
}

// decodeTables reads `lookups:`.
func (d *decoder) decodeTables(c cursor) {
	d.tables, d.used = map[string]*lookupTable{}, map[string]bool{}
	if !c.present() {
		return
	}
	if c.kind != objectNode {
		d.fault(c, "write `lookups: {name: {from: to}}`", "lookups: expected named tables, found %s", c.said())
		return
	}
	for _, m := range c.members {
		d.tables[m.key] = d.table(c.at(m))
	}
}

// table reads one of the three forms: entries alone, entries with settings, or a
// file with settings. A table whose own entries are called `file` or `entries`
// needs the second form.
func (d *decoder) table(c cursor) *lookupTable {
	t := &lookupTable{entries: map[string]string{}}
	if c.kind != objectNode {
		d.fault(c, "write `{from: to, …}` or `{file: table.csv}`", "expected a lookup table, found %s", c.said())
		return t
	}
	for _, m := range c.members {
		switch {
		case m.key == "file":
			d.fileTable(c, t)
			return t
		case m.key == "entries" && m.value.kind == objectNode:
			keys := d.object(c, "entries", "otherwise")
			d.otherwise(keys, t)
			d.entries(keys["entries"], t)
			return t
		}
	}
	d.entries(c, t)
	return t
}

func (d *decoder) otherwise(keys map[string]cursor, t *lookupTable) {
	if o, ok := keys["otherwise"]; ok {
		s, _ := d.choice(o, "otherwise", "empty", "keep")
		t.keep = s == "keep"
	}
}

func (d *decoder) entries(c cursor, t *lookupTable) {
	for _, m := range c.members {
		v := c.at(m)
		switch v.kind {
		case nullNode:
			t.entries[trimSpace(m.key)] = ""
		case scalarNode:
			t.entries[trimSpace(m.key)] = trimSpace(v.text)
		default:
			d.fault(v, "", "a lookup entry must be a text, found %s", v.said())
		}
	}
}

func (d *decoder) fileTable(c cursor, t *lookupTable) {
	keys := d.object(c, "file", "key", "value", "otherwise")
	d.otherwise(keys, t)
	name, ok := d.text(keys["file"], "file")
	if !ok {
		return
	}
	at := keys["file"]
	src, err := d.readTable(name)
	if err != nil {
		d.fault(at, "put the file beside the mapping, or below its directory", "lookup file %q: %s", clip(name), err)
		return
	}
	t.digest = sha256.Sum256(src)
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(src, []byte("\ufeff"))))
	header, err := rows.Read()
	if err != nil || len(header) < 2 {
		d.fault(at, "write a CSV file with a header and at least two columns", "lookup file %q has no two columns", clip(name))
		return
	}
	from, to := d.tableColumn(keys["key"], header, 0), d.tableColumn(keys["value"], header, 1)
	if from < 0 || to < 0 {
		return
	}
	for n := 2; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			d.fault(at, "correct the CSV", "lookup file %q, record %d is malformed", clip(name), n)
			return
		}
		key := trimSpace(row[from])
		if old, twice := t.entries[key]; twice && old != trimSpace(row[to]) {
			d.fault(at, "keep one of the two", "lookup file %q, record %d: its key was given before with another value", clip(name), n)
			return
		}
		if t.entries[key] = trimSpace(row[to]); len(t.entries) > maxTableEntries {
			d.fault(at, "join the data before the export instead", "lookup file %q has more than %d entries", clip(name), maxTableEntries)
			return
		}
	}
}

// readTable reads a file below the mapping's directory, and no more than it may be.
func (d *decoder) readTable(name string) ([]byte, error) {
	if d.files == nil {
		return nil, errors.New("files can't be read here")
	}
	if !fs.ValidPath(name) {
		return nil, errors.New("the path must be relative, with forward slashes and without `..`")
	}
	f, err := d.files.Open(name)
	if err != nil {
		return nil, errors.New("it can't be opened")
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxTableBytes+1))
	if err != nil {
		return nil, errors.New("it can't be read")
	}
	if len(src) > maxTableBytes {
		return nil, fmt.Errorf("it is larger than %d MiB", maxTableBytes>>20)
	}
	return src, nil
}

func (d *decoder) tableColumn(c cursor, header []string, otherwise int) int {
	if !c.present() {
		return otherwise
	}
	name, ok := d.text(c, "a column of the lookup file")
	if !ok {
		return -1
	}
	for i, h := range header {
		if strings.TrimSpace(h) == name {
			return i
		}
	}
	d.fault(c, "", "the lookup file has no column %q", clip(name))
	return -1
}

// lookup makes the transform that uses a table.
func (d *decoder) lookup(c cursor, name string) transform {
	t := d.tables[name]
	if t == nil {
		names := slices.Sorted(maps.Keys(d.tables))
		fix := "define it under `lookups:`"
		if near := suggest.Closest(name, names); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
		d.fault(c, fix, "there is no lookup table %q", clip(name))
		t = &lookupTable{}
	}
	d.used[name] = true
	return transform{name: "lookup", apply: func(v string) (string, string) {
		if to, ok := t.entries[v]; ok {
			return to, ""
		}
		if t.keep {
			return v, ""
		}
		return "", WarnLookupMissed
	}}
}
