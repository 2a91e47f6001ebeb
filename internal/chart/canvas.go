package chart

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

type point struct{ x, y float64 }

// rect is a room: left, top, right, bottom.
type rect struct{ l, t, r, b float64 }

func (r rect) w() float64 { return r.r - r.l }
func (r rect) h() float64 { return r.b - r.t }

// canvas draws shapes and letters on a white picture.
type canvas struct {
	img   *image.RGBA
	glyph sfnt.Buffer
}

func newCanvas(w, h int) *canvas {
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, w, h))}
	draw.Draw(c.img, c.img.Bounds(), image.NewUniform(paper.solid()), image.Point{}, draw.Src)
	return c
}

// path is closed shapes. Those that overlap have to turn the same way.
type path struct {
	ops            []pathOp
	l, t, r, b     float64
	started, inuse bool
}

type pathOp struct {
	kind byte // m, l, q, c, z
	p    [3]point
}

func (p *path) grow(pts ...point) {
	for _, q := range pts {
		if !p.inuse {
			p.l, p.r, p.t, p.b, p.inuse = q.x, q.x, q.y, q.y, true
		}
		p.l, p.r = math.Min(p.l, q.x), math.Max(p.r, q.x)
		p.t, p.b = math.Min(p.t, q.y), math.Max(p.b, q.y)
	}
}

func (p *path) moveTo(a point) {
	p.close()
	p.grow(a)
	p.ops = append(p.ops, pathOp{'m', [3]point{a}})
	p.started = true
}

func (p *path) lineTo(a point) {
	p.grow(a)
	p.ops = append(p.ops, pathOp{'l', [3]point{a}})
}

func (p *path) quadTo(a, b point) {
	p.grow(a, b)
	p.ops = append(p.ops, pathOp{'q', [3]point{a, b}})
}

func (p *path) cubeTo(a, b, c point) {
	p.grow(a, b, c)
	p.ops = append(p.ops, pathOp{'c', [3]point{a, b, c}})
}

func (p *path) close() {
	if p.started {
		p.ops = append(p.ops, pathOp{kind: 'z'})
	}
	p.started = false
}

func (p *path) polygon(pts ...point) {
	for i, q := range pts {
		if i == 0 {
			p.moveTo(q)
		} else {
			p.lineTo(q)
		}
	}
	p.close()
}

// tile is the side of the pieces that are rasterised. Up to 512 pixels package vector
// counts with integers, so that every machine draws the same picture.
const tile = 512

func (c *canvas) fill(p *path, col color.NRGBA) {
	p.close()
	if !p.inuse {
		return
	}
	area := image.Rect(int(math.Floor(p.l)), int(math.Floor(p.t)), int(math.Ceil(p.r))+1, int(math.Ceil(p.b))+1).Intersect(c.img.Bounds())
	src := image.NewUniform(col)
	for y := area.Min.Y; y < area.Max.Y; y += tile {
		for x := area.Min.X; x < area.Max.X; x += tile {
			part := image.Rect(x, y, x+tile, y+tile).Intersect(area)
			c.fillPart(p, part, src)
		}
	}
}

func (c *canvas) fillPart(p *path, part image.Rectangle, src image.Image) {
	z := vector.NewRasterizer(part.Dx(), part.Dy())
	at := func(q point) (float32, float32) {
		return float32(q.x - float64(part.Min.X)), float32(q.y - float64(part.Min.Y))
	}
	for _, op := range p.ops {
		ax, ay := at(op.p[0])
		bx, by := at(op.p[1])
		cx, cy := at(op.p[2])
		switch op.kind {
		case 'm':
			z.MoveTo(ax, ay)
		case 'l':
			z.LineTo(ax, ay)
		case 'q':
			z.QuadTo(ax, ay, bx, by)
		case 'c':
			z.CubeTo(ax, ay, bx, by, cx, cy)
		case 'z':
			z.ClosePath()
		}
	}
	z.Draw(c.img, part, src, image.Point{})
}

// box fills a rectangle.
func (c *canvas) box(r rect, col color.NRGBA) {
	if r.r < r.l {
		r.l, r.r = r.r, r.l
	}
	if r.b < r.t {
		r.t, r.b = r.b, r.t
	}
	var p path
	p.polygon(point{r.l, r.t}, point{r.r, r.t}, point{r.r, r.b}, point{r.l, r.b})
	c.fill(&p, col)
}

// rule draws a level or upright line of one pixel, sharp.
func (c *canvas) rule(a, b point, col rgb) {
	if a.y == b.y {
		y := math.Round(a.y)
		c.box(rect{a.x, y, b.x, y + 1}, col.solid())
		return
	}
	x := math.Round(a.x)
	c.box(rect{x, a.y, x + 1, b.y}, col.solid())
}

// stroke draws a line through points, with round corners.
func (c *canvas) stroke(pts []point, width float64, col color.NRGBA) {
	var p path
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		n := math.Hypot(b.x-a.x, b.y-a.y)
		if n == 0 {
			continue
		}
		nx, ny := (b.y-a.y)/n*width/2, -(b.x-a.x)/n*width/2
		p.polygon(point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})
	}
	for _, q := range pts {
		p.disc(q, width/2)
	}
	c.fill(&p, col)
}

