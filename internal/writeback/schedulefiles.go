package writeback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/schedule"
	"sluice/internal/source"
)

// counted is a reader that knows how many records each file had.
type counted struct {
	source.Reader
	rows map[string]int
}

func (c *counted) Next(ctx context.Context, r *source.Record) error {
	err := c.Reader.Next(ctx, r)
	if err == nil {
		c.rows[r.Position.File]++
	}
	return err
}

// sourceOptions are how a mapping's input is read.
func sourceOptions(m *mapping.Mapping) source.Options {
	s := m.Source()
	return source.Options{
		Columns: m.Columns(), Format: source.Format(s.Format), Delimiter: s.Delimiter, Quote: s.Quote,
		Encoding: source.Encoding(s.Encoding), NeedDigest: m.NeedsDigest(),
	}
}

// windowFiles are the files of one window as they were found and read.
type windowFiles struct {
	schedule *schedule.Schedule
	window   schedule.Window
	found    []schedule.Found
	findings []schedule.Finding
	past     []schedule.File
	seen     map[string]*schedule.File
}

// lookFor lists the window's files and what earlier windows read.
func (s *Service) lookFor(ctx context.Context, sc *schedule.Schedule, w schedule.Window) (*windowFiles, error) {
	f := &windowFiles{schedule: sc, window: w, seen: map[string]*schedule.File{}}
	var err error
	if f.found, err = sc.Spec.Expand(w); err != nil {
		return nil, err
	}
	if len(f.found) == 0 {
		return nil, fault.New(fault.SourceUnavailable, "schedule %s finds no file for %s", sc.Name, w).
			WithFix("check that the export ran; the window is tried again, and the next one covers it")
	}
	for i := range f.found {
		if f.found[i].Digest, err = digestOfFile(ctx, f.found[i].Path); err != nil {
			return nil, err
		}
	}
	return f, s.store.View(ctx, func(tx ledger.Tx) error {
		if f.past, err = tx.Schedules().Files(ctx, sc.ID, filesLookedAt); err != nil {
			return err
		}
		for _, found := range f.found {
			old, err := tx.Schedules().FileSeen(ctx, sc.ID, found.Digest)
			switch {
			case err == nil:
				f.seen[found.Digest] = old
			case !errors.Is(err, ledger.ErrNotFound):
				return err
			}
		}
		return nil
	})
}

// filesLookedAt is how many earlier files the usual size is taken from.
const filesLookedAt = 5000

func digestOfFile(ctx context.Context, path string) (string, error) {
	unreadable := func(err error) error {
		return fault.New(fault.SourceUnavailable, "the input %s can't be read", path).Wrap(err)
	}
	in, err := os.Open(path)
	if err != nil {
		return "", unreadable(err)
	}
	defer func() { _ = in.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", unreadable(err)
	}
	return hex.EncodeToString(h.Sum(nil)), ctx.Err()
}

// judge compares what was read with what is expected, once it was read.
func (f *windowFiles) judge(rows map[string]int) map[string]*Note {
	for i := range f.found {
		f.found[i].Rows = rows[f.found[i].Path]
	}
	f.findings = f.schedule.Spec.Judge(f.window, f.found, func(d string) *schedule.File { return f.seen[d] }, f.past)
	notes := map[string]*Note{}
	for _, finding := range f.findings {
		n := notes[finding.Code]
		if n == nil {
			n = &Note{}
			notes[finding.Code] = n
		}
		if n.Count++; n.Count <= placesKept {
			n.Hint = strings.TrimPrefix(n.Hint+"; "+finding.Text, "; ")
		}
		if n.Count == placesKept+1 {
			n.Hint += " …"
		}
	}
	return notes
}

// remember stores the files, so that a later window knows them.
func (f *windowFiles) remember(ctx context.Context, tx ledger.Tx) error {
	for _, found := range f.found {
		err := tx.Schedules().PutFile(ctx, &schedule.File{
			Schedule: f.schedule.ID, Digest: found.Digest, Member: found.Member, Day: found.Day, Name: filepath.Base(found.Path),
			Rows: found.Rows, Window: f.window.String(), SeenAt: tx.Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// previewStored previews the window's stored outcomes.
func (s *Service) previewStored(ctx context.Context, sc *schedule.Schedule, w schedule.Window, progress func(Progress)) (*PlanView, error) {
	return s.Preview(ctx, PreviewRequest{
		Stored: &Selection{Outcomes: sc.Spec.Outcomes, Window: w.String(), Zone: sc.Spec.Zone}, Filter: sc.Spec.Filter, Dataset: sc.Spec.Dataset, Realm: sc.Spec.Realm,
		Samples: 3, Progress: progress, Origin: "schedule " + sc.ID + " " + w.String(),
	})
}

// previewFiles previews the window's files.
func (s *Service) previewFiles(ctx context.Context, sc *schedule.Schedule, w schedule.Window, progress func(Progress)) (*PlanView, *windowFiles, error) {
	m, err := LoadMapping(sc.Spec.Mapping)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.lookFor(ctx, sc, w)
	if err != nil {
		return nil, nil, err
	}
	paths := make([]string, len(f.found))
	for i := range f.found {
		paths[i] = f.found[i].Path
	}
	reader, err := source.Open(ctx, paths, sourceOptions(m))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = reader.Close() }()
	c := &counted{Reader: reader, rows: map[string]int{}}
	view, err := s.Preview(ctx, PreviewRequest{
		Reader: c, Mapping: m, Dataset: sc.Spec.Dataset, Realm: sc.Spec.Realm, Options: m.EncoderOptions(), Samples: 3, Progress: progress,
		Origin: "schedule " + sc.ID + " " + w.String(), Remarks: func() map[string]*Note { return f.judge(c.rows) },
	})
	return view, f, err
}
