package extsort

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// spill is one sorted run on disk: length-prefixed records through AES-CTR. The
// key is random, per run, and only in memory, so the stream needs no
// authentication: nobody can write the nameless file but this process.
type spill struct {
	file   *os.File
	block  cipher.Block
	w      *bufio.Writer
	r      *bufio.Reader
	record []byte
}

const spillBuffer = 128 << 10

func newSpill(dir string) (*spill, error) {
	f, err := tempFile(dir)
	if err != nil {
		return nil, err
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand aborts the process instead
	block, err := aes.NewCipher(key[:])
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s := &spill{file: f, block: block}
	s.w = bufio.NewWriterSize(cipher.StreamWriter{S: s.stream(), W: f}, spillBuffer)
	return s, nil
}

// stream starts the key stream from its beginning; a run is written once and
// read once, so the zero counter is used for one plaintext only.
func (s *spill) stream() cipher.Stream {
	return cipher.NewCTR(s.block, make([]byte, aes.BlockSize))
}

func (s *spill) write(rec []byte) error {
	var n [binary.MaxVarintLen64]byte
	if _, err := s.w.Write(n[:binary.PutUvarint(n[:], uint64(len(rec)))]); err != nil {
		return fmt.Errorf("%w: %w", ErrSpill, err)
	}
	if _, err := s.w.Write(rec); err != nil {
		return fmt.Errorf("%w: %w", ErrSpill, err)
	}
	return nil
}

func (s *spill) seal() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", ErrSpill, err)
	}
	s.w = nil
	return nil
}

func (s *spill) rewind() error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%w: %w", ErrSpill, err)
	}
	s.r = bufio.NewReaderSize(cipher.StreamReader{S: s.stream(), R: s.file}, spillBuffer)
	return nil
}

func (s *spill) read() ([]byte, error) {
	n, err := binary.ReadUvarint(s.r)
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpill, err)
	}
	if uint64(cap(s.record)) < n {
		s.record = make([]byte, n)
	}
	s.record = s.record[:n]
	if _, err := io.ReadFull(s.r, s.record); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpill, err)
	}
	return s.record, nil
}

func (s *spill) close() error { return s.file.Close() }
