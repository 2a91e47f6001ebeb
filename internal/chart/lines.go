package chart

import "math"

// lines draws lines through the points, or the areas below them.
func (d *drawing) lines() {
	if d.Kind == Line {
		d.Stacked = false
	}
	s := d.axes()
	base := make([]float64, len(d.Labels))
	for i, row := range d.Series {
		pts := make([]point, len(row.Values))
		floor := make([]point, len(row.Values))
		for j, v := range row.Values {
			from := 0.0
			if d.Stacked {
				from = base[j]
				base[j] += v
			}
			pts[j] = point{d.center(j), s.at(from + v)}
			floor[j] = point{d.center(j), s.at(from)}
		}
		if d.Kind == Area {
			d.area(pts, floor, i)
		}
		width := 2.5
		if len(pts) > 120 {
			width = 1.6
		}
		d.stroke(pts, width, d.colors[i].solid())
		if d.Kind == Line && len(pts) <= 60 || len(pts) == 1 {
			for _, p := range pts {
				d.marker(p, i, 3.6)
			}
		}
		if d.Values {
			d.pointValues(row.Values, pts)
		}
	}
	d.zero(&s)
}

func (d *drawing) area(pts, floor []point, series int) {
	var p path
	for j := range pts {
		if j == 0 {
			p.moveTo(pts[j])
		} else {
			p.lineTo(pts[j])
		}
	}
	for j := len(floor) - 1; j >= 0; j-- {
		p.lineTo(floor[j])
	}
	p.close()
	see := 0.22
	if d.Stacked {
		see = 0.65
	}
	d.fill(&p, d.colors[series].alpha(see))
}

// pointValues writes the numbers above the points, as far as they don't run into each other.
func (d *drawing) pointValues(values []float64, pts []point) {
	l := letters{size: smallSize - 1, col: ink, anchor: 0.5}
	free := math.Inf(-1)
	for j, p := range pts {
		text := number(values[j], d.Unit)
		half := d.width(text, l) / 2
		if p.x-half < free {
			continue
		}
		d.text(point{p.x, math.Max(p.y-8, d.plot.t+2)}, text, l)
		free = p.x + half + 6
	}
}
