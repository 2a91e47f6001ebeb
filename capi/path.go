package capi

import (
	"strconv"
	"strings"
)

// appendIndex writes [i]; nothing for a negative index.
func appendIndex(b *strings.Builder, i int) {
	if i >= 0 {
		b.WriteByte('[')
		b.WriteString(strconv.Itoa(i))
		b.WriteByte(']')
	}
}

// itemPath returns list[i].key, or list[i] without a key.
func itemPath(list string, i int, key string) string {
	var b strings.Builder
	b.WriteString(list)
	appendIndex(&b, i)
	if key != "" {
		b.WriteByte('.')
		b.WriteString(key)
	}
	return b.String()
}

// cachedPaths is how many list positions of a field keep their path.
const cachedPaths = 4

// pathCache makes the paths of customer information once, because the same few
// columns fail on every row of a bad file.
type pathCache [numFields][cachedPaths + 1]string

func (c *pathCache) of(f Field, index int) string {
	if f >= numFields || index >= cachedPaths {
		return fieldPath(f, index)
	}
	slot := &c[f][index+1]
	if *slot == "" {
		*slot = fieldPath(f, index)
	}
	return *slot
}
