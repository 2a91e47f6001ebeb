package journal

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
)

// kept are sealed arguments on their way to the file beside the journal. They are written
// after the decision, and a call is not denied for them.
type kept struct {
	seq     int64
	request string
	sealed  []byte
}

// maxKept bounds what is kept of one call.
const maxKept = maxFrame / 2

// keep appends the turn's arguments, under the lock.
func (g *group) keep() {
	if len(g.kept) == 0 {
		return
	}
	var b []byte
	for _, k := range g.kept {
		if len(k.sealed) > maxKept {
			continue
		}
		start := len(b)
		b = beginFrame(b, k.seq, g.at.UnixNano(), kindKept)
		b = append(appendText(b, k.request), k.sealed...)
		endFrame(b, start)
	}
	f, err := openFile(keptPath(g.o.Dir, g.st.header.Generation))
	if err == nil {
		var end int64
		if end, err = f.Seek(0, io.SeekEnd); err == nil {
			if _, err = f.Write(b); err != nil {
				err = errors.Join(err, f.Truncate(end))
			}
		}
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		g.o.Log.Warn("arguments of calls could not be kept for replay", "error", err)
	}
}

// keptOf reads the arguments kept of some calls in one generation.
func keptOf(dir string, gen int64, wanted map[string][]byte) error {
	f, err := os.Open(keptPath(dir, gen))
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReaderSize(f, 64<<10)
	var head [frameHead]byte
	var b []byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return tornOff(err)
		}
		size := int(binary.LittleEndian.Uint32(head[:]))
		if size < payloadHead || size > maxFrame {
			return nil // a write that did not end, or damage: the rest is lost
		}
		b = append(b[:0], head[:]...)
		b = append(b, make([]byte, size)...)
		if _, err := io.ReadFull(in, b[frameHead:]); err != nil {
			return tornOff(err)
		}
		fr, _, c := cutFrame(b)
		if c != whole || fr.kind != kindKept {
			return nil
		}
		r := reader{b: fr.body}
		if request := r.text(); !r.bad {
			if _, want := wanted[request]; want {
				wanted[strings.Clone(request)] = bytes.Clone(r.b)
			}
		}
	}
}

func tornOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
