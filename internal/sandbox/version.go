package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// apiVersion is a Graph API version and the last day it is served. The Conversions
// API follows the Graph schedule, not the shorter one of the Marketing API.
type apiVersion struct {
	Name     string `json:"version"`
	Released string `json:"released,omitempty"`
	Until    string `json:"until,omitempty"` // last day, empty when not announced
}

// versions is Meta's version table, oldest first.
var versions = []apiVersion{
	{"v16.0", "", "2025-05-14"},
	{"v17.0", "", "2025-09-12"},
	{"v18.0", "", "2026-01-26"},
	{"v19.0", "", "2026-05-21"},
	{"v20.0", "2024-05-21", "2026-09-24"},
	{"v21.0", "2024-10-02", "2027-01-21"},
	{"v22.0", "2025-01-21", "2027-05-20"},
	{"v23.0", "2025-05-29", "2027-10-08"},
	{"v24.0", "2025-10-08", "2028-02-18"},
	{"v25.0", "2026-02-18", "2028-07-29"},
	{"v26.0", "2026-07-29", ""},
}

// live reports whether the version is served on the day of now.
func (v apiVersion) live(now time.Time) bool {
	return v.Until == "" || now.UTC().Format(time.DateOnly) <= v.Until
}

// looksLikeVersion reports whether a path segment claims to be a version.
func looksLikeVersion(segment string) bool {
	major, minor, ok := strings.Cut(strings.TrimPrefix(segment, "v"), ".")
	return ok && strings.HasPrefix(segment, "v") && digits(major) && digits(minor)
}

// serve returns the version that answers a request for asked: itself while it is
// live, else the oldest live one, as Graph forwards expired versions and serves
// unversioned calls (asked "") so. ok is false for a version that never existed.
func serveVersion(asked string, now time.Time) (served string, ok bool) {
	known := asked == "" || historic(asked)
	for _, v := range versions {
		known = known || v.Name == asked
		if known && v.live(now) {
			return v.Name, true
		}
	}
	return "", false
}

// historic reports whether a version existed before those in the table.
func historic(name string) bool {
	major, minor, _ := strings.Cut(strings.TrimPrefix(name, "v"), ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil || "v"+strconv.Itoa(a)+"."+strconv.Itoa(b) != name {
		return false
	}
	lastMinor := map[int]int{1: 0, 2: 12, 3: 3}
	if last, old := lastMinor[a]; old {
		return b <= last
	}
	return a >= 4 && a < 16 && b == 0
}

// digits reports whether s is one or more ASCII digits.
func digits[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) > 0
}
