package chart

import (
	"math"
	"strconv"
	"strings"
)

// scale maps values to a stretch of pixels, with ticks at round numbers.
type scale struct {
	low, high float64
	ticks     []float64
	step      float64
	from, to  float64 // pixels of low and high
}

// newScale covers the values, and zero. About want ticks are aimed at.
func newScale(low, high float64, want int) scale {
	low, high = math.Min(low, 0), math.Max(high, 0)
	if low == high {
		high = 1
	}
	step := niceStep((high - low) / float64(max(want, 2)))
	s := scale{step: step, low: math.Floor(low/step+1e-9) * step, high: math.Ceil(high/step-1e-9) * step}
	for i := 0; i <= 50; i++ {
		v := s.low + float64(i)*step
		if v > s.high+step/2 {
			break
		}
		if math.Abs(v) < step/1e6 {
			v = 0
		}
		s.ticks = append(s.ticks, v)
	}
	return s
}

// niceStep is the next of 1, 2, 2.5, 5 times a power of ten.
func niceStep(raw float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, f := range []float64{1, 2, 2.5, 5} {
		if raw <= f*power*(1+1e-9) {
			return f * power
		}
	}
	return 10 * power
}

func (s *scale) at(v float64) float64 {
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}

// tickLabels writes the ticks with as many digits as the step needs, all in the same
// thousand, million or billion.
func (s *scale) tickLabels(unit string) []string {
	largest := math.Max(math.Abs(s.low), math.Abs(s.high))
	div, suffix := magnitude(largest)
	digits := 0
	for d := s.step / div; digits < 6 && math.Abs(d-math.Round(d)) > 1e-6; digits++ {
		d *= 10
	}
	out := make([]string, len(s.ticks))
	for i, v := range s.ticks {
		out[i] = grouped(v/div, digits) + suffix + unit
		if v == 0 {
			out[i] = "0" + unit
		}
	}
	return out
}

// magnitude is what numbers of a size are divided by, and its letter. Below a hundred
// thousand they are written out.
func magnitude(v float64) (float64, string) {
	switch {
	case v >= 1e12:
		return 1e12, "T"
	case v >= 1e9:
		return 1e9, "B"
	case v >= 1e6:
		return 1e6, "M"
	case v >= 1e5:
		return 1e3, "K"
	}
	return 1, ""
}

// number writes one value: 1,234.5 or 1.25M.
func number(v float64, unit string) string {
	div, suffix := magnitude(math.Abs(v))
	d := v / div
	digits := 2
	switch a := math.Abs(d); {
	case a == math.Trunc(a) || a >= 10_000:
		digits = 0
	case a < 0.1 && a > 0:
		digits = 4
	}
	text := grouped(d, digits)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text + suffix + unit
}

// grouped writes a number with commas between thousands.
func grouped(v float64, digits int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, frac, found := strings.Cut(text, ".")
	var b strings.Builder
	if v < 0 && strings.Trim(text, "0.") != "" {
		b.WriteString("−")
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if found {
		b.WriteString("." + frac)
	}
	return b.String()
}
