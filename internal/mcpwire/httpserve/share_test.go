package httpserve

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// labels seals by writing the purpose before the text: what is tested here is what is
// sealed for whom.
type labels struct{}

func (labels) Seal(plain []byte, purpose string) []byte {
	return append([]byte(purpose+"\x00\x00"), plain...)
}

func (labels) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(purpose+"\x00\x00"))
	if !ok {
		return nil, errors.New("of another purpose")
	}
	return plain, nil
}

// keeper is an upstream that keeps sessions: those that were opened and joined, and what
// came in them, in order.
type keeper struct {
	mu     sync.Mutex
	said   []string
	opened int
	shares bool
}

func (k *keeper) say(what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.said = append(k.said, what)
}

func (k *keeper) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	said := k.said
	k.said = nil
	return said
}

// upstream is one process's way to it.
func (k *keeper) upstream() *fake {
	return &fake{initialize: func(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
		shared := exchange.SharedIn(ctx)
		id := shared.Of("keeper")
		switch {
		case id != "":
			k.say("join " + id)
		case k.shares:
			k.mu.Lock()
			k.opened++
			id = "s" + strconv.Itoa(k.opened)
			k.mu.Unlock()
			shared.Set("keeper", id)
			k.say("open " + id)
		default:
			k.say("open for " + string(c.Message.Bytes(mcpwire.Lookup(c.Message.Raw, c.Message.Params, "capabilities"))))
		}
		s := &fakeSession{fake: fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
			k.say(c.Message.Method + " in " + id)
			return echo(ctx, c, out)
		}, notify: func(ctx context.Context, c *exchange.Call) error {
			if k.shares && exchange.StandIn(ctx) {
				return nil
			}
			k.say(c.Message.Method + " in " + id)
			return nil
		}}}
		return s, out.Send(exchange.Event{Final: true,
			Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(`{"protocolVersion":"2025-06-18","capabilities":{}}`))})
	}}
}

// nodes are processes with the same sealer before one server.
func nodes(t *testing.T, k *keeper, n int) (urls []string) {
	for range n {
		url, _ := endpoint(t, Options{Upstream: k.upstream(), Server: "crm", Authenticate: authenticate, Sealer: labels{}})
		urls = append(urls, url)
	}
	return urls
}

const readyBody = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

func TestAnotherProcessGoesOnWithASession(t *testing.T) {
	t.Parallel()
	k := &keeper{shares: true}
	urls := nodes(t, k, 3)
	in := open(t, urls[0], "Authorization", "ada")
	if resp, body := post(t, urls[1], readyBody, in); resp.StatusCode != 202 {
		t.Fatalf("the second process: %d %s", resp.StatusCode, body)
	}
	for i, url := range []string{urls[2], urls[0], urls[1]} {
		if resp, body := post(t, url, legacyCall("1", "tools/list"), in); resp.StatusCode != 200 {
			t.Errorf("call %d: %d %s", i, resp.StatusCode, body)
		}
	}
	want := []string{"open s1", "join s1", "notifications/initialized in s1", "join s1", "tools/list in s1", "tools/list in s1", "tools/list in s1"}
	if got := k.all(); !slices.Equal(got, want) {
		t.Errorf("the server was told %q", got)
	}
}

func TestASessionThatCannotBeSharedIsOpenedAsTheClientDid(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	urls := nodes(t, k, 2)
	in := open(t, urls[0], "Authorization", "ada")
	post(t, urls[0], readyBody, in)
	for range 2 {
		if resp, body := post(t, urls[1], legacyCall("1", "tools/list"), in); resp.StatusCode != 200 {
			t.Fatalf("the second process: %d %s", resp.StatusCode, body)
		}
	}
	post(t, urls[0], legacyCall("2", "tools/list"), in)
	want := []string{"open for {}", "notifications/initialized in ", "open for {}", "notifications/initialized in ", "tools/list in ", "tools/list in ", "tools/list in "}
	if got := k.all(); !slices.Equal(got, want) {
		t.Errorf("the server was told %q", got)
	}
}

func TestTheFirstProcessHearsThatTheClientIsReadyTooLate(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	urls := nodes(t, k, 2)
	in := open(t, urls[0], "Authorization", "ada")
	post(t, urls[1], readyBody, in)
	k.all()
	post(t, urls[0], legacyCall("1", "tools/list"), in)
	if got, want := k.all(), []string{"notifications/initialized in ", "tools/list in "}; !slices.Equal(got, want) {
		t.Errorf("the server was told %q", got)
	}
}

