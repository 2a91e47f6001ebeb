package capi

import (
	"math/bits"
	"strings"
)

// KeySet is a set of customer-information keys.
type KeySet uint64

// Keys returns the set of the given fields.
func Keys(fields ...Field) KeySet {
	var s KeySet
	for _, f := range fields {
		s = s.With(f)
	}
	return s
}

// Has reports whether f is in the set.
func (s KeySet) Has(f Field) bool { return s&(1<<f) != 0 }

// With returns the set and f.
func (s KeySet) With(f Field) KeySet { return s | 1<<f }

// Without returns the set less f.
func (s KeySet) Without(f Field) KeySet { return s &^ (1 << f) }

// Contains reports whether every key of t is in s.
func (s KeySet) Contains(t KeySet) bool { return s&t == t }

// Len returns how many keys are in the set.
func (s KeySet) Len() int { return bits.OnesCount64(uint64(s)) }

// Fields returns the keys in the order of their wire names.
func (s KeySet) Fields() []Field {
	out := make([]Field, 0, s.Len())
	for f := range numFields {
		if s.Has(f) {
			out = append(out, f)
		}
	}
	return out
}

// Names returns the wire names in sorted order.
func (s KeySet) Names() []string {
	out := make([]string, 0, s.Len())
	for f := range numFields {
		if s.Has(f) {
			out = append(out, fieldNames[f])
		}
	}
	return out
}

// String returns the wire names joined with commas: "em,fn,ln".
func (s KeySet) String() string { return strings.Join(s.Names(), ",") }

// refusedSets are the combinations Meta refuses since Graph v13.0: an event whose
// keys all lie inside one of them carries too little to find a person. Source:
// Conversions API best practices, "Invalid combinations".
var refusedSets = [...]KeySet{
	1<<FieldCity | 1<<FieldCountry | 1<<FieldState | 1<<FieldZip | 1<<FieldGender | 1<<FieldClientUserAgent,
	1<<FieldBirthDate | 1<<FieldClientUserAgent,
	1<<FieldFirstName | 1<<FieldGender,
	1<<FieldLastName | 1<<FieldGender,
}

// Sufficient reports whether Meta accepts an event with exactly these keys. The
// empty set is not sufficient.
func (s KeySet) Sufficient() bool {
	for _, refused := range refusedSets {
		if refused.Contains(s) {
			return false
		}
	}
	return true
}
