package chart

import "math"

// radar draws one spoke for each label and a closed line for each series.
func (d *drawing) radar() {
	low, high := d.extent()
	s := newScale(low, high, 4)
	m := point{d.plot.l + d.plot.w()/2, d.plot.t + d.plot.h()/2}
	names := letters{size: smallSize, col: ink}
	r := math.Max(40, math.Min(d.plot.h()/2-24, d.plot.w()/2-110))
	s.from, s.to = 0, r
	on := func(j int, reach float64) point {
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / float64(len(d.Labels)))
		return point{m.x + reach*sin, m.y - reach*cos}
	}
	round := func(reach float64) []point {
		pts := make([]point, 0, len(d.Labels)+1)
		for j := 0; j <= len(d.Labels); j++ {
			pts = append(pts, on(j%len(d.Labels), reach))
		}
		return pts
	}
	for _, v := range s.ticks {
		col := grid.solid()
		if v == 0 {
			col = axis.solid()
		}
		if reach := s.at(v); reach > 0 {
			d.stroke(round(reach), 1, col)
		}
	}
	for j := range d.Labels {
		d.stroke([]point{m, on(j, r)}, 1, grid.solid())
	}
	d.spokeNames(m, r, names)
	for i, row := range d.Series {
		pts := make([]point, 0, len(row.Values)+1)
		for j, v := range row.Values {
			pts = append(pts, on(j, s.at(v)))
		}
		var p path
		p.polygon(pts...)
		d.fill(&p, d.colors[i].alpha(0.15))
		d.stroke(append(pts, pts[0]), 2.2, d.colors[i].solid())
		for _, q := range pts {
			d.marker(q, i, 3.4)
		}
	}
	// The numbers come last, on a light ground, so that no line runs through them.
	numbers := s.tickLabels(d.Unit)
	l := letters{size: smallSize - 1, col: soft}
	for i, v := range s.ticks {
		at := on(0, s.at(v))
		w := d.width(numbers[i], l)
		d.box(rect{at.x + 4, at.y - 6, at.x + 8 + w, at.y + 7}, paper.alpha(0.8))
		d.text(point{at.x + 6, at.y + 4}, numbers[i], l)
	}
}

// spokeNames writes the labels around, turned to their side.
func (d *drawing) spokeNames(m point, r float64, l letters) {
	for j, text := range d.Labels {
		sin, cos := math.Sincos(2 * math.Pi * float64(j) / float64(len(d.Labels)))
		at := point{m.x + (r+12)*sin, m.y - (r+12)*cos + 4 - 3*cos}
		room := 0.0
		switch {
		case sin > 0.05:
			l.anchor, room = 0, d.plot.r+margin-6-at.x
		case sin < -0.05:
			l.anchor, room = 1, at.x-6
		default:
			l.anchor, room = 0.5, d.plot.w()
		}
		d.text(at, d.fit(text, l, room), l)
	}
}
