package chart

import (
	"math"
	"strings"
)

const (
	margin    = 24.0
	titleSize = 20.0
	textSize  = 13.0
	smallSize = 12.0
)

// frame writes title and legend, and leaves the rest to the plot.
func (d *drawing) frame() {
	d.plot = rect{margin, margin, float64(d.Width) - margin, float64(d.Height) - margin}
	if d.Title != "" {
		l := letters{size: titleSize, bold: true, col: ink}
		for _, line := range d.wrap(d.Title, l, d.plot.w(), 2) {
			d.text(point{d.plot.l, d.plot.t + 16}, line, l)
			d.plot.t += 26
		}
		d.plot.t += 4
	}
	if !d.sliced() {
		d.legend()
	}
	d.plot.t += 8
}

// legend names the series above the plot; one series without a name needs none.
func (d *drawing) legend() {
	if len(d.Series) == 1 && d.Series[0].Name == "" {
		return
	}
	l := letters{size: textSize, col: ink}
	most := d.plot.w()
	if len(d.Series) > 1 {
		most = math.Max(90, math.Min(d.plot.w()/2-30, d.plot.w()*4/float64(len(d.Series)+1)))
	}
	x, y := d.plot.l, d.plot.t+12
	for i := range d.Series {
		name := d.fit(d.seriesName(i), l, most-26)
		w := 20 + d.width(name, l)
		if x > d.plot.l && x+w > d.plot.r {
			x, y = d.plot.l, y+20
		}
		if d.Kind == Line || d.Kind == Radar {
			d.stroke([]point{{x, y - 4.5}, {x + 14, y - 4.5}}, 2.5, d.colors[i].solid())
			d.marker(point{x + 7, y - 4.5}, i, 3.5)
		} else {
			d.box(rect{x, y - 10, x + 12, y + 2}, d.colors[i].solid())
		}
		d.text(point{x + 20, y}, name, l)
		x += w + 22
	}
	d.plot.t = y + 10
}

func (d *drawing) seriesName(i int) string {
	if d.Series[i].Name != "" {
		return d.Series[i].Name
	}
	return "Series " + grouped(float64(i+1), 0)
}

// extent is the range of the values; of the sums where they are stacked.
func (d *drawing) extent() (low, high float64) {
	for j := range d.Labels {
		up, down := 0.0, 0.0
		for _, s := range d.Series {
			v := s.Values[j]
			if !d.Stacked {
				low, high = math.Min(low, v), math.Max(high, v)
				continue
			}
			if v < 0 {
				down += v
			} else {
				up += v
			}
		}
		low, high = math.Min(low, down), math.Max(high, up)
	}
	return low, high
}

// axes draws grid, numbers and labels of an upright chart and gives its scale.
func (d *drawing) axes() scale {
	low, high := d.extent()
	if d.Values && d.Kind != Area {
		span := high - low // room for the numbers on top and below
		high += span * 0.04
		if low < 0 {
			low -= span * 0.04
		}
	}
	s := newScale(low, high, int(d.plot.h()/58))
	numbers, l := s.tickLabels(d.Unit), letters{size: smallSize, col: soft, anchor: 1}
	wide := 0.0
	for _, n := range numbers {
		wide = math.Max(wide, d.width(n, l))
	}
	d.plot.l += math.Ceil(wide) + 10
	draw := d.bottomLabels()
	s.from, s.to = d.plot.b, d.plot.t+4
	for i, v := range s.ticks {
		y := s.at(v)
		d.rule(point{d.plot.l, y}, point{d.plot.r, y}, grid)
		d.text(point{d.plot.l - 8, y + 4}, numbers[i], l)
	}
	draw()
	return s
}

// center is the middle of a label's place.
func (d *drawing) center(j int) float64 {
	return d.plot.l + (float64(j)+0.5)*d.plot.w()/float64(len(d.Labels))
}

// bottomLabels finds how the labels fit below the plot: on one line, on two, turned, or
// only every so many; it takes the room and gives what draws them.
func (d *drawing) bottomLabels() func() {
	l := letters{size: smallSize, col: ink, anchor: 0.5}
	n := len(d.Labels)
	slot := d.plot.w() / float64(n)
	longest, twoFit := 0.0, true
	two := make([][]string, n)
	for j, text := range d.Labels {
		longest = math.Max(longest, d.width(text, l))
		if n <= 60 {
			two[j] = d.wrap(text, l, slot-8, 2)
			twoFit = twoFit && !cutOff(two[j], text)
		}
	}
	switch {
	case longest <= slot-8:
		d.plot.b -= 24
		return func() {
			for j, text := range d.Labels {
				d.text(point{d.center(j), d.plot.b + 18}, text, l)
			}
		}
	case twoFit && n <= 60:
		d.plot.b -= 40
		return func() {
			for j := range d.Labels {
				for k, line := range two[j] {
					d.text(point{d.center(j), d.plot.b + 18 + 15*float64(k)}, line, l)
				}
			}
		}
	case slot >= 19 && d.Kind != Line && d.Kind != Area || slot >= 34:
		return d.turnedLabels(l, longest)
	}
	d.plot.b -= 24
	return func() { d.someLabels(l, longest) }
}

// cutOff reports whether lines don't hold all of a text.
func cutOff(lines []string, text string) bool {
	return strings.Join(lines, " ") != text
}

func (d *drawing) turnedLabels(l letters, longest float64) func() {
	l.turn, l.anchor = -40*math.Pi/180, 1
	most := math.Min(longest, math.Min(150, d.plot.h()*0.5))
	// The first label reaches out to the left; it may not leave the picture.
	sin, cos := math.Sincos(-l.turn)
	most = math.Min(most, (d.center(0)-8)/cos)
	d.plot.b -= most*sin + 22
	return func() {
		for j, text := range d.Labels {
			d.text(point{d.center(j) + 5, d.plot.b + 16}, d.fit(text, l, most), l)
		}
	}
}

// someLabels writes the first label and then every so many.
func (d *drawing) someLabels(l letters, longest float64) {
	most := math.Min(longest, 130)
	slot := d.plot.w() / float64(len(d.Labels))
	every := int(math.Ceil((most + 18) / slot))
	for j := 0; j < len(d.Labels); j += every {
		text := d.fit(d.Labels[j], l, most)
		half := d.width(text, l) / 2
		x := math.Max(d.plot.l-8+half, math.Min(d.center(j), float64(d.Width)-6-half))
		d.rule(point{d.center(j), d.plot.b}, point{d.center(j), d.plot.b + 5}, axis)
		d.text(point{x, d.plot.b + 19}, text, l)
	}
}

// marker is the sign of a series at a point: form and colour tell it apart.
func (d *drawing) marker(m point, series int, r float64) {
	var p path
	switch series % 4 {
	case 0:
		p.disc(m, r)
	case 1:
		p.polygon(point{m.x - r*.9, m.y - r*.9}, point{m.x + r*.9, m.y - r*.9}, point{m.x + r*.9, m.y + r*.9}, point{m.x - r*.9, m.y + r*.9})
	case 2:
		p.polygon(point{m.x, m.y - r*1.25}, point{m.x + r*1.15, m.y + r*.85}, point{m.x - r*1.15, m.y + r*.85})
	default:
		p.polygon(point{m.x, m.y - r*1.3}, point{m.x + r*1.3, m.y}, point{m.x, m.y + r*1.3}, point{m.x - r*1.3, m.y})
	}
	d.fill(&p, d.colors[series].solid())
}
