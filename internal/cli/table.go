package cli

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// measured is how many rows decide the width of the columns; a later, wider cell
// moves its own row only, and memory stays bounded however long the list is.
const measured = 500

// table writes rows in aligned columns. What it is given comes from files, so
// nothing in it can move the cursor or turn the reading direction.
type table struct {
	w      io.Writer
	head   []string
	rows   [][]string
	widths []int
	wrote  bool
}

func newTable(w io.Writer) *table { return &table{w: w} }

func (t *table) row(cells ...string) error {
	for i := range cells {
		cells[i] = shown(cells[i])
	}
	if t.wrote {
		return t.write(cells)
	}
	if t.rows = append(t.rows, cells); len(t.rows) < measured {
		return nil
	}
	return t.flush()
}

// flush writes what was held back. A table without rows writes nothing.
func (t *table) flush() error {
	if t.wrote || len(t.rows) == 0 {
		return nil
	}
	rows := append([][]string{t.head}, t.rows...)
	t.widths = make([]int, len(t.head))
	for _, cells := range rows {
		for i, s := range cells {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(s))
		}
	}
	t.rows, t.wrote = nil, true
	for _, cells := range rows {
		if err := t.write(cells); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) write(cells []string) error {
	var b strings.Builder
	for i, s := range cells {
		b.WriteString(s)
		b.WriteString(strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(s))+2))
	}
	_, err := io.WriteString(t.w, strings.TrimRight(b.String(), " ")+"\n")
	return err
}

// place writes where a row stands, as editors take it.
func place(file string, n int64) string { return file + ":" + strconv.FormatInt(n, 10) }
