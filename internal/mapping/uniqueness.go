package mapping

import (
	"hash/maphash"
)

// maxTracked bounds the memory of a Uniqueness to a few dozen megabytes.
const maxTracked = 1 << 19

// Uniqueness measures how often keys repeat in a stream of any length, in bounded
// memory: it follows all keys while they are few, and a fair sample of them (those
// whose hash ends in a growing number of zeros) when they are many.
//
// Its zero value is not usable; see NewUniqueness.
type Uniqueness struct {
	seed  maphash.Seed
	mask  uint64 // keys whose hash has any of these bits are not followed
	keys  map[uint64]keyUse
	limit int
	rows  int64
	empty int64
}

// keyUse is what is known of one followed key.
type keyUse struct {
	rows    uint32
	context uint64 // of its first row
	crossed bool   // another row had another context
}

// UniquenessReport is the result. Keys, Repeated and Crossed count followed keys:
// all of them, or a sample when Sampled.
type UniquenessReport struct {
	Rows     int64 `json:"rows"`
	Empty    int64 `json:"empty"` // rows whose key was empty
	Keys     int   `json:"keys"`
	Repeated int   `json:"repeated"` // keys on more than one row
	Crossed  int   `json:"crossed"`  // keys on rows with different contexts
	Sampled  bool  `json:"sampled"`
}

// NewUniqueness returns an empty measurement.
func NewUniqueness() *Uniqueness {
	return &Uniqueness{seed: maphash.MakeSeed(), keys: map[uint64]keyUse{}, limit: maxTracked}
}

// Add counts a row. The context is what should be the same on all rows with the
// key, such as the shop and the day of a receipt.
func (u *Uniqueness) Add(key, context string) {
	u.rows++
	if key == "" {
		u.empty++
		return
	}
	h := maphash.String(u.seed, key)
	if h&u.mask != 0 {
		return
	}
	c := maphash.String(u.seed, context)
	k, known := u.keys[h]
	if !known {
		k.context = c
		if len(u.keys) >= u.limit {
			u.thin()
			if h&u.mask != 0 {
				return
			}
		}
	}
	k.rows++
	k.crossed = k.crossed || k.context != c
	u.keys[h] = k
}

// thin halves the sample.
func (u *Uniqueness) thin() {
	u.mask = u.mask<<1 | 1
	for h := range u.keys {
		if h&u.mask != 0 {
			delete(u.keys, h)
		}
	}
}

// Report returns what was measured so far.
func (u *Uniqueness) Report() UniquenessReport {
	r := UniquenessReport{Rows: u.rows, Empty: u.empty, Keys: len(u.keys), Sampled: u.mask != 0}
	for _, k := range u.keys {
		if k.rows > 1 {
			r.Repeated++
		}
		if k.crossed {
			r.Crossed++
		}
	}
	return r
}
