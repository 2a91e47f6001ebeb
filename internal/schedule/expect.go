package schedule

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sluice/internal/fault"
)

// Finding is something about the files of a window that a person should know before
// it is sent. It names shops and days, never what is in a file.
type Finding struct {
	Code   string `json:"code"` // MissingFile, RepeatedFile, ShortFile
	Member string `json:"member"`
	Day    string `json:"day"`
	Text   string `json:"text"`
}

// The codes of findings.
const (
	MissingFile  = "missing_file"
	RepeatedFile = "repeated_file"
	ShortFile    = "short_file"
)

// history is how many earlier files make the median that a new one is compared to.
const history = 14

// Found is one file of a window.
type Found struct {
	Path, Member, Day, Digest string
	Rows                      int
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// CheckPatterns refuses patterns that can't be expanded.
func (s *Spec) CheckPatterns() error {
	for _, pattern := range s.Files {
		others := 0
		for _, p := range placeholder.FindAllString(pattern, -1) {
			if p != "{date}" && p != "{yyyymmdd}" {
				others++
			}
		}
		if others > 1 {
			return fault.New(fault.Usage, "a file pattern takes {date} and one other name, such as {shop}")
		}
		if others == 0 && len(s.Expect) > 0 {
			return fault.New(fault.Usage, "expected members need their place in the file pattern").WithFix("write shops/{shop}/orders-{date}.csv")
		}
		if _, err := filepath.Match(globOf(pattern, "2026-01-01"), ""); err != nil {
			return fault.New(fault.Usage, "a file pattern is malformed")
		}
	}
	return nil
}

// dated puts a day into a pattern.
func dated(pattern, day string) string {
	pattern = strings.ReplaceAll(pattern, "{date}", day)
	return strings.ReplaceAll(pattern, "{yyyymmdd}", strings.ReplaceAll(day, "-", ""))
}

func globOf(pattern, day string) string {
	return placeholder.ReplaceAllString(dated(pattern, day), "*")
}

// Expand lists the files of the window that are there.
func (s *Spec) Expand(w Window) ([]Found, error) {
	var out []Found
	seen := map[string]bool{}
	for _, pattern := range s.Files {
		days := w.Days()
		if dated(pattern, "") == pattern {
			days = []string{""} // the same files every time; the ledger tells what is new
		}
		for _, day := range days {
			paths, err := filepath.Glob(globOf(pattern, day))
			if err != nil {
				return nil, fault.New(fault.Usage, "a file pattern is malformed").Wrap(err)
			}
			slices.Sort(paths)
			for _, path := range paths {
				if !seen[path] {
					seen[path] = true
					out = append(out, Found{Path: path, Day: day, Member: member(pattern, day, path)})
				}
			}
		}
	}
	return out, nil
}

// member is what stands in a path where the pattern has its other name.
func member(pattern, day, path string) string {
	pattern = dated(pattern, day)
	at := placeholder.FindString(pattern)
	if at == "" {
		return filepath.Base(path)
	}
	var expr strings.Builder
	for _, r := range strings.Replace(filepath.ToSlash(filepath.Clean(pattern)), at, "\x00", 1) {
		switch r {
		case 0:
			expr.WriteString("([^/]*)")
		case '*':
			expr.WriteString("[^/]*")
		case '?':
			expr.WriteString("[^/]")
		default:
			expr.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	re, err := regexp.Compile("^" + expr.String() + "$")
	if err != nil {
		return filepath.Base(path)
	}
	if m := re.FindStringSubmatch(filepath.ToSlash(path)); m != nil {
		return m[1]
	}
	return filepath.Base(path)
}

// Judge compares the files of a window with what is expected. seen returns an
// earlier file with a digest, past what the schedule has read, newest first.
func (s *Spec) Judge(w Window, found []Found, seen func(digest string) *File, past []File) []Finding {
	var out []Finding
	have := map[[2]string]bool{}
	for _, f := range found {
		have[[2]string{f.Member, f.Day}] = true
	}
	if len(s.Expect) > 0 {
		for _, day := range w.Days() {
			for _, m := range s.Expect {
				if !have[[2]string{m, day}] && !have[[2]string{m, ""}] {
					out = append(out, Finding{MissingFile, m, day, fmt.Sprintf("%s has no file for %s", m, day)})
				}
			}
		}
	}
	least := s.MinShare
	if least == 0 {
		least = 0.5
	}
	inWindow := map[string]Found{}
	for _, f := range found {
		if first, twice := inWindow[f.Digest]; twice {
			out = append(out, Finding{RepeatedFile, f.Member, f.Day, fmt.Sprintf("the file of %s for %s is the same, byte for byte, as that of %s for %s", f.Member, f.Day, first.Member, first.Day)})
		} else if old := seen(f.Digest); old != nil && (old.Member != f.Member || old.Day != f.Day) {
			out = append(out, Finding{RepeatedFile, f.Member, f.Day, fmt.Sprintf("the file of %s for %s is the same, byte for byte, as that of %s for %s", f.Member, f.Day, old.Member, old.Day)})
		}
		inWindow[f.Digest] = f
		if usual := median(past, f); usual > 0 && float64(f.Rows) < least*float64(usual) {
			out = append(out, Finding{ShortFile, f.Member, f.Day, fmt.Sprintf("the file of %s for %s has %d rows; %d are usual", f.Member, f.Day, f.Rows, usual)})
		}
	}
	return out
}

// median is the usual number of rows of a member's file, 0 while fewer than three
// are known.
func median(past []File, f Found) int {
	var rows []int
	for _, p := range past {
		if p.Member == f.Member && p.Day != f.Day && len(rows) < history {
			rows = append(rows, p.Rows)
		}
	}
	if len(rows) < 3 {
		return 0
	}
	slices.Sort(rows)
	return rows[len(rows)/2]
}
