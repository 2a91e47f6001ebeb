// Package chart draws numbers as PNG pictures: bars, lines, areas, pies, radars and
// comparisons of two groups. It computes only: the same chart gives the same bytes,
// nothing is read, written or sent. What it can't draw readably (no data, infinite
// values, more than MaxPoints labels or MaxSeries series) it refuses.
//
// The letters are those of the Go fonts: Latin, Greek and Cyrillic. Others show as
// boxes.
package chart

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/fault"
)

// Kind is the form of a chart.
type Kind string

// The kinds.
const (
	Bar           Kind = "bar"
	HorizontalBar Kind = "horizontalBar"
	Line          Kind = "line"
	Area          Kind = "area"
	Pie           Kind = "pie"
	Doughnut      Kind = "doughnut"
	PolarArea     Kind = "polarArea"
	Radar         Kind = "radar"
	// Comparison is two series side by side: one row for each label, with a scale of its
	// own, so that impressions and a rate can stand in one picture.
	Comparison Kind = "comparison"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{Bar, HorizontalBar, Line, Area, Pie, Doughnut, PolarArea, Radar, Comparison}
}

// The limits of a readable picture.
const (
	MaxPoints = 500
	MaxSeries = 12
	MinWidth  = 320
	MinHeight = 240
	MaxWidth  = 2000
	MaxHeight = 1600
	maxText   = 300
)

// DefaultWidth and DefaultHeight are the size of a chart that names none.
const (
	DefaultWidth  = 900
	DefaultHeight = 560
)

// Chart is what is drawn.
type Chart struct {
	Kind   Kind
	Title  string
	Labels []string
	Series []Series
	// Width and Height are in pixels; 0 is the default.
	Width, Height int
	// Stacked puts the series of bars and areas on top of each other.
	Stacked bool
	// Values writes the numbers at bars, points and slices.
	Values bool
	// Unit is written behind the numbers of the axis: "%", " GBP".
	Unit string
}

// Series is one row of numbers, one for each label.
type Series struct {
	Name   string
	Values []float64
	// Color is #rgb, #rrggbb, rgb(r,g,b) or a plain name; empty takes the palette's.
	Color string
}

// Draw makes the PNG.
func Draw(c Chart) ([]byte, error) {
	img, err := Picture(c)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	// Charts are flat: the fast level is hardly larger and takes half the time.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		return nil, fault.New(fault.Internal, "chart: the picture can't be encoded").Wrap(err)
	}
	return out.Bytes(), nil
}

// Picture makes the image that Draw encodes.
func Picture(c Chart) (*image.RGBA, error) {
	if c.Width == 0 {
		c.Width = DefaultWidth
	}
	if c.Height == 0 {
		c.Height = DefaultHeight
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	colors, err := c.colors()
	if err != nil {
		return nil, err
	}
	c = c.cleaned()
	d := &drawing{Chart: c, canvas: newCanvas(c.Width, c.Height), colors: colors}
	d.frame()
	switch c.Kind {
	case HorizontalBar:
		d.horizontalBars()
	case Line, Area:
		d.lines()
	case Pie, Doughnut:
		d.pie()
	case PolarArea:
		d.polarArea()
	case Radar:
		d.radar()
	case Comparison:
		d.comparison()
	default:
		d.bars()
	}
	return d.img, nil
}

// drawing is a chart on its way; plot is the room that title and legend left.
type drawing struct {
	Chart
	*canvas
	colors []rgb
	plot   rect
}

func (c *Chart) check() error {
	bad := func(what, fix string, args ...any) error {
		return fault.New(fault.ArgumentInvalid, "chart: "+what, args...).WithFix("%s", fix)
	}
	known := false
	for _, k := range Kinds() {
		known = known || c.Kind == k
	}
	switch {
	case !known:
		return bad("there is no kind %q", "take one of bar, horizontalBar, line, area, pie, doughnut, polarArea, radar, comparison", clip(string(c.Kind), 40))
	case c.Width < MinWidth || c.Width > MaxWidth || c.Height < MinHeight || c.Height > MaxHeight:
		return bad("%d x %d pixels is no size for a chart", "take a width of 320 to 2000 and a height of 240 to 1600", c.Width, c.Height)
	case len(c.Labels) == 0 || len(c.Series) == 0:
		return bad("there is nothing to draw", "give at least one label and one series with a value for it")
	case len(c.Labels) > MaxPoints:
		return bad("%d labels are more than can be read", "give at most 500: sum days to weeks, or show the largest only", len(c.Labels))
	case len(c.Series) > MaxSeries:
		return bad("%d series are more than can be told apart", "give at most 12, and sum the rest", len(c.Series))
	case c.Kind == Radar && (len(c.Labels) < 3 || len(c.Labels) > 40):
		return bad("a radar needs 3 to 40 labels and got %d", "take a bar chart", len(c.Labels))
	case c.Kind == Comparison && len(c.Series) != 2:
		return bad("a comparison needs two series and got %d", "take a bar chart", len(c.Series))
	case c.Kind == Comparison && len(c.Labels) > 40:
		return bad("a comparison shows at most 40 rows and got %d", "compare fewer metrics", len(c.Labels))
	case utf8.RuneCountInString(c.Title) > maxText:
		return bad("the title is longer than 300 letters", "shorten it")
	}
	round := c.Kind == Pie || c.Kind == Doughnut || c.Kind == PolarArea
	for i, s := range c.Series {
		if len(s.Values) != len(c.Labels) {
			return bad("series %d has %d values and there are %d labels", "give one value for each label", i+1, len(s.Values), len(c.Labels))
		}
		sum := 0.0
		for j, v := range s.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e15 {
				return bad("value %d of series %d is no number that can be drawn", "give finite numbers below 10^15", j+1, i+1)
			}
			if round && v < 0 {
				return bad("value %d of series %d is negative, and a share can't be", "take a bar chart", j+1, i+1)
			}
			sum += v
		}
		if round && sum == 0 {
			return bad("all values of series %d are 0: there is nothing to share out", "take a bar chart", i+1)
		}
	}
	return nil
}

// cleaned has texts that can be drawn on one line.
func (c Chart) cleaned() Chart {
	c.Title = plain(c.Title)
	c.Unit = clip(plain(c.Unit), 12)
	labels := make([]string, len(c.Labels))
	for i, l := range c.Labels {
		labels[i] = clip(plain(l), maxText)
	}
	c.Labels = labels
	series := make([]Series, len(c.Series))
	copy(series, c.Series)
	for i := range series {
		series[i].Name = clip(plain(series[i].Name), maxText)
	}
	c.Series = series
	return c
}

// plain takes out what has no shape: controls, marks of direction.
func plain(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)), " ")
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
