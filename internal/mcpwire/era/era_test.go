package era_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// relayer is a sink that can take an HTTP answer whole.
type relayer struct{ *record }

func (relayer) Relay(*http.Response) error { return nil }

func TestSameEraPassesUntouched(t *testing.T) {
	t.Parallel()
	var got exchange.Sink
	var raw *mcpwire.Message
	f := newModern(nil)
	discover := f.modern
	f.modern = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Message.Method == mcpwire.MethodDiscover {
			return discover(ctx, c, out)
		}
		got, raw = out, c.Message
		return finish(c.Message, out, `{}`)
	}
	f.legacy = func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
		return finish(m, out, `{}`)
	}
	up := facing(t, &f.fake, era.Options{})
	c := client{t: t, up: up}
	out := relayer{newRecord()}
	call := c.modern("1", "tools/call", `"name":"n"`)
	if err := up.Call(t.Context(), call, out); err != nil {
		t.Fatal(err)
	}
	if _, whole := got.(exchange.Relayer); !whole || raw != call.Message {
		t.Error("the call or its sink was replaced")
	}
	s, hello := opened(t, up, "{}")
	if s != exchange.Session(f.session(t, 0)) {
		t.Error("the session is not the upstream's own")
	}
	same(t, "serverInfo", at(t, hello, "result", "serverInfo", "name"), `"old"`)
}

func TestProbeIsAskedOnceForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var probes atomic.Int32
		f := echoing("{}")
		f.modern = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			probes.Add(1)
			time.Sleep(time.Second)
			return fail(c.Message, out, -32601, "no such method", "")
		}
		c := client{t: t, up: facing(t, f, era.Options{})}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { c.call("1", "tools/list", "") })
		}
		all.Wait()
		if probes.Load() != 1 || f.count() != 1 {
			t.Errorf("%d probes, %d sessions", probes.Load(), f.count())
		}
	})
}

func TestWhatShowsAModernServer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		answer func(m *mcpwire.Message, out exchange.Sink) error
		modern bool
	}{
		{"a result", 200, func(m *mcpwire.Message, out exchange.Sink) error { return finish(m, out, someDiscovery) }, true},
		{"a result that names no versions", 200, func(m *mcpwire.Message, out exchange.Sink) error { return finish(m, out, `{}`) }, false},
		{"only legacy versions", 200, func(m *mcpwire.Message, out exchange.Sink) error {
			return fail(m, out, -32022, "no", `{"supported":["2025-11-25"],"requested":"2026-07-28"}`)
		}, false},
		{"another modern version", 200, func(m *mcpwire.Message, out exchange.Sink) error {
			return fail(m, out, -32022, "no", `{"supported":["2027-01-01"],"requested":"2026-07-28"}`)
		}, true},
		{"a modern error", 200, func(m *mcpwire.Message, out exchange.Sink) error { return fail(m, out, -32021, "no", "") }, true},
		{"any other error", 200, func(m *mcpwire.Message, out exchange.Sink) error { return fail(m, out, -32602, "no", "") }, false},
		{"404 with unknown method", 404, func(m *mcpwire.Message, out exchange.Sink) error {
			return out.Send(exchange.Event{Data: mcpwire.BuildError(m.Bytes(m.ID), -32601, "no", nil), Final: true, Status: 404})
		}, true},
		{"another era", 0, func(*mcpwire.Message, exchange.Sink) error { return wrongEra() }, false},
		{"it broke off", 0, func(*mcpwire.Message, exchange.Sink) error { return &exchange.Error{Code: exchange.BrokeOff} }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := echoing("{}")
				f.modern = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
					if c.Message.Method == mcpwire.MethodDiscover {
						return tc.answer(c.Message, out)
					}
					return finish(c.Message, out, "{}")
				}
				c := client{t: t, up: facing(t, f, era.Options{})}
				c.call("1", "tools/list", "")
				if legacy := f.count() > 0; legacy == tc.modern {
					t.Errorf("modern is %v", !legacy)
				}
			})
		})
	}
}

func TestSilenceIsLegacyForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		probes := 0
		f.modern = func(ctx context.Context, _ *exchange.Call, _ exchange.Sink) error {
			probes++
			<-ctx.Done()
			return ctx.Err()
		}
		c := client{t: t, up: facing(t, f, era.Options{ProbeTimeout: 3 * time.Second, Recheck: time.Minute})}
		began := time.Now()
		c.call("1", "tools/list", "")
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("it took %s", d)
		}
		c.call("2", "tools/list", "")
		time.Sleep(2 * time.Minute)
		c.call("3", "tools/list", "")
		if probes != 2 {
			t.Errorf("%d probes", probes)
		}
	})
}