// disc adds a circle, turning as the pieces of stroke do.
func (p *path) disc(m point, r float64) {
	const k = 0.5522847498
	p.moveTo(point{m.x + r, m.y})
	p.cubeTo(point{m.x + r, m.y + k*r}, point{m.x + k*r, m.y + r}, point{m.x, m.y + r})
	p.cubeTo(point{m.x - k*r, m.y + r}, point{m.x - r, m.y + k*r}, point{m.x - r, m.y})
	p.cubeTo(point{m.x - r, m.y - k*r}, point{m.x - k*r, m.y - r}, point{m.x, m.y - r})
	p.cubeTo(point{m.x + k*r, m.y - r}, point{m.x + r, m.y - k*r}, point{m.x + r, m.y})
	p.close()
}

// sector adds a piece of a ring, angles from 12 o'clock, clockwise, in radians.
func (p *path) sector(m point, inner, outer, from, to float64) {
	on := func(r, a float64) point { return point{m.x + r*math.Sin(a), m.y - r*math.Cos(a)} }
	steps := max(2, int((to-from)/(math.Pi/90))+1)
	for i := 0; i <= steps; i++ {
		q := on(outer, from+(to-from)*float64(i)/float64(steps))
		if i == 0 {
			p.moveTo(q)
		} else {
			p.lineTo(q)
		}
	}
	if inner <= 0 {
		p.lineTo(m)
		p.close()
		return
	}
	for i := steps; i >= 0; i-- {
		p.lineTo(on(inner, from+(to-from)*float64(i)/float64(steps)))
	}
	p.close()
}

var (
	regular = sync.OnceValue(func() *sfnt.Font { return mustFont(goregular.TTF) })
	bold    = sync.OnceValue(func() *sfnt.Font { return mustFont(gobold.TTF) })
)

func mustFont(ttf []byte) *sfnt.Font {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		panic("chart: the built-in font: " + err.Error())
	}
	return f
}

// letters is how a text is set.
type letters struct {
	size float64
	bold bool
	col  rgb
	// anchor is the part of the width that lies left of the point: 0, 0.5, 1.
	anchor float64
	// turn is the angle, in radians, clockwise.
	turn float64
}

func (l letters) font() *sfnt.Font {
	if l.bold {
		return bold()
	}
	return regular()
}

// width measures a text.
func (c *canvas) width(s string, l letters) float64 {
	f, ppem, w := l.font(), fixed.Int26_6(l.size*64), fixed.Int26_6(0)
	for _, r := range s {
		g, _ := f.GlyphIndex(&c.glyph, r)
		a, _ := f.GlyphAdvance(&c.glyph, g, ppem, font.HintingNone)
		w += a
	}
	return float64(w) / 64
}

// fit shortens a text to a width.
func (c *canvas) fit(s string, l letters, w float64) string {
	if c.width(s, l) <= w {
		return s
	}
	r := []rune(s)
	low, high := 0, len(r)
	for low < high {
		mid := (low + high + 1) / 2
		if c.width(string(r[:mid])+"…", l) <= w {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return string(r[:low]) + "…"
}

// text writes with the baseline at a point.
func (c *canvas) text(at point, s string, l letters) {
	f, ppem := l.font(), fixed.Int26_6(l.size*64)
	sin, cos := math.Sincos(l.turn)
	x := -c.width(s, l) * l.anchor
	var p path
	for _, r := range s {
		g, _ := f.GlyphIndex(&c.glyph, r)
		shape, err := f.LoadGlyph(&c.glyph, g, ppem, nil)
		if err != nil {
			continue
		}
		on := func(q fixed.Point26_6) point {
			gx, gy := x+float64(q.X)/64, float64(q.Y)/64
			return point{at.x + gx*cos - gy*sin, at.y + gx*sin + gy*cos}
		}
		for _, seg := range shape {
			switch seg.Op {
			case sfnt.SegmentOpMoveTo:
				p.moveTo(on(seg.Args[0]))
			case sfnt.SegmentOpLineTo:
				p.lineTo(on(seg.Args[0]))
			case sfnt.SegmentOpQuadTo:
				p.quadTo(on(seg.Args[0]), on(seg.Args[1]))
			case sfnt.SegmentOpCubeTo:
				p.cubeTo(on(seg.Args[0]), on(seg.Args[1]), on(seg.Args[2]))
			}
		}
		p.close()
		a, _ := f.GlyphAdvance(&c.glyph, g, ppem, font.HintingNone)
		x += float64(a) / 64
	}
	c.fill(&p, l.col.solid())
}

// wrap breaks a text at blanks into at most n lines of a width; the last is shortened.
func (c *canvas) wrap(s string, l letters, w float64, n int) []string {
	var lines []string
	for len(lines) < n-1 && c.width(s, l) > w {
		cut := -1
		for i, r := range s {
			if r == ' ' {
				if c.width(s[:i], l) > w {
					break
				}
				cut = i
			}
		}
		if cut <= 0 {
			break
		}
		lines, s = append(lines, s[:cut]), s[cut+1:]
	}
	return append(lines, c.fit(s, l, w))
}
