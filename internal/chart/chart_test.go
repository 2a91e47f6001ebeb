package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/fault"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// TestPictures compares the decoded pixels of every sample with those that were looked
// at. After a change that is meant: -update, and look at the pictures again.
func TestPictures(t *testing.T) {
	t.Parallel()
	var lines []string
	for name, c := range samples() {
		b, err := Draw(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		pixels, ok := img.(*image.RGBA)
		if !ok {
			t.Fatalf("%s is decoded as %T", name, img)
		}
		sum, size := sha256.Sum256(pixels.Pix), img.Bounds().Size()
		lines = append(lines, fmt.Sprintf("%s %dx%d %s", name, size.X, size.Y, hex.EncodeToString(sum[:16])))
	}
	sort.Strings(lines)
	got := strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", "pictures.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the pictures have changed (-want +got), look at them and run with -update:\n%s", diff)
	}
}

func TestSameBytes(t *testing.T) {
	t.Parallel()
	c := samples()["comparison"]
	a, err := Draw(c)
	b, err2 := Draw(c)
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("two drawings of one chart differ: %v %v", err, err2)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	row := func(v ...float64) []Series { return []Series{{Values: v}} }
	for name, c := range map[string]Chart{
		"no label":             {Kind: Bar, Series: row()},
		"no series":            {Kind: Bar, Labels: []string{"a"}},
		"lengths differ":       {Kind: Bar, Labels: []string{"a", "b"}, Series: row(1)},
		"no such kind":         {Kind: "funnel", Labels: []string{"a"}, Series: row(1)},
		"not a number":         {Kind: Line, Labels: []string{"a"}, Series: row(math.NaN())},
		"infinite":             {Kind: Line, Labels: []string{"a"}, Series: row(math.Inf(1))},
		"negative share":       {Kind: Pie, Labels: []string{"a", "b"}, Series: row(1, -1)},
		"nothing to share":     {Kind: Doughnut, Labels: []string{"a", "b"}, Series: row(0, 0)},
		"too many points":      {Kind: Line, Labels: make([]string, 501), Series: row(make([]float64, 501)...)},
		"too many series":      {Kind: Line, Labels: []string{"a"}, Series: make([]Series, 13)},
		"too large":            {Kind: Bar, Labels: []string{"a"}, Series: row(1), Width: 5000},
		"too small":            {Kind: Bar, Labels: []string{"a"}, Series: row(1), Height: 20},
		"negative size":        {Kind: Bar, Labels: []string{"a"}, Series: row(1), Width: -900},
		"radar of two":         {Kind: Radar, Labels: []string{"a", "b"}, Series: row(1, 2)},
		"comparison of one":    {Kind: Comparison, Labels: []string{"a"}, Series: row(1)},
		"no such colour":       {Kind: Bar, Labels: []string{"a"}, Series: []Series{{Values: []float64{1}, Color: "#12345"}}},
		"a title like a novel": {Kind: Bar, Title: strings.Repeat("a", 301), Labels: []string{"a"}, Series: row(1)},
	} {
		if _, err := Draw(c); fault.CodeOf(err) != fault.ArgumentInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1234, "0 500 1,000 1,500"},
		{0, 0, "0 0.5 1.0"},
		{-3, 7, "−5 0 5 10"},
		{0, 0.00041, "0 0.0002 0.0004 0.0006"},
		{0, 2_400_000, "0 1M 2M 3M"},
		{0, 260_000, "0 100K 200K 300K"},
		{-900, -100, "−1,000 −500 0"},
	} {
		s := newScale(c.low, c.high, 3)
		if got := strings.Join(s.tickLabels(""), " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 12: "12", 1234.5: "1,234.5", 1820.55: "1,820.55", 0.035: "0.035", -40: "−40", 1_204_500: "1.2M", 99_999: "99,999",
		-1e9: "−1B", 0.00001: "0",
	} {
		if got := number(v, ""); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for _, c := range []struct {
		a, b float64
		want string
	}{{100, 125, "+25.0%"}, {200, 100, "−50.0%"}, {0, 5, "new"}, {5, 5, "±0%"}, {1, 30, "+2,900%"}, {-10, 10, "+200%"}, {1, 1000, "1000×"}} {
		if got := Change(c.a, c.b); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestColors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rgb{
		"#0072b2": {0, 0x72, 0xb2}, "#FA0": {255, 170, 0}, "rgb(1, 2, 3)": {1, 2, 3}, "rgba(54,162,235,0.5)": {54, 162, 235},
		"#01020380": {1, 2, 3}, "Navy": named["navy"],
	} {
		if got, ok := parseColor(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "#12", "rgb(1,2)", "rgb(300,0,0)", "url(x)", "#gggggg"} {
		if got, ok := parseColor(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

// FuzzDraw wants a picture of the asked size or a typed refusal, whatever is drawn.
func FuzzDraw(f *testing.F) {
	f.Add(0, "Title", "a,b,c", 1.0, -2.0, 3, 900, 560, true, false)
	f.Add(4, "", "x", 0.0, 1e15, 12, 320, 240, false, true)
	f.Add(8, "שלום\u202e\x00", "1,,,é", 1e-300, 5.0, 2, 2000, 241, true, true)
	f.Add(7, strings.Repeat("W", 300), strings.Repeat("long label,", 30), -1e15, 1e15, 1, 333, 1600, true, true)
	f.Fuzz(func(t *testing.T, kind int, title, labels string, a, b float64, series, w, h int, stacked, values bool) {
		names := strings.Split(labels, ",")
		c := Chart{Kind: Kinds()[((kind%9)+9)%9], Title: title, Labels: names, Width: w, Height: h, Stacked: stacked, Values: values}
		for i := range min(max(series, 0), 13) {
			s := Series{Name: title}
			for j := range names {
				s.Values = append(s.Values, a+b*float64((i*3+j)%7))
			}
			c.Series = append(c.Series, s)
		}
		img, err := Picture(c)
		switch {
		case err == nil && w > 0 && h > 0 && (img.Rect.Dx() != w || img.Rect.Dy() != h):
			t.Errorf("the picture is %v", img.Rect)
		case err != nil && fault.CodeOf(err) != fault.ArgumentInvalid:
			t.Error(err)
		}
	})
}