func TestASharedSessionIsItsCallersOwn(t *testing.T) {
	t.Parallel()
	k := &keeper{shares: true}
	urls := nodes(t, k, 2)
	in := open(t, urls[0], "Authorization", "ada")
	foreign := slices.Clone(in)
	foreign[len(foreign)-1] = "bob"
	forged := slices.Clone(in)
	forged[1] = strings.Replace(in[1], in[1][10:14], "AAAA", 1)
	elsewhere, _ := endpoint(t, Options{Upstream: k.upstream(), Server: "other", Authenticate: authenticate, Sealer: labels{}})
	k.all()
	for name, at := range map[string]struct {
		url string
		h   pairs
	}{"another caller": {urls[1], foreign}, "another server": {elsewhere, in}, "a forged id": {urls[1], forged}} {
		if resp, body := post(t, at.url, legacyCall("1", "tools/list"), at.h); resp.StatusCode != 404 || !strings.Contains(body, "upstream_session_lost") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
	if got := k.all(); len(got) != 0 {
		t.Errorf("the server was told %q", got)
	}
}

func TestASessionThatItsClientEndedStaysSo(t *testing.T) {
	t.Parallel()
	k := &keeper{shares: true}
	urls := nodes(t, k, 2)
	in := open(t, urls[0], "Authorization", "ada")
	if resp := send(t.Context(), t, http.MethodDelete, urls[1], "", in); resp.StatusCode != 204 {
		t.Fatalf("DELETE at the second process: %d", resp.StatusCode)
	}
	if resp, _ := post(t, urls[1], legacyCall("1", "tools/list"), in); resp.StatusCode != 404 {
		t.Errorf("after its end: %d", resp.StatusCode)
	}
}

// TestManyRequestsJoinOnce has the first requests of a session arrive at a time.
func TestManyRequestsJoinOnce(t *testing.T) {
	t.Parallel()
	k := &keeper{shares: true}
	urls := nodes(t, k, 2)
	in := open(t, urls[0], "Authorization", "ada")
	k.all()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if resp, body := post(t, urls[1], legacyCall("1", "tools/list"), in); resp.StatusCode != 200 {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
	wg.Wait()
	counts := map[string]int{}
	for _, what := range k.all() {
		counts[what]++
	}
	if !maps.Equal(counts, map[string]int{"join s1": 1, "tools/list in s1": 32}) {
		t.Errorf("the server was told %v", counts)
	}
}

func TestAClientThatSaysTooMuchHasASessionOfOneProcess(t *testing.T) {
	t.Parallel()
	k := &keeper{shares: true}
	urls := nodes(t, k, 2)
	long := strings.Replace(initBody, `"capabilities":{}`, `"capabilities":{"experimental":{"x":"`+strings.Repeat("x", maxTicket)+`"}}`, 1)
	resp, _ := post(t, urls[0], long, append(slices.Clone(common), "Authorization", "ada"))
	in := append(pairs{"Mcp-Session-Id", resp.Header.Get("Mcp-Session-Id"), "Authorization", "ada"}, common...)
	for url, want := range map[string]int{urls[0]: 200, urls[1]: 404} {
		if resp, body := post(t, url, legacyCall("1", "tools/list"), in); resp.StatusCode != want {
			t.Errorf("%d %s, want %d", resp.StatusCode, body, want)
		}
	}
}

// TestASessionThatIdlesHereMayBeBusyThere has a session run out of time: it ends upstream
// unless other processes may be using it, and so it does not when this process ends.
func TestASessionThatIdlesHereMayBeBusyThere(t *testing.T) {
	t.Parallel()
	for _, siblings := range []bool{false, true} {
		s := &leavingSession{left: make(chan bool, 1)}
		url, _ := endpoint(t, Options{Upstream: opening(s), Sealer: labels{}, Siblings: siblings, SessionIdle: time.Millisecond})
		open(t, url)
		if left := <-s.left; left != siblings {
			t.Errorf("with siblings %v: left open %v", siblings, left)
		}
		s = &leavingSession{left: make(chan bool, 1)}
		url, h := endpoint(t, Options{Upstream: opening(s), Sealer: labels{}, Siblings: siblings})
		open(t, url)
		if err := h.Shutdown(t.Context()); err != nil || !<-s.left {
			t.Errorf("with siblings %v: a process that ends ended the session: %v", siblings, err)
		}
	}
}

// leavingSession tells whether it was closed for this process only.
type leavingSession struct {
	fakeSession
	left chan bool
}

func (s *leavingSession) Close(ctx context.Context) error {
	s.left <- exchange.Leaving(ctx)
	return nil
}
