package chart

import "math"

// bars draws upright bars: side by side, or on top of each other.
func (d *drawing) bars() {
	s := d.axes()
	n := float64(len(d.Series))
	slot := d.plot.w() / float64(len(d.Labels))
	group := math.Min(slot*0.78, 90*n)
	thick := group / n
	if d.Stacked {
		thick = math.Min(group, 90)
	}
	for j := range d.Labels {
		up, down := 0.0, 0.0
		for i, row := range d.Series {
			v, base := row.Values[j], 0.0
			left := d.center(j) - group/2 + float64(i)*thick
			if d.Stacked {
				left, base = d.center(j)-thick/2, pile(v, &up, &down)
			}
			gap := barGap(thick)
			if d.Stacked {
				gap = 0
			}
			r := rect{left + gap/2, s.at(base + v), left + thick - gap/2, s.at(base)}
			d.box(r, d.colors[i].solid())
			if d.Values {
				d.barValue(r, v, i)
			}
		}
	}
	d.zero(&s)
}

// pile puts a value on top of those of its sign and says where it begins.
func pile(v float64, up, down *float64) float64 {
	at := up
	if v < 0 {
		at = down
	}
	base := *at
	*at += v
	return base
}

func barGap(thick float64) float64 {
	return math.Min(2, thick*0.15)
}

// zero draws the line that the bars stand on.
func (d *drawing) zero(s *scale) {
	d.rule(point{d.plot.l, s.at(0)}, point{d.plot.r, s.at(0)}, axis)
}

// barValue writes the number of an upright bar above it, or inside of a stacked one,
// where there is room.
func (d *drawing) barValue(r rect, v float64, series int) {
	l := letters{size: smallSize - 1, col: ink, anchor: 0.5}
	text := number(v, d.Unit)
	if d.width(text, l) > r.w()+16 || (len(d.Series) > 1 && d.width(text, l) > r.w()+4) {
		return
	}
	x := (r.l + r.r) / 2
	switch {
	case d.Stacked:
		if math.Abs(r.h()) < 16 {
			return
		}
		if d.colors[series].dark() {
			l.col = paper
		}
		d.text(point{x, (r.t+r.b)/2 + 4}, text, l)
	case v < 0:
		d.text(point{x, r.t + 13}, text, l)
	default:
		d.text(point{x, r.t - 5}, text, l)
	}
}

// horizontalBars draws bars to the right, the first label on top.
func (d *drawing) horizontalBars() {
	low, high := d.extent()
	if d.Values { // room for the numbers at the ends
		span := high - low
		high += span * 0.06
		if low < 0 {
			low -= span * 0.06
		}
	}
	names := letters{size: smallSize, col: ink, anchor: 1}
	wide := 0.0
	for _, text := range d.Labels {
		wide = math.Max(wide, d.width(text, names))
	}
	wide = math.Min(wide, d.plot.w()*0.34)
	d.plot.l += math.Ceil(wide) + 10
	d.plot.b -= 24
	d.plot.r -= 12
	s := newScale(low, high, int(d.plot.w()/95))
	s.from, s.to = d.plot.l, d.plot.r
	numbers := s.tickLabels(d.Unit)
	for i, v := range s.ticks {
		d.rule(point{s.at(v), d.plot.t}, point{s.at(v), d.plot.b}, grid)
		d.text(point{s.at(v), d.plot.b + 18}, numbers[i], letters{size: smallSize, col: soft, anchor: 0.5})
	}
	n := float64(len(d.Series))
	slot := d.plot.h() / float64(len(d.Labels))
	group := math.Min(slot*0.78, 46*n)
	thick := group / n
	if d.Stacked {
		thick = math.Min(group, 46)
	}
	every := max(1, int(math.Ceil(14/slot)))
	for j, text := range d.Labels {
		mid := d.plot.t + (float64(j)+0.5)*slot
		if j%every == 0 {
			d.rowName(text, point{d.plot.l - 8, mid}, wide, slot, names)
		}
		up, down := 0.0, 0.0
		for i, row := range d.Series {
			v, base, top := row.Values[j], 0.0, mid-group/2+float64(i)*thick
			gap := barGap(thick)
			if d.Stacked {
				top, base, gap = mid-thick/2, pile(v, &up, &down), 0
			}
			r := rect{s.at(base), top + gap/2, s.at(base + v), top + thick - gap/2}
			d.box(r, d.colors[i].solid())
			if d.Values && thick >= 11 {
				d.rowValue(r, v, i)
			}
		}
	}
	d.rule(point{s.at(0), d.plot.t}, point{s.at(0), d.plot.b}, axis)
}

// rowName writes a label left of its row, on two lines where it is long and there is room.
func (d *drawing) rowName(text string, at point, wide, slot float64, l letters) {
	lines := 1
	if slot >= 32 {
		lines = 2
	}
	list := d.wrap(text, l, wide, lines)
	y := at.y + 4.5 - 7.5*float64(len(list)-1)
	for k, line := range list {
		d.text(point{at.x, y + 15*float64(k)}, line, l)
	}
}

func (d *drawing) rowValue(r rect, v float64, series int) {
	l := letters{size: smallSize - 1, col: ink}
	text := number(v, d.Unit)
	y := (r.t+r.b)/2 + 4
	w := d.width(text, l)
	switch {
	case d.Stacked:
		if math.Abs(r.w()) < w+6 {
			return
		}
		if d.colors[series].dark() {
			l.col = paper
		}
		l.anchor = 0.5
		d.text(point{(r.l + r.r) / 2, y}, text, l)
	case v < 0 && r.r-5-w < d.plot.l:
		if d.colors[series].dark() {
			l.col = paper
		}
		d.text(point{r.r + 5, y}, text, l)
	case v < 0:
		l.anchor = 1
		d.text(point{r.r - 5, y}, text, l)
	case r.r+5+w > float64(d.Width)-4:
		l.anchor = 1
		if d.colors[series].dark() {
			l.col = paper
		}
		d.text(point{r.r - 5, y}, text, l)
	default:
		d.text(point{r.r + 5, y}, text, l)
	}
}
