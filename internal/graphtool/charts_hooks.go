package graphtool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sluice/internal/chart"
	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// drawChart draws the series that the arguments hold.
func drawChart(_ context.Context, e *tool.Env) (*tool.Answer, error) {
	c := chart.Chart{
		Kind: chart.Kind(e.Args.Str("chart_type")), Title: e.Args.Str("title"), Labels: e.Args.Strings("labels"),
		Stacked: e.Args.Bool("stacked"), Values: e.Args.Bool("show_values"), Unit: e.Args.Str("unit"),
	}
	for _, item := range e.Args.List("datasets") {
		m, _ := item.(map[string]any)
		c.Series = append(c.Series, seriesOf(m, "data"))
	}
	return drawn(e, c, nil)
}

// drawComparison draws two groups and the change between them.
func drawComparison(_ context.Context, e *tool.Env) (*tool.Answer, error) {
	a, b := seriesOf(e.Args.Map("group_a"), "values"), seriesOf(e.Args.Map("group_b"), "values")
	c := chart.Chart{Kind: chart.Comparison, Title: e.Args.Str("title"), Labels: e.Args.Strings("metrics"), Series: []chart.Series{a, b}}
	if e.Args.Str("chart_type") == "bar" {
		c.Kind, c.Values = chart.Bar, true
	}
	var changes []string
	for i := range min(len(a.Values), len(b.Values)) {
		changes = append(changes, chart.Change(a.Values[i], b.Values[i]))
	}
	return drawn(e, c, changes)
}

func seriesOf(m map[string]any, values string) chart.Series {
	s := chart.Series{Name: text(m, "label"), Color: text(m, "color")}
	list, _ := m[values].([]any)
	for _, v := range list {
		n, _ := v.(json.Number)
		f, err := n.Float64()
		if err != nil {
			continue // out of range: the lengths will differ
		}
		s.Values = append(s.Values, f)
	}
	return s
}

// drawn is the answer of both: the picture, its numbers, and a file where one is wanted.
func drawn(e *tool.Env, c chart.Chart, changes []string) (*tool.Answer, error) {
	c.Width, c.Height = int(e.Args.Int("width")), int(e.Args.Int("height"))
	png, err := chart.Draw(c)
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"title": c.Title, "chart_type": e.Args.Str("chart_type"), "width": json.Number(strconv.Itoa(c.Width)), "height": json.Number(strconv.Itoa(c.Height)),
		"bytes": json.Number(strconv.Itoa(len(png))),
	}
	labels, series := []any{}, []any{}
	for _, l := range c.Labels {
		labels = append(labels, l)
	}
	for _, s := range c.Series {
		values := []any{}
		for _, v := range s.Values {
			values = append(values, json.Number(plainNumber(v)))
		}
		series = append(series, map[string]any{"label": s.Name, "data": values})
	}
	data["labels"], data["datasets"] = labels, series
	if len(changes) > 0 {
		list := []any{}
		for _, ch := range changes {
			list = append(list, ch)
		}
		data["changes"] = list
	}
	if path := e.Args.Str("output_path"); path != "" {
		name, err := saveChart(e, path, png)
		if err != nil {
			return nil, err
		}
		data["output_path"] = name
	}
	alt := fmt.Sprintf("Chart (%s): %s, %d labels, %d series", e.Args.Str("chart_type"), c.Title, len(c.Labels), len(c.Series))
	return &tool.Answer{Data: data, Images: []tool.Image{{PNG: png, Alt: alt}}, Text: chartText(c, changes, text(data, "output_path"))}, nil
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// textRows is how many rows of numbers stand beside a picture, for readers without eyes.
const textRows = 40

// chartText is the numbers as a table.
func chartText(c chart.Chart, changes []string, file string) string {
	cell := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\n", " "), "|", "\\|") }
	var b strings.Builder
	b.WriteString("**" + cell(c.Title) + "**\n\n| |")
	for _, s := range c.Series {
		b.WriteString(" " + cell(s.Name) + " |")
	}
	if changes != nil {
		b.WriteString(" Change |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(c.Series)))
	if changes != nil {
		b.WriteString("---|")
	}
	b.WriteByte('\n')
	for i, l := range c.Labels[:min(len(c.Labels), textRows)] {
		b.WriteString("| " + cell(l) + " |")
		for _, s := range c.Series {
			b.WriteString(" " + plainNumber(s.Values[i]) + " |")
		}
		if changes != nil {
			b.WriteString(" " + changes[i] + " |")
		}
		b.WriteByte('\n')
	}
	if more := len(c.Labels) - textRows; more > 0 {
		fmt.Fprintf(&b, "\n%d more rows are in the structured data.\n", more)
	}
	if file != "" {
		b.WriteString("\nWritten to " + file + ".\n")
	}
	return b.String()
}

// saveChart writes a picture inside the allowed folder and nowhere else: links that lead
// out of it are refused by the system's own check. What is there stays, unless the call
// says otherwise.
func saveChart(e *tool.Env, path string, png []byte) (string, error) {
	refuse := func(fix, format string, args ...any) (string, error) {
		return "", fault.New(fault.UploadRefused, "output_path: "+format, args...).WithFix("%s", fix)
	}
	dir := e.Settings.UploadDir
	if dir == "" {
		return refuse("leave output_path out, the picture comes with the answer; or set meta.upload_dir in sluice.yaml, or start with --upload-dir", "no folder for files is configured")
	}
	name := filepath.Clean(path)
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return refuse("give a path inside the allowed folder", "the file is outside the allowed folder")
		}
		name = rel
	}
	switch {
	case !filepath.IsLocal(name):
		return refuse("give a path inside the allowed folder", "the file is outside the allowed folder")
	case !strings.EqualFold(filepath.Ext(name), ".png"):
		return refuse("end the name with .png", "the picture is a .png file")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return refuse("check the folder", "the allowed folder can't be opened")
	}
	defer func() { _ = root.Close() }()
	target := name
	if e.Args.Bool("overwrite") {
		// Written beside it and renamed, so that nobody reads half a picture.
		name += ".part"
		_ = root.Remove(name)
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return refuse("choose another name, or set overwrite", "there is a file of this name, and overwrite is not set")
	case err != nil:
		return refuse("name a folder that is there", "the file can't be made in the allowed folder")
	}
	_, err = f.Write(png)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil && name != target {
		err = root.Rename(name, target)
	}
	if err != nil {
		_ = root.Remove(name)
		return refuse("check the space on the disk", "the file can't be written")
	}
	return filepath.ToSlash(target), nil
}
