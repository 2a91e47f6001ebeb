package source

import (
	"bytes"

	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// headerless is the fault of a file whose first line holds values: its cells may
// be a customer's and stay out of the message.
func headerless(name string, columns int) *fault.Error {
	return fault.New(fault.SourceInvalid, "%s: the first line does not look like a header (%d columns)", name, columns).
		WithFix("export the data with a line of column names on top, and check that the file is delimited text").
		With("file", name).With("columns", columns)
}

// presentable reports whether the cells of a header may be shown.
func presentable(header []string) bool {
	for _, c := range header {
		if suggest.LooksLikeData(c) {
			return false
		}
	}
	return true
}

// repeatsInSample reports whether two or more cells of the first line are values
// further down in their columns: words such as a town or a country, which can't
// be told from names by themselves. A header that is repeated as a whole, where
// exports were put together, does not count.
func repeatsInSample(header []string, sample [][]string) bool {
	again := make([]bool, len(header))
	n := 0
	for _, row := range sample {
		same := 0
		for c, h := range header {
			if h != "" && row[c] == h {
				same++
			}
		}
		if same == len(header) {
			continue
		}
		for c, h := range header {
			if h != "" && row[c] == h && !again[c] {
				again[c] = true
				n++
			}
		}
	}
	return n >= 2
}

// isJSONArray reports whether a text is a JSON array. A bracket alone is not
// enough: some databases write column names in brackets.
func isJSONArray(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] != '[' {
		return false
	}
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	if len(rest) == 0 {
		return true
	}
	switch c := rest[0]; c {
	case '{', '[', ']', '"':
		return true
	default:
		return c == '-' || c-'0' <= 9
	}
}

func jsonArray(name string) *fault.Error {
	return fault.New(fault.SourceInvalid, "%s is a JSON array; write one object per line (for example `jq -c .[]`)", name).
		WithFix("convert it with `jq -c '.[]' FILE > FILE.jsonl`, or export JSON lines").With("file", name)
}