func TestFailureIsNoVerdict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		down := true
		f.modern = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			if down {
				return &exchange.Error{Code: exchange.Unreachable, Message: "down"}
			}
			return finish(c.Message, out, someDiscovery)
		}
		c := client{t: t, up: facing(t, f, era.Options{})}
		err := c.up.Call(t.Context(), c.modern("1", "tools/list", ""), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.Unreachable}) {
			t.Errorf("got %v", err)
		}
		down = false
		c.call("2", "tools/list", "")
		if f.count() > 0 {
			t.Error("it was taken for legacy")
		}
	})
}

func TestVerdictThatStopsFittingIsAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error { return finish(m, out, "{}") })
		c := client{t: t, up: facing(t, &f.fake, era.Options{})}
		c.call("1", "tools/list", "")
		opened(t, c.up, "{}")
		// The server is replaced by an older one.
		f.modern = nil
		f.legacy = echoing("{}").legacy
		c.call("2", "tools/list", "")
		if f.count() != 1 {
			t.Fatalf("%d legacy sessions", f.count())
		}
		opened(t, c.up, "{}")
		if f.count() != 2 {
			t.Errorf("%d legacy sessions", f.count())
		}
	})
}

// A call that the upstream turns down as if it spoke another era makes everybody ask
// again; nobody else's call may fail for it.
func TestACallTurnedDownFailsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newModern(nil)
		discover := make(chan struct{})
		f.modern = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			switch c.Message.Method {
			case "tools/call":
				return wrongEra()
			case "server/discover":
				<-discover
				return finish(c.Message, out, `{"supportedVersions":["2026-07-28"]}`)
			}
			return finish(c.Message, out, "{}")
		}
		c := client{t: t, up: facing(t, &f.fake, era.Options{})}
		odd, good := c.modern("1", "tools/call", `"name":"odd"`), c.modern("2", "tools/list", "")
		go func() { _ = c.up.Call(t.Context(), odd, newRecord()) }() // it fails, as it should
		synctest.Wait()
		for range 8 { // they wait for what the first found out, and wake after it
			go func() {
				if err := c.up.Call(t.Context(), good, newRecord()); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		discover <- struct{}{}
		synctest.Wait()
		close(discover)
		synctest.Wait()
	})
}

// An upstream that still speaks the modern era gets no call twice for having turned it
// down in words of its own: it may have done it.
func TestACallTurnedDownIsNotSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		f := newModern(func(context.Context, *mcpwire.Message, exchange.Sink) error { sent++; return wrongEra() })
		c := client{t: t, up: facing(t, &f.fake, era.Options{})}
		err := c.up.Call(t.Context(), c.modern("1", "tools/call", `"name":"x"`), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) || sent != 1 {
			t.Errorf("sent %d times: %v", sent, err)
		}
	})
}

// The link to a consent is for the one whose probe needed it, and opens the account of
// whoever follows it.
func TestConsentOfAProbeIsForItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		f.modern = func(_ context.Context, c *exchange.Call, _ exchange.Sink) error {
			time.Sleep(time.Millisecond)
			return &exchange.Error{Code: exchange.ConsentNeeded, Message: "agree first", Data: map[string]any{"url": c.Caller.ID}}
		}
		c := client{t: t, up: facing(t, f, era.Options{})}
		var all sync.WaitGroup
		for _, who := range []string{"ann", "bob", "cem", "ann"} {
			all.Go(func() {
				call := c.modern("1", "tools/list", "")
				call.Caller.ID = who
				if e := exchange.As(c.up.Call(t.Context(), call, newRecord())); e.Code != exchange.ConsentNeeded || e.Data["url"] != who {
					t.Errorf("%s got %v with the link of %v", who, e, e.Data["url"])
				}
			})
		}
		all.Wait()
	})
}

func TestForcedEraIsNotProbed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		probed := false
		f.modern = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			probed = true
			return finish(c.Message, out, someDiscovery)
		}
		c := client{t: t, up: facing(t, f, era.Options{Force: mcpwire.Legacy})}
		c.call("1", "tools/list", "")
		if probed || f.count() != 1 {
			t.Errorf("probed: %v, sessions: %d", probed, f.count())
		}
	})
}

func TestHandshakeThatFailsForItsOwnReasons(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &refusing{fake: fake{legacy: echoing("{}").legacy}}
		c := client{t: t, up: era.New(f, era.Options{})}
		defer func() { _ = c.up.Close(context.Background()) }()
		r := newRecord()
		s, err := c.up.Initialize(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`), r)
		if s != nil || err != nil {
			t.Errorf("got %v, %v", s, err)
		}
		same(t, "the server's own words", at(t, r.last(t), "error", "message"), `"not today"`)
		r = newRecord()
		if err := c.up.Call(t.Context(), c.modern("2", "tools/list", ""), r); err != nil {
			t.Fatal(err)
		}
		same(t, "for a modern client", at(t, r.last(t), "error", "message"), `"not today"`)
		same(t, "with its id", at(t, r.last(t), "id"), `2`)
	})
}

// refusing answers every handshake with an error.
type refusing struct{ fake }

func (f *refusing) Initialize(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	return nil, fail(c.Message, out, -32603, "not today", "")
}
