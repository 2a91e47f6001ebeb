package capi

import (
	"bytes"
	"sync"
)

// countryCode is an ISO 3166-1 alpha-2 code in lower case, packed into one number.
type countryCode uint16

const (
	noCountry countryCode = 0
	countryUS             = countryCode('u')<<8 | 's'
	countryIT             = countryCode('i')<<8 | 't'
	countryAU             = countryCode('a')<<8 | 'u'
)

// packCountry packs two lower-case letters; noCountry for anything else.
func packCountry[T string | []byte](s T) countryCode {
	if len(s) != 2 || asciiKinds[s[0]] != asciiLower || asciiKinds[s[1]] != asciiLower {
		return noCountry
	}
	return countryCode(s[0])<<8 | countryCode(s[1])
}

func (c countryCode) append(dst []byte) []byte { return append(dst, byte(c>>8), byte(c)) }

func (c countryCode) String() string {
	if c == noCountry {
		return ""
	}
	return string(c.append(nil))
}

// index numbers the 676 pairs of letters.
func (c countryCode) index() int { return int(c>>8-'a')*26 + int(c&0xff-'a') }

// assignedCountries tells the codes ISO has assigned.
var assignedCountries = func() (assigned [26 * 26]bool) {
	for _, c := range countries {
		assigned[packCountry(c.alpha2).index()] = true
	}
	return assigned
}()

// countryNames maps everything else a country is called to its code. It is built
// when the first name is looked up: most data holds codes.
var countryNames = sync.OnceValue(func() map[string]countryCode {
	names := make(map[string]countryCode, 3*len(countries)+len(countryAliases))
	for _, c := range countries {
		cc := packCountry(c.alpha2)
		names[c.alpha3] = cc
		names[c.name] = cc
	}
	for alias, alpha2 := range countryAliases {
		names[alias] = packCountry(alpha2)
	}
	return names
})

// dottedI is what İ becomes in lower case. Turkish capitals have it in names that
// are listed with a plain i.
var dottedI = []byte("i\u0307")

// lookupCountry finds a country by squashed text.
func lookupCountry(squashed []byte) (countryCode, bool) {
	if cc := packCountry(squashed); cc != noCountry {
		if assignedCountries[cc.index()] {
			return cc, true
		}
	}
	if cc, ok := countryNames()[string(squashed)]; ok {
		return cc, true
	}
	if !bytes.Contains(squashed, dottedI) {
		return noCountry, false
	}
	cc, ok := countryNames()[string(bytes.ReplaceAll(squashed, dottedI, dottedI[:1]))]
	return cc, ok
}
