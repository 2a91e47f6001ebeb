package journal

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// When the next file is begun: the records behind the snapshot are many, and more than
// the snapshot, or a day old.
const (
	turnBytes = 4 << 20
	turnKept  = 64 << 20
	turnAge   = 24 * time.Hour
)

// due reports whether the file should end.
func (g *group) due() bool {
	st := g.st
	records := st.end - st.base
	if records == 0 {
		return false
	}
	if (records > g.turnBytes && records > 2*st.base) || g.at.Sub(st.header.Created) > turnAge {
		return true
	}
	info, err := os.Stat(keptPath(g.o.Dir, st.header.Generation))
	return err == nil && info.Size() > turnKept
}

// turnOver ends the file and begins the next one. Its order makes every crash harmless:
// the next file is complete on the disk before the last record of this one says that it
// follows, and gets its name after that; who finds the record without the file makes it.
func (g *group) turnOver() error {
	st := g.st
	st.book.Sweep(g.at)
	st.seq++ // of the record that ends this file: the snapshot stands behind it
	text, h, err := st.prepare(g.at)
	st.seq--
	if err != nil {
		return err
	}
	path := journalPath(st.dir, h.Generation)
	if err := writeFile(path+tmpEnd, text); err != nil {
		return err
	}
	last := beginFrame(nil, st.seq+1, g.at.UnixNano(), kindTurned)
	endFrame(last, 0)
	if _, err := g.write(st.file, last, st.end); err != nil {
		_ = st.file.Truncate(st.end)
		return err
	}
	st.seq++
	st.end += int64(len(last))
	st.turned = true
	if err := syncData(st.file); err != nil {
		return err
	}
	if err := os.Rename(path+tmpEnd, path); err != nil {
		return err
	}
	if err := syncDir(st.dir); err != nil {
		return err
	}
	return st.enter(h, int64(len(text)))
}

// tidy begins the next file when it is due, and removes what has been kept long enough:
// whole files whose records were all handed on.
func (s *Store) tidy(ctx context.Context, folded int64) error {
	err := s.do(ctx, func(g *group) error {
		g.over = g.due()
		return nil
	})
	if err != nil || time.Since(s.fold.tidied) < time.Hour {
		return err
	}
	s.fold.tidied = time.Now()
	remove := func(start string, before int64, keep time.Duration) error {
		gens, err := generations(s.o.Dir, start)
		if err != nil {
			return err
		}
		for _, gen := range gens {
			path := generation(s.o.Dir, start, gen)
			if info, err := os.Stat(path); gen < before && err == nil && time.Since(info.ModTime()) > keep {
				if err := os.Remove(path); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := remove(journalStart, folded, s.o.KeepCalls); err != nil {
		return err
	}
	if err := remove(keptStart, s.seenGen.Load(), s.o.KeepArguments); err != nil {
		return err
	}
	if err := s.unowned(ctx); err != nil {
		return err
	}
	return s.unwiped(ctx)
}

// unowned removes the files of processes that died without a call under way.
func (s *Store) unowned(_ context.Context) error {
	list, err := os.ReadDir(filepath.Join(s.o.Dir, procDir))
	for _, e := range list {
		// A young one may be about to be locked.
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > time.Minute {
			removeFree(filepath.Join(s.o.Dir, procDir, e.Name()))
		}
	}
	return err
}
