package mapping

import (
	"slices"
	"time"
)

// timeRule says when a conversion happened.
type timeRule struct {
	value    *expression
	formats  []*layout
	location *time.Location // nil: every text must hold its own offset
}

// time decodes `time:`.
func (d *decoder) time(c cursor) (t timeRule) {
	isoFormat, _ := compileLayout(formatISO)
	epochFormat, _ := compileLayout(formatEpoch)
	if c.kind == scalarNode {
		t.value, _ = d.expression(c, "time", bareColumn)
		t.formats = []*layout{isoFormat, epochFormat}
		return t
	}
	e, keys := d.expression(c, "time", bareColumn, "formats", "format", "zone")
	t.value = e
	if e != nil && len(e.columns) > 1 && !keys["join"].present() {
		e.join = " "
	}
	if f := keys["format"]; f.present() && keys["formats"].present() {
		d.fault(f, "keep `formats`", "both `format` and `formats` are given")
	}
	for _, key := range []string{"formats", "format"} {
		if f, ok := keys[key]; ok {
			t.formats = append(t.formats, d.layouts(f)...)
		}
	}
	if len(t.formats) == 0 {
		t.formats = []*layout{isoFormat, epochFormat}
	}
	if z, ok := keys["zone"]; ok {
		t.location = d.zone(z)
	} else {
		d.wantZone(c, t.formats)
	}
	return t
}

func (d *decoder) layouts(c cursor) (out []*layout) {
	list := []cursor{c}
	if c.kind == listNode {
		list = list[:0]
		for i := range c.items {
			list = append(list, c.item(i))
		}
	}
	for _, item := range list {
		if s, ok := d.text(item, "a time format"); ok {
			if l, ok := d.layout(item, s); ok {
				out = append(out, l)
			}
		}
	}
	return out
}

func (d *decoder) zone(c cursor) *time.Location {
	s, ok := d.text(c, "zone")
	if !ok {
		return nil
	}
	location, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		d.fault(c, "use a name of the IANA database, such as Europe/London, or UTC", "time zone %q is not known", clip(s))
		return nil
	}
	return location
}

// wantZone refuses formats that can only give local times of nowhere. ISO is let
// through, because its texts may hold an offset; those that don't are rejected
// row by row.
func (d *decoder) wantZone(c cursor, formats []*layout) {
	for _, f := range formats {
		if !f.zoned && !f.iso {
			d.fault(c, "add `zone: Europe/London`, or `zone: UTC`", "format %q has no offset from UTC, so the zone must be given", f.name)
			return
		}
	}
}

// moment reads a text. The second result is the code of a reject, the third that
// of a warning.
func (t *timeRule) moment(z *zone, s string) (unix int64, reject, warning string) {
	for _, f := range t.formats {
		c, ok := f.parse(s)
		if !ok {
			continue
		}
		switch {
		case c.isEpoch:
			return c.epoch, "", ""
		case c.zoned:
			return c.seconds() - int64(c.offset), "", midnight(c)
		case z.location == nil:
			return 0, RejectUnparseableTime, ""
		}
		unix, warning = z.moment(c.seconds())
		if w := midnight(c); w != "" {
			warning = w
		}
		return unix, "", warning
	}
	return 0, RejectUnparseableTime, ""
}

// midnight warns of a time that was probably a date.
func midnight(c civil) string {
	if c.hour == 0 && c.minute == 0 && c.second == 0 {
		return WarnDateOnlyTime
	}
	return ""
}

// reads reports whether a format is among those of the rule.
func (t *timeRule) reads(name string) bool {
	return slices.ContainsFunc(t.formats, func(f *layout) bool { return f.name == name })
}

// hint says what to do about a text that is in none of the formats.
func (t *timeRule) hint(s string) string {
	if digitsOnly(s) == s && (len(s) == 12 || len(s) == 13) {
		return "this looks like milliseconds since 1970: add `epoch_ms` under `time.formats`"
	}
	if _, ok := parseExcel(s); ok && !t.reads(formatExcel) {
		return "this looks like a date of Excel, days since 1899-12-30: add `excel` under `time.formats`"
	}
	for _, f := range t.formats {
		if c, ok := f.parse(s); ok && !c.zoned && t.location == nil {
			return "the time has no offset from UTC: set `time.zone`"
		}
	}
	return "add its format under `time.formats`, for example \"DD/MM/YYYY HH:mm\""
}
