package journal

import (
	"io"
)

// scanner goes through the frames of a part of a file that nobody changes any more.
type scanner struct {
	r    *io.SectionReader
	last int64 // number of the last record: what follows is higher
	f    frame // its body is good until the next one
	at   int64 // behind f, from the start of r
	err  error

	buf      []byte
	from, to int // what is read and not yet used of buf
}

func (sc *scanner) next() bool {
	if sc.buf == nil {
		sc.buf = make([]byte, readChunk)
	}
	for {
		f, n, c := cutFrame(sc.buf[sc.from:sc.to])
		if c == whole {
			sc.f = f
			sc.from += n
			sc.at += int64(n)
			if f.seq > sc.last {
				sc.last = f.seq
			}
			return true
		}
		rest := sc.r.Size() - sc.at
		if rest == 0 {
			return false
		}
		if c == wrong || int64(sc.to-sc.from) == rest {
			if !sc.skip(rest) {
				return false
			}
			continue
		}
		if !sc.fill() {
			return false
		}
	}
}

// fill reads more behind what is not used yet.
func (sc *scanner) fill() bool {
	have := copy(sc.buf, sc.buf[sc.from:sc.to])
	sc.from, sc.to = 0, have
	if have == len(sc.buf) {
		sc.buf = append(sc.buf, make([]byte, len(sc.buf))...)
	}
	n, err := sc.r.ReadAt(sc.buf[have:], sc.at+int64(have))
	sc.to += n
	if n == 0 && err != nil && err != io.EOF {
		sc.err = err
		return false
	}
	return n > 0
}

// skip passes over a damaged place to the next record, as everybody does who reads the
// file.
func (sc *scanner) skip(rest int64) bool {
	b := make([]byte, rest)
	if _, err := sc.r.ReadAt(b, sc.at); err != nil && err != io.EOF {
		sc.err = err
		return false
	}
	n, found := resync(b, sc.last)
	if !found {
		return false
	}
	sc.at += int64(n)
	sc.from, sc.to = 0, 0
	return true
}
