package gateway

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// reply is one captured answer.
type reply struct {
	message mcpwire.Message
	status  int
	err     error // there is no answer
}

// capture keeps the final message of a call and nothing else.
type capture struct {
	final  []byte
	status int
}

func (s *capture) Send(e exchange.Event) error {
	if e.Final {
		s.final, s.status = bytes.Clone(e.Data), e.Status
	}
	return nil
}

// reply parses what was captured.
func (s *capture) reply(err error) reply {
	if err != nil {
		return reply{err: err}
	}
	m, err := mcpwire.ParseReply(s.final, mcpwire.Limits{Size: len(s.final) + 1, Depth: anyDepth})
	return reply{message: m, status: s.status, err: err}
}

// declining holds back an error that makes somebody else worth asking.
type declining struct {
	out      exchange.Sink
	declines func(code int) bool
	held     exchange.Event
	passed   bool // something went to the client: it is this member's call now
	took     bool // and it ended with a result
	begun    func()
	once     sync.Once
}

// begin ends the short wait for a first sign of life.
func (s *declining) begin() {
	if s.begun != nil {
		s.once.Do(s.begun)
	}
}

func (s *declining) Send(e exchange.Event) error {
	s.begin()
	if len(e.Data) == 0 && !e.HasID && e.Retry == "" && !s.passed {
		return nil // a stream that opened; it may still end with an error to hold back
	}
	if e.Final && !s.passed {
		if code := errorCode(e.Data); code != 0 && s.declines(code) {
			s.held = e
			s.held.Data = bytes.Clone(e.Data)
			return nil
		}
	}
	s.passed = true
	s.took = e.Final && errorCode(e.Data) == 0
	return s.out.Send(e)
}

// errorCode is error.code of a response; 0 when it is none with an error.
func errorCode(data []byte) int {
	if !bytes.Contains(data, []byte(`"error"`)) {
		return 0
	}
	m, err := mcpwire.ParseReply(data, mcpwire.Limits{Size: len(data) + 1, Depth: anyDepth})
	if err != nil || m.Kind != mcpwire.Failure {
		return 0
	}
	code, err := strconv.Atoi(string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))))
	if err != nil {
		return 0
	}
	return code
}

// stopAfter calls stop after d, unless the function it returns is called before.
func stopAfter(d time.Duration, stop func()) (keep func()) {
	t := time.AfterFunc(d, stop)
	return func() { t.Stop() }
}

// rewriting edits messages on their way back.
type rewriting struct {
	out  exchange.Sink
	edit func(*mcpwire.Message) []mcpwire.Edit
	sent bool
}

func (s *rewriting) Send(e exchange.Event) error {
	s.sent = true
	if len(e.Data) > 0 {
		m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
		if err != nil {
			return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent what is no message", Cause: err}
		}
		if edits := s.edit(&m); len(edits) > 0 {
			if e.Data, err = mcpwire.Splice(e.Data, edits...); err != nil {
				return err
			}
		}
	}
	return s.out.Send(e)
}

// serial lets several send to one sink, one at a time. After an error everything
// fails, and stop was called.
type serial struct {
	mu   sync.Mutex
	out  exchange.Sink
	err  error
	stop func()
}

func (s *serial) Send(e exchange.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		if s.err = s.out.Send(e); s.err != nil {
			s.stop()
		}
	}
	return s.err
}

// end lets nothing more through, and returns the error of what went before.
func (s *serial) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = errEnded
	return err
}

var errEnded = errors.New("the stream has ended")
