// Package ids makes time-ordered identifiers: rows written together lie together.
package ids

import (
	"crypto/rand"
	"encoding/base32"
	"time"
)

// crockford is base32 in ASCII order, so that ids sort as their bytes do.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New returns prefix, an underscore and 26 characters: 48 bits of milliseconds
// followed by 80 random bits.
func New(prefix string, now time.Time) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(b[6:]) // never fails: crypto/rand aborts the process instead
	return prefix + "_" + crockford.EncodeToString(b[:])
}

// FromDigest returns prefix, an underscore and the first 100 bits of a digest as
// 20 characters: an id that follows from content.
func FromDigest(prefix string, digest [32]byte) string {
	return prefix + "_" + crockford.EncodeToString(digest[:13])[:20]
}
