package graphspec

import (
	"regexp"
	"strings"
	"time"
)

// Newest is the version that is used unless another is configured.
const Newest = "v26.0"

// ThreadsVersion is the only version of the Threads API.
const ThreadsVersion = "v1.0"

// Version is one version of the Graph API. Days are written 2006-01-02.
type Version struct {
	Name     string
	Released string // empty: before this table
	// Graph is the last day for everything but the Marketing API, Marketing that of
	// ads, audiences and insights; empty: not announced.
	Graph, Marketing string
}

// Versions is Meta's table, oldest first. The Conversions API follows Graph's days.
//
// An ended Graph version is answered by the oldest live one without a word; an ended
// Marketing version is refused (2635), or answered by a newer one with a warning in
// X-Ad-Api-Version-Warning.
var Versions = []Version{
	{"v16.0", "", "2025-05-14", "2024-02-06"},
	{"v17.0", "", "2025-09-12", "2024-05-14"},
	{"v18.0", "", "2026-01-26", "2024-08-13"},
	{"v19.0", "", "2026-05-21", "2025-02-04"},
	{"v20.0", "2024-05-21", "2026-09-24", "2025-05-06"},
	{"v21.0", "2024-10-02", "2027-01-21", "2025-09-09"},
	{"v22.0", "2025-01-21", "2027-05-20", "2026-02-19"},
	{"v23.0", "2025-05-29", "2027-10-08", "2026-06-09"},
	{"v24.0", "2025-10-08", "2028-02-18", "2026-10-06"},
	{"v25.0", "2026-02-18", "2028-07-29", ""},
	{Newest, "2026-07-29", "", ""},
}

var versionForm = regexp.MustCompile(`^v\d{1,2}\.\d$`)

// ValidVersion reports whether text is written as versions are.
func ValidVersion(text string) bool { return versionForm.MatchString(text) }

// Ends is the last day of a version, for the Marketing API or the rest. It is zero
// where no day was announced, and for a version that isn't in the table.
func Ends(version string, marketing bool) time.Time {
	for _, v := range Versions {
		if v.Name != version {
			continue
		}
		day := v.Graph
		if marketing {
			day = v.Marketing
		}
		if t, err := time.Parse(time.DateOnly, day); err == nil {
			return t
		}
	}
	return time.Time{}
}

// warnAhead is how long before its last day a version is warned of.
const warnAhead = 60 * 24 * time.Hour

// Warnings says what is to be known of a version on a day: that it has ended or ends
// soon, for Graph and for the Marketing API, or that it is not in the table.
func Warnings(version string, now time.Time) []string {
	var list []string
	if !known(version) {
		return []string{version + " is not a version that this release knows; the newest it knows is " + Newest}
	}
	for _, part := range []struct {
		name      string
		marketing bool
	}{{"the Graph API", false}, {"the Marketing API (ads, audiences, insights)", true}} {
		last := Ends(version, part.marketing)
		if last.IsZero() {
			continue
		}
		day := last.Format(time.DateOnly)
		switch over := last.Add(24 * time.Hour); {
		case !now.Before(over):
			list = append(list, version+" of "+part.name+" ended on "+day+"; set graph_version to "+Newest)
		case now.Add(warnAhead).After(last):
			list = append(list, version+" of "+part.name+" ends on "+day+"; set graph_version to "+Newest+" before")
		}
	}
	return list
}

func known(version string) bool {
	for _, v := range Versions {
		if v.Name == version {
			return true
		}
	}
	return false
}

// Older reports whether version a is older than b, by number.
func Older(a, b string) bool {
	return pad(a) < pad(b)
}

// pad makes v9.0 sort before v10.0.
func pad(version string) string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return strings.Repeat("0", max(0, 3-len(major))) + major + "." + minor
}
