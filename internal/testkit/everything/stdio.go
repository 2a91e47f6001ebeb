package everything

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Stdio serves one client on in and out until in ends. Both eras are served: the SDK
// reads which one from each message.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	toSDK, feed := io.Pipe()
	lines := &lineWriter{out: out}
	read := make(chan error, 1)
	go func() {
		err := s.filter(in, feed, lines)
		_ = feed.CloseWithError(err) // nil is the end of the input
		read <- err
	}()
	err := s.sdk.Run(ctx, &mcp.IOTransport{Reader: toSDK, Writer: lines, MaxLineLength: 32 << 20})
	_ = toSDK.Close()
	if errors.Is(err, io.EOF) || errors.Is(err, mcp.ErrConnectionClosed) {
		err = nil
	}
	return err
}

// filter answers what belongs to an extension and hands the rest on, line by line.
func (s *Server) filter(in io.Reader, rest io.Writer, out io.Writer) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var m message
			if json.Unmarshal(line, &m) == nil && m.Params.Meta.Version >= Modern && s.extensions.owns(&m) {
				body, _ := s.extensions.answer(&m)
				if _, err := out.Write(append(body, '\n')); err != nil {
					return err
				}
			} else if _, err := rest.Write(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lineWriter keeps the lines of two writers apart; each of them writes whole lines.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(line)
}

func (w *lineWriter) Close() error { return nil }
