package chart

import (
	"math"
	"sort"
	"strconv"
)

// mostSlices is how many slices a pie shows; the smallest are summed.
const mostSlices = 12

// slices are the labels and values of a pie, the smallest summed as "Other".
func (d *drawing) slices() {
	if len(d.Labels) <= mostSlices {
		return
	}
	order := make([]int, len(d.Labels))
	for j := range order {
		order[j] = j
	}
	sort.SliceStable(order, func(a, b int) bool {
		return d.Series[0].Values[order[a]] > d.Series[0].Values[order[b]]
	})
	keep := order[:mostSlices-1]
	labels := make([]string, 0, mostSlices)
	for _, j := range keep {
		labels = append(labels, d.Labels[j])
	}
	labels = append(labels, "Other ("+strconv.Itoa(len(order)-len(keep))+")")
	for i := range d.Series {
		values := make([]float64, mostSlices)
		for k, j := range order {
			values[min(k, mostSlices-1)] += d.Series[i].Values[j]
		}
		d.Series[i].Values = values
	}
	d.Labels = labels
}

// pie draws a pie or a doughnut; several series are rings, the first outside.
func (d *drawing) pie() {
	d.slices()
	m, r := d.roundRoom(true)
	hole := 0.0
	if d.Kind == Doughnut {
		hole = 0.55 * r
	}
	ring := (r - hole) / float64(len(d.Series))
	if len(d.Series) > 1 && hole == 0 {
		hole = 0.15 * r
		ring = (r - hole) / float64(len(d.Series))
	}
	for i, s := range d.Series {
		total := 0.0
		for _, v := range s.Values {
			total += v
		}
		outer := r - float64(i)*ring
		inner := math.Max(0, outer-ring)
		angle := 0.0
		for j, v := range s.Values {
			if v == 0 {
				continue
			}
			next := angle + v/total*2*math.Pi
			var p path
			p.sector(m, inner, outer, angle, next)
			d.fill(&p, d.colors[j].solid())
			angle = next
		}
		d.separate(m, inner, outer, s.Values, total)
		angle = 0
		for j, v := range s.Values {
			next := angle + v/total*2*math.Pi
			d.sliceShare(m, (inner*1.1+outer)/2.05, angle, next, v/total, j)
			angle = next
		}
	}
	if d.Kind == Doughnut && len(d.Series) == 1 {
		total := 0.0
		for _, v := range d.Series[0].Values {
			total += v
		}
		d.text(point{m.x, m.y + 4}, d.fit(number(total, d.Unit), letters{size: 22, bold: true}, hole*1.7), letters{size: 22, bold: true, col: ink, anchor: 0.5})
		d.text(point{m.x, m.y + 23}, "total", letters{size: smallSize, col: soft, anchor: 0.5})
	}
}

// separate draws white lines between slices and rings.
func (d *drawing) separate(m point, inner, outer float64, values []float64, total float64) {
	count, angle := 0, 0.0
	for _, v := range values {
		if v > 0 {
			count++
		}
	}
	if count > 1 {
		for _, v := range values {
			if v > 0 {
				sin, cos := math.Sincos(angle)
				d.stroke([]point{{m.x + inner*sin, m.y - inner*cos}, {m.x + outer*sin, m.y - outer*cos}}, 1.5, paper.solid())
			}
			angle += v / total * 2 * math.Pi
		}
	}
	if inner > 0 {
		pts := make([]point, 0, 181)
		for k := 0; k <= 180; k++ {
			sin, cos := math.Sincos(float64(k) * math.Pi / 90)
			pts = append(pts, point{m.x + inner*sin, m.y - inner*cos})
		}
		d.stroke(pts, 1.5, paper.solid())
	}
}

// sliceShare writes the percentage into a slice that has room for it.
func (d *drawing) sliceShare(m point, r, from, to, share float64, slice int) {
	if share < 0.045 || r*(to-from) < 34 {
		return
	}
	sin, cos := math.Sincos((from + to) / 2)
	l := letters{size: smallSize, bold: true, col: ink, anchor: 0.5}
	if d.colors[slice].dark() {
		l.col = paper
	}
	d.text(point{m.x + r*sin, m.y - r*cos + 4}, percent(share), l)
}

func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "<0.1%"
	}
	return strconv.FormatFloat(share*100, 'f', 1, 64) + "%"
}

// roundRoom writes the list of slices on the right (below where the picture is narrow)
// and gives middle and radius of the circle.
func (d *drawing) roundRoom(shares bool) (point, float64) {
	l := letters{size: textSize, col: ink}
	total := 0.0
	for _, v := range d.Series[0].Values {
		total += v
	}
	one := len(d.Series) == 1
	tail := func(j int) string {
		if !one {
			return ""
		}
		text := number(d.Series[0].Values[j], d.Unit)
		if shares {
			text += " · " + percent(d.Series[0].Values[j]/total)
		}
		return text
	}
	wide := 0.0
	for j, text := range d.Labels {
		wide = math.Max(wide, d.width(text, l)+28+d.width(tail(j), l))
	}
	wide = math.Min(wide+18, d.plot.w()*0.48)
	circle := d.plot
	circle.r -= wide + 30
	r := math.Min(circle.w(), circle.h())/2 - 4
	m := point{circle.l + circle.w()/2, circle.t + circle.h()/2}
	rowHeight := math.Min(26, d.plot.h()/float64(len(d.Labels)))
	x := d.plot.r - wide
	y := m.y - rowHeight*float64(len(d.Labels)-1)/2 + 4
	if r*2 < circle.w()-60 {
		m.x = circle.l + circle.w()*0.5
	}
	for j, text := range d.Labels {
		d.box(rect{x, y - 10, x + 12, y + 2}, d.colors[j%len(d.colors)].solid())
		value := letters{size: textSize, col: soft, anchor: 1}
		d.text(point{d.plot.r, y}, tail(j), value)
		d.text(point{x + 20, y}, d.fit(text, l, wide-34-d.width(tail(j), l)), l)
		y += rowHeight
	}
	return m, r
}

// polarArea draws sectors of one angle whose reach is the value.
func (d *drawing) polarArea() {
	d.slices()
	m, r := d.roundRoom(false)
	high := 0.0
	values := d.Series[0].Values
	for _, v := range values {
		high = math.Max(high, v)
	}
	s := newScale(0, high, 4)
	s.from, s.to = 0, r
	step := 2 * math.Pi / float64(len(values))
	for j, v := range values {
		var p path
		p.sector(m, 0, s.at(v), float64(j)*step, float64(j+1)*step)
		d.fill(&p, d.colors[j].alpha(0.75))
	}
	numbers := s.tickLabels(d.Unit)
	for i, v := range s.ticks[1:] {
		d.ring(m, s.at(v))
		l := letters{size: smallSize - 1, col: ink, anchor: 0.5}
		d.text(point{m.x, m.y - s.at(v) + 12}, numbers[i+1], l)
	}
}

// ring draws a thin circle of the grid.
func (d *drawing) ring(m point, r float64) {
	pts := make([]point, 0, 181)
	for k := 0; k <= 180; k++ {
		sin, cos := math.Sincos(float64(k) * math.Pi / 90)
		pts = append(pts, point{m.x + r*sin, m.y - r*cos})
	}
	d.stroke(pts, 1, axis.alpha(0.55))
}
