// Package privacy recognises people without knowing them: keyed tags of
// identifiers, the list of those who must not be sent, and the index that finds a
// person's events again when they are to be erased.
//
// A tag is HMAC-SHA-256 over the SHA-256 of the normalised identifier, under a
// random pepper of the profile that is stored sealed. Whoever reads the store can
// test no guess without the master key, and two profiles share no tags. The inner
// SHA-256 is the form in which sources deliver identifiers that were hashed before,
// so a tag is the same however the value arrived.
//
// Its limit: a person is recognised by e-mail, phone and external id alone. An
// external id that is sent raw in one mapping and lower-cased in another has two
// tags; both have to be named.
package privacy

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"sluice/capi"
)

// Tag recognises one identifier of one profile: the first 16 bytes of its MAC.
type Tag [16]byte

// Fields are the identifiers that have tags.
var Fields = []capi.Field{capi.FieldEmail, capi.FieldPhone, capi.FieldExternalID}

// kind tells the fields apart inside a tag; stored for ever.
func kind(field capi.Field) byte {
	switch field {
	case capi.FieldEmail:
		return 1
	case capi.FieldPhone:
		return 2
	case capi.FieldExternalID:
		return 3
	default:
		return 0
	}
}

// Reasons of a suppression.
const (
	Withdrawn = "withdrawn" // consent was taken back
	Objected  = "objected"  // the person objected to advertising
	Erased    = "erased"    // an erasure was carried out
	Imported  = "imported"  // a list of another system
)

// Reasons lists them.
var Reasons = []string{Withdrawn, Objected, Erased, Imported}

// Suppression is one identifier that must not be sent.
type Suppression struct {
	Tag       Tag
	Field     string
	Reason    string
	Request   string // reference of the request behind it; no identifier
	CreatedAt time.Time
}

// Repo stores all of it. Tags are passed in ascending order.
type Repo interface {
	// Pepper returns the sealed pepper of a profile, nil when it has none yet.
	Pepper(ctx context.Context, profile string) ([]byte, error)
	// PutPepper stores one unless another is there.
	PutPepper(ctx context.Context, profile string, sealed []byte, at time.Time) error

	// Suppress adds to the list and returns how many were new.
	Suppress(ctx context.Context, profile string, list []Suppression) (int, error)
	Lift(ctx context.Context, profile string, tags []Tag) (int, error)
	Contains(ctx context.Context, profile string, tag Tag) (bool, error)
	// Each calls fn for the tags added at or after since, ascending.
	Each(ctx context.Context, profile string, since time.Time, fn func(Tag) error) error
	// Count counts the list by field and reason.
	Count(ctx context.Context, profile string) ([]Count, error)

	// PutSubjects stores parts of a plan's index or replaces them, SubjectParts reads
	// them back in order, DropSubjects forgets them.
	PutSubjects(ctx context.Context, plan int64, parts []Part) error
	SubjectParts(ctx context.Context, plan int64, fn func(Part) error) error
	DropSubjects(ctx context.Context, plan int64) error
}

// Count is one line of a suppression list's statistics.
type Count struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Part is a sealed piece of a plan's subject index.
type Part struct {
	No   int
	Body []byte
}

// Sealer seals small values; the keyring is one.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

const pepperSize = 32

// Pepper returns the pepper of a profile and makes one where there is none, which
// needs a transaction that may write.
func Pepper(ctx context.Context, repo Repo, keys Sealer, profile string, now time.Time) ([]byte, error) {
	sealed, err := repo.Pepper(ctx, profile)
	if err != nil {
		return nil, err
	}
	if sealed == nil {
		fresh := make([]byte, pepperSize)
		_, _ = rand.Read(fresh) // never fails: crypto/rand aborts the process instead
		if err := repo.PutPepper(ctx, profile, keys.Seal(fresh, purpose(profile)), now); err != nil {
			return nil, err
		}
		// Another process may have been first.
		if sealed, err = repo.Pepper(ctx, profile); err != nil {
			return nil, err
		}
	}
	pepper, err := keys.Open(sealed, purpose(profile))
	if err == nil && len(pepper) != pepperSize {
		err = errors.New("the pepper has the wrong size")
	}
	return pepper, err
}

func purpose(profile string) string { return "pepper of profile " + profile }

// Tagger computes tags. It is not safe for concurrent use.
type Tagger struct {
	// HMAC of one short message is two plain hashes over prepared blocks, which costs
	// half of what crypto/hmac does to set itself up for each message. A test holds
	// it against that.
	inner [sha256.BlockSize + 1 + sha256.Size]byte
	outer [sha256.BlockSize + sha256.Size]byte
}

