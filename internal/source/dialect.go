package source

import (
	"bytes"
	"slices"
)

// Dialect is how a delimited file separates and quotes its fields.
type Dialect struct {
	Delimiter, Quote byte
}

const (
	// sniffRows are enough to tell a delimiter from a frequent character.
	sniffRows = 50
)

// sniff finds the dialect of a file from its first bytes. What the options fix
// stays. found is false when no delimiter separates anything: the file then has
// one column, or a delimiter that nobody thought of.
func sniff(head []byte, whole bool, o Options) (d Dialect, found bool) {
	delims := []byte{',', ';', '\t', '|'}
	if o.Format == TSV {
		delims = []byte{'\t'}
	}
	if o.Delimiter != 0 {
		delims = []byte{o.Delimiter}
	}
	quotes := []byte{'"', '\''}
	if o.Quote != 0 {
		quotes = []byte{o.Quote}
	}
	best := Dialect{Delimiter: delims[0], Quote: quotes[0]}
	var bestScore score
	for _, q := range quotes {
		if q == '\'' && o.Quote == 0 && !singleQuoted(head, delims) {
			continue
		}
		for _, c := range delims {
			if c == q {
				continue
			}
			if s := rate(head, whole, Dialect{Delimiter: c, Quote: q}); s.better(bestScore) {
				best, bestScore = Dialect{Delimiter: c, Quote: q}, s
			}
		}
	}
	return best, bestScore.fields > 1
}

// score says how well a dialect explains a sample: rows that agree with the
// header, of those looked at, and how many fields they have.
type score struct {
	agree, rows, fields int
}

func (s score) better(than score) bool {
	if s.fields <= 1 {
		return false
	}
	if than.fields <= 1 {
		return true
	}
	// Compare agree/rows as fractions, without rounding.
	if l, r := s.agree*than.rows, than.agree*s.rows; l != r {
		return l > r
	}
	return s.fields > than.fields
}

func rate(head []byte, whole bool, d Dialect) score {
	l := newLines(bytes.NewReader(head), len(head))
	s := score{}
	var fields []field
	for s.rows < sniffRows {
		rec, _, quoted, err := l.next(d.Delimiter, d.Quote)
		if err != nil {
			break
		}
		// The sample may end inside its last record.
		if !whole && l.start == l.end && s.rows > 0 {
			break
		}
		if len(rec) == 0 {
			continue
		}
		var ok bool
		fields, ok = split(fields[:0], rec, d.Delimiter, d.Quote, quoted)
		if s.rows == 0 {
			s.fields = len(fields)
		}
		s.rows++
		if ok && len(fields) == s.fields {
			s.agree++
		}
	}
	return s
}

// singleQuoted reports whether single quotes enclose fields in head. An
// apostrophe is so common in names that it takes both ends of a field, more than
// once, and no double quote at the start of any.
func singleQuoted(head []byte, delims []byte) bool {
	pairs := 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, "\r\n")
		for _, d := range delims {
			for f := range bytes.SplitSeq(line, []byte{d}) {
				if len(f) > 0 && f[0] == '"' {
					return false
				}
				if len(f) >= 2 && f[0] == '\'' && f[len(f)-1] == '\'' {
					pairs++
				}
			}
		}
	}
	return pairs >= 2
}

// looksLikeJSON reports whether the first character that is not blank opens an object.
func looksLikeJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	return len(rest) > 0 && slices.Contains([]byte(`"}`), rest[0])
}
