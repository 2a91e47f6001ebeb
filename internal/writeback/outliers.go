package writeback

import (
	"math/bits"
)

// outliers finds amounts that are far above the rest without keeping them: it
// counts per power of two and sixteenth of it, so an amount is known to about 6 %.
type outliers map[string]*[64 * outlierSteps]int

const (
	outlierSteps   = 16
	outlierMinimum = 1000 // fewer events say nothing about a 99.9th percentile
)

func outlierBucket(v int64) int {
	if v <= 0 {
		return 0
	}
	exp := bits.Len64(uint64(v)) - 1
	frac := uint64(v) << (63 - exp) << 1 >> 60 // the four bits below the leading one
	return exp*outlierSteps + int(frac)
}

func (o *outliers) add(currency string, value int64) {
	if *o == nil {
		*o = outliers{}
	}
	h := (*o)[currency]
	if h == nil {
		h = new([64 * outlierSteps]int)
		(*o)[currency] = h
	}
	h[outlierBucket(value)]++
}

// count returns how many amounts lie above ten times the 99.9th percentile.
func (o outliers) count(currency string) int {
	h := o[currency]
	total := 0
	for _, n := range h {
		total += n
	}
	if total < outlierMinimum {
		return 0
	}
	below, at := 0, 0
	for at < len(h)-1 && (below+h[at])*1000 < total*999 {
		below += h[at]
		at++
	}
	// Ten times is three octaves and a bit more than five sixteenths.
	far := 0
	for i := at + 3*outlierSteps + 6; i < len(h); i++ {
		far += h[i]
	}
	return far
}

func (o outliers) warn(s *Summary) {
	n := 0
	for currency := range o {
		n += o.count(currency)
	}
	if n > 0 {
		s.Warnings["value_outlier"] = &Note{Count: n, Hint: "amounts above ten times the 99.9th percentile; check for a lost decimal point or an order that is about to be cancelled"}
	}
}