// NewTagger returns a tagger for a profile's pepper.
func NewTagger(pepper []byte) *Tagger {
	t := &Tagger{}
	copy(t.inner[:], pepper)
	copy(t.outer[:], pepper)
	for i := range sha256.BlockSize {
		t.inner[i] ^= 0x36
		t.outer[i] ^= 0x5c
	}
	return t
}

// Tag is the tag of an identifier by the SHA-256 of its normalised form.
func (t *Tagger) Tag(field capi.Field, digest [sha256.Size]byte) Tag {
	t.inner[sha256.BlockSize] = kind(field)
	copy(t.inner[sha256.BlockSize+1:], digest[:])
	sum := sha256.Sum256(t.inner[:])
	copy(t.outer[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(t.outer[:])
	return Tag(sum[:len(Tag{})])
}

// Of appends the tags of an event in wire form, as package capi encodes it.
func (t *Tagger) Of(dst []Tag, event []byte) []Tag {
	identifiers(event, func(field capi.Field, value []byte) {
		dst = append(dst, t.Tag(field, digestOf(value)))
	})
	return dst
}

// digestOf is the digest a wire value stands for: 64 lower-case hex digits are one
// already, anything else is hashed.
func digestOf(value []byte) (digest [sha256.Size]byte) {
	if len(value) != 2*sha256.Size {
		return sha256.Sum256(value)
	}
	for i := range digest {
		high, low := nibbles[value[2*i]], nibbles[value[2*i+1]]
		if high|low > 15 {
			return sha256.Sum256(value)
		}
		digest[i] = high<<4 | low
	}
	return digest
}

// nibbles are the values of lower-case hex digits, 255 for everything else.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

// Normalized returns the digests under which an identifier may have been sent: one,
// but for an external id, whose form a mapping chooses.
func Normalized(field capi.Field, value, country string) ([][sha256.Size]byte, error) {
	modes := []capi.ExternalIDMode{capi.ExternalIDSHA256}
	if field == capi.FieldExternalID {
		modes = append(modes, capi.ExternalIDSHA256Lower)
	}
	var out [][sha256.Size]byte
	for _, mode := range modes {
		n, err := capi.Normalize(field, value, country, capi.NormalizeOptions{Hashed: capi.HashAuto, ExternalID: mode})
		if err != nil {
			return nil, err
		}
		if d := digestOf([]byte(n.SHA256)); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out, nil
}

// List is a suppression list in memory, 16 bytes an entry, safe for concurrent use.
type List struct{ tags []Tag }

// Load reads the tags that were added at or after since.
func Load(ctx context.Context, repo Repo, profile string, since time.Time) (*List, error) {
	l := &List{}
	err := repo.Each(ctx, profile, since, func(t Tag) error {
		l.tags = append(l.tags, t)
		return nil
	})
	return l, err
}

// NewList returns a list of the given tags.
func NewList(tags []Tag) *List {
	l := &List{tags: slices.Clone(tags)}
	slices.SortFunc(l.tags, Compare)
	return l
}

// Compare orders tags.
func Compare(a, b Tag) int { return bytes.Compare(a[:], b[:]) }

// Len is the number of entries.
func (l *List) Len() int { return len(l.tags) }

// Any reports whether one of the tags is on the list.
func (l *List) Any(tags []Tag) bool {
	if len(l.tags) == 0 {
		return false
	}
	for _, t := range tags {
		if _, found := slices.BinarySearchFunc(l.tags, t, Compare); found {
			return true
		}
	}
	return false
}

// Without is the list less the entries of another.
func (l *List) Without(other *List) *List {
	out := &List{}
	for _, t := range l.tags {
		if !other.Any([]Tag{t}) {
			out.tags = append(out.tags, t)
		}
	}
	return out
}

// Suppressed reports whether an event in wire form names somebody on the list of a
// profile. For single events; who judges many loads the list once.
func Suppressed(ctx context.Context, repo Repo, t *Tagger, profile string, event []byte) (bool, error) {
	for _, tag := range t.Of(nil, event) {
		if found, err := repo.Contains(ctx, profile, tag); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// Join is a set of tags as it is stored beside a single record.
func Join(tags []Tag) []byte {
	var out []byte
	for _, t := range tags {
		out = append(out, t[:]...)
	}
	return out
}

// Split is the inverse of Join; an incomplete tag at the end is left out.
func Split(joined []byte) (tags []Tag) {
	for ; len(joined) >= len(Tag{}); joined = joined[len(Tag{}):] {
		tags = append(tags, Tag(joined[:len(Tag{})]))
	}
	return tags
}
