package capi

import "hash/maphash"

// hashCache keeps the hashes of fields with few different values: country, state,
// gender, city and zip. It is direct-mapped and of fixed size, so it neither grows
// nor holds more than a thousand values. What identifies a person is never kept.
type hashCache struct {
	seed  maphash.Seed
	slots []cacheSlot
	last  [numFields]*cacheSlot
}

// cacheSlot holds one value and what it became. Only values without fault or
// warning are kept, so a hit has nothing to report.
type cacheSlot struct {
	item  [hexDigestLen + len(`"",`)]byte // as it stands in a list
	hint  countryCode
	field Field
	size  uint8
	text  [maxCachedText]byte
}

const (
	cacheSlots    = 1 << 10
	maxCachedText = 57 // rounds a slot to two cache lines
	cachedFields  = KeySet(1)<<FieldCountry | 1<<FieldState | 1<<FieldGender | 1<<FieldCity | 1<<FieldZip
)

// slot returns where a value of at most maxCachedText bytes is kept, or would be.
func (c *hashCache) slot(f Field, s string, hint countryCode) *cacheSlot {
	// One country follows another of the same name nearly always.
	if last := c.last[f]; last != nil && last.holds(f, s, hint) {
		return last
	}
	if c.slots == nil {
		c.seed = maphash.MakeSeed()
		c.slots = make([]cacheSlot, cacheSlots)
	}
	h := maphash.String(c.seed, s) + uint64(f)*0x9E3779B9 + uint64(hint)
	c.last[f] = &c.slots[h%cacheSlots]
	return c.last[f]
}

func (s *cacheSlot) holds(f Field, text string, hint countryCode) bool {
	return int(s.size) == len(text) && s.field == f && s.hint == hint && string(s.text[:s.size]) == text
}

func (s *cacheSlot) keep(f Field, text string, hint countryCode, item []byte) {
	copy(s.item[:], item)
	s.hint, s.field = hint, f
	s.size = uint8(copy(s.text[:], text))
}
