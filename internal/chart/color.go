package chart

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"sluice/internal/fault"
)

type rgb struct{ r, g, b uint8 }

func (c rgb) alpha(a float64) color.NRGBA {
	return color.NRGBA{c.r, c.g, c.b, uint8(a*255 + 0.5)}
}

func (c rgb) solid() color.NRGBA { return c.alpha(1) }

// dark reports whether white letters read better on it.
func (c rgb) dark() bool {
	return 299*int(c.r)+587*int(c.g)+114*int(c.b) < 150_000
}

// palette can be told apart with the usual kinds of colour blindness: the first eight
// after Okabe and Ito (yellow left out, which is too faint on white), the rest from
// Paul Tol's muted scheme.
var palette = []rgb{
	{0x00, 0x72, 0xb2}, {0xe6, 0x9f, 0x00}, {0x00, 0x9e, 0x73}, {0xcc, 0x79, 0xa7},
	{0x56, 0xb4, 0xe9}, {0xd5, 0x5e, 0x00}, {0x33, 0x22, 0x88}, {0x99, 0x99, 0x33},
	{0x88, 0x22, 0x55}, {0x44, 0xaa, 0x99}, {0x6b, 0x6b, 0x6b}, {0xa6, 0x76, 0x1d},
}

var (
	ink    = rgb{0x1f, 0x29, 0x37}
	soft   = rgb{0x5b, 0x64, 0x72}
	grid   = rgb{0xe3, 0xe6, 0xea}
	axis   = rgb{0x9a, 0xa3, 0xaf}
	paper  = rgb{0xff, 0xff, 0xff}
	named  = map[string]rgb{"black": {}, "white": {255, 255, 255}, "gray": {128, 128, 128}, "grey": {128, 128, 128}, "red": {0xd6, 0x2f, 0x2f}, "green": {0x00, 0x80, 0x40}, "blue": {0x1f, 0x5f, 0xbf}, "orange": {0xe6, 0x80, 0x00}, "yellow": {0xd4, 0xb1, 0x06}, "purple": {0x7a, 0x3f, 0x9d}, "pink": {0xd8, 0x6a, 0x9c}, "teal": {0x00, 0x80, 0x80}, "brown": {0x8b, 0x5a, 0x2b}, "navy": {0x1b, 0x2a, 0x6b}, "cyan": {0x00, 0xa5, 0xb8}, "magenta": {0xc2, 0x18, 0x8b}}
	colors = "write #rrggbb, rgb(r,g,b), or a name such as blue, orange, green, red, purple, teal, gray"
)

// colors are those of the series, or of the slices where each has its own.
func (c *Chart) colors() ([]rgb, error) {
	n := len(c.Series)
	if c.sliced() {
		n = len(c.Labels)
	}
	list := make([]rgb, n)
	for i := range list {
		list[i] = palette[i%len(palette)]
		if c.sliced() || c.Series[i].Color == "" {
			continue
		}
		v, ok := parseColor(c.Series[i].Color)
		if !ok {
			return nil, fault.New(fault.ArgumentInvalid, "chart: %s is no colour (series %d)", strconv.Quote(clip(c.Series[i].Color, 30)), i+1).
				WithFix("%s", colors)
		}
		list[i] = v
	}
	return list, nil
}

// sliced reports whether each label has a colour of its own.
func (c *Chart) sliced() bool {
	return c.Kind == Pie || c.Kind == Doughnut || c.Kind == PolarArea
}

func parseColor(text string) (rgb, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if c, ok := named[text]; ok {
		return c, true
	}
	if hex, ok := strings.CutPrefix(text, "#"); ok {
		if len(hex) == 3 || len(hex) == 4 {
			hex = fmt.Sprintf("%c%c%c%c%c%c", hex[0], hex[0], hex[1], hex[1], hex[2], hex[2])
		}
		n, err := strconv.ParseUint(hex, 16, 32)
		switch {
		case err != nil:
			return rgb{}, false
		case len(hex) == 8:
			n >>= 8
		case len(hex) != 6:
			return rgb{}, false
		}
		return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
	}
	inner, ok := strings.CutSuffix(text, ")")
	if !ok {
		return rgb{}, false
	}
	for _, prefix := range []string{"rgb(", "rgba("} {
		rest, ok := strings.CutPrefix(inner, prefix)
		if !ok {
			continue
		}
		parts := strings.Split(rest, ",")
		if len(parts) != 3 && len(parts) != 4 {
			return rgb{}, false
		}
		var v [3]uint8
		for i := range v {
			n, err := strconv.ParseUint(strings.TrimSpace(parts[i]), 10, 8)
			if err != nil {
				return rgb{}, false
			}
			v[i] = uint8(n)
		}
		return rgb{v[0], v[1], v[2]}, true
	}
	return rgb{}, false
}
