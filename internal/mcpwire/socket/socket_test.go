package socket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire/socket"
)

// pair is a connection of this package and its other end.
func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := socket.Listener(plain)
	t.Cleanup(func() { _ = l.Close() })
	theirs, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return ours, theirs
}

func TestBytesArriveWholeBothWays(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // more than the buffers of a socket
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{ours, theirs}, {theirs, ours}} {
		both.Go(func() {
			if n, err := way[0].Write(text); n != len(text) || err != nil {
				t.Errorf("wrote %d: %v", n, err)
			}
		})
		both.Go(func() {
			got := make([]byte, len(text))
			if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, text) {
				t.Errorf("read something else: %v", err)
			}
		})
	}
	both.Wait()
}

func TestEndsAndErrorsAreThoseOfNet(t *testing.T) {
	t.Parallel()
	b := make([]byte, 8)
	t.Run("nothing to read into", func(t *testing.T) {
		t.Parallel()
		ours, _ := pair(t)
		if n, err := ours.Read(nil); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	})
	t.Run("the other end closed", func(t *testing.T) {
		t.Parallel()
		ours, theirs := pair(t)
		_ = theirs.Close()
		if n, err := ours.Read(make([]byte, 8)); n != 0 || err != io.EOF {
			t.Errorf("%d %v", n, err)
		}
	})
	t.Run("the other end broke it off", func(t *testing.T) {
		t.Parallel()
		ours, theirs := pair(t)
		_ = theirs.(*net.TCPConn).SetLinger(0)
		_ = theirs.Close()
		_, err := ours.Read(make([]byte, 8))
		if op, is := errors.AsType[*net.OpError](err); !is || op.Op != "read" || op.Addr == nil {
			t.Errorf("%v", err)
		}
	})
	t.Run("a deadline", func(t *testing.T) {
		t.Parallel()
		ours, theirs := pair(t)
		_ = ours.SetReadDeadline(time.Now().Add(-time.Second))
		_, err := ours.Read(make([]byte, 8))
		if timeout, is := errors.AsType[net.Error](err); !is || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
		_ = ours.SetReadDeadline(time.Time{})
		_, _ = theirs.Write([]byte("x"))
		if n, err := ours.Read(make([]byte, 8)); n != 1 || err != nil {
			t.Errorf("after it: %d %v", n, err)
		}
	})
	t.Run("closed while it waits", func(t *testing.T) {
		t.Parallel()
		ours, _ := pair(t)
		failed := make(chan error, 1)
		go func() {
			_, err := ours.Read(make([]byte, 8))
			failed <- err
		}()
		_ = ours.Close()
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
		if _, err := ours.Write(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing: %v", err)
		}
	})
}

// net/http closes its half of a connection where it can, and reads the next request of it
// while it answers this one.
func TestHTTPIsServed(t *testing.T) {
	t.Parallel()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // the client is gone
			close(ended)
			return
		}
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(text)
	})}
	go func() { _ = s.Serve(socket.Listener(plain)) }()
	t.Cleanup(func() { _ = s.Close() })
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for range 20 {
		text := strings.Repeat("y", 100_000)
		resp, err := client.Post("http://"+plain.Addr().String(), "text/plain", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(got) != text {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	resp, err := client.Get("http://" + plain.Addr().String() + "/wait")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-ended
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	ours, theirs := pair(t)
	q, is := ours.(interface{ Quiet() bool })
	if !is {
		return // this system has no such connections
	}
	if !q.Quiet() {
		t.Error("an open connection that says nothing is not quiet")
	}
	_ = theirs.Close()
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if q.Quiet() {
		t.Error("a closed connection is quiet")
	}
}
