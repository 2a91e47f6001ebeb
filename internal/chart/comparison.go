package chart

import (
	"math"
	"strconv"
)

// comparison draws a row for each label with the bars of both groups, their numbers and
// the change from the first to the second. Each row has its own scale: a rate and a
// count don't fit on one.
func (d *drawing) comparison() {
	names := letters{size: textSize, col: ink, anchor: 1}
	wide := 0.0
	for _, text := range d.Labels {
		wide = math.Max(wide, d.width(text, names))
	}
	wide = math.Min(wide, d.plot.w()*0.3)
	d.plot.l += math.Ceil(wide) + 12
	changes := letters{size: textSize, bold: true, col: ink, anchor: 1}
	const changeRoom = 84.0
	l := letters{size: smallSize, col: ink}
	slot := d.plot.h() / float64(len(d.Labels))
	thick := math.Min(slot*0.39, 34)
	for j, text := range d.Labels {
		mid := d.plot.t + (float64(j)+0.5)*slot
		if j > 0 {
			d.rule(point{margin, mid - slot/2}, point{d.plot.r, mid - slot/2}, grid)
		}
		d.rowName(text, point{d.plot.l - 10, mid}, wide, slot, names)
		a, b := d.Series[0].Values[j], d.Series[1].Values[j]
		low, high := math.Min(0, math.Min(a, b)), math.Max(0, math.Max(a, b))
		if low == high {
			high = 1
		}
		room := math.Max(d.width(number(a, d.Unit), l), d.width(number(b, d.Unit), l)) + 8
		from, to := d.plot.l, d.plot.r-changeRoom-room
		if low < 0 {
			from += room
		}
		at := func(v float64) float64 { return from + (v-low)/(high-low)*(to-from) }
		for i, v := range []float64{a, b} {
			r := rect{at(0), mid - thick + float64(i)*thick, at(v), mid + float64(i)*thick}
			r.t, r.b = r.t+0.5, r.b-0.5
			d.box(r, d.colors[i].solid())
			if thick >= 10 {
				value, x := l, at(v)+5
				if v < 0 {
					value.anchor, x = 1, at(v)-5
				}
				d.text(point{x, (r.t+r.b)/2 + 4}, number(v, d.Unit), value)
			}
		}
		d.rule(point{at(0), mid - thick}, point{at(0), mid + thick}, axis)
		if thick >= 6 {
			d.text(point{d.plot.r, mid + 4.5}, Change(a, b), changes)
		}
	}
}

// Change writes the change from a to b as a percentage: "+12.5%". From 0 there is none.
func Change(a, b float64) string {
	if a == b {
		return "±0%"
	}
	if a == 0 {
		return "new"
	}
	p := (b - a) / math.Abs(a) * 100
	digits := 1
	if math.Abs(p) >= 100 {
		digits = 0
	}
	if math.Abs(p) >= 10_000 {
		return strconv.FormatFloat(b/a, 'f', 0, 64) + "×"
	}
	text := grouped(p, digits)
	if p > 0 {
		text = "+" + text
	}
	return text + "%"
}
