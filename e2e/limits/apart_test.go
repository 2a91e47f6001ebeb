package limits

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// TestParkedHereApprovedThereRepeatedElsewhere has a call wait at one node, be approved at
// another and be repeated at the third, several times at once: it is executed once. The
// legacy client's session is the one that it opened at the first.
func TestParkedHereApprovedThereRepeatedElsewhere(t *testing.T) {
	t.Parallel()
	how, _ := stores[1].begin(t)
	up := mcptest.NewServer(t, "offer")
	c := nodes(t, 3, how, "mcp:\n  servers:\n    crm: {url: \""+up.URL+"\"}\n")
	token := c.admit(t, "crm", `{"version":"1","default":"deny","tools":{"offer":{"approve_if":[{"conditions":[],"wait_seconds":0}]}}}`)
	for i, version := range []string{mcptest.Legacy, mcptest.Modern} {
		client := mcptest.NewClient(t, c.gates[0].URL+"/mcp/crm", token, version)
		arguments := fmt.Sprintf(`{"customer":%d,"discount":0.1}`, i)
		parked := client.Call(t.Context(), t, "offer", arguments)
		if parked.Policy.Code != "approval_pending" {
			t.Fatalf("%s: the call should wait: %v", version, parked)
		}
		c.approve(t, 1, parked.Policy.Approval)
		client.URL = c.gates[2].URL + "/mcp/crm"
		answers := make([]*mcptest.Answer, 8)
		var wg sync.WaitGroup
		for k := range answers {
			wg.Go(func() {
				a, err := client.Try(t.Context(), client.Request("tools/call", `"name":"offer","arguments":`+arguments), client.Headers("tools/call", "offer"))
				if err != nil {
					t.Error(err)
					a = &mcptest.Answer{}
				}
				answers[k] = a
			})
		}
		wg.Wait()
		executed := 0
		for _, a := range answers {
			switch {
			case a.Allowed():
				executed++
			case a.Policy.Code != "approval_pending" || a.Policy.Approval == parked.Policy.Approval:
				t.Errorf("%s: a repetition after the one that was approved: %v", version, a)
			}
		}
		if got := up.Calls(); executed != 1 || len(got) != 1 {
			t.Errorf("%s: %d were told that it was executed, and the server got %d calls", version, executed, len(got))
		}
	}
}

// TestACallIsHeldHereAndApprovedThere has a call wait for its person at one node while
// another node is told, and once the node that holds it dies: what was approved is then
// executed where it is repeated.
func TestACallIsHeldHereAndApprovedThere(t *testing.T) {
	t.Parallel()
	how, _ := stores[1].begin(t)
	up := mcptest.NewServer(t, "held")
	c := nodes(t, 2, how, "mcp:\n  servers:\n    crm: {url: \""+up.URL+"\"}\n")
	token := c.admit(t, "crm", `{"version":"1","default":"deny","tools":{"held":{"approve_if":[{"conditions":[],"wait_seconds":25}]}}}`)
	for _, dies := range []bool{false, true} {
		client := mcptest.NewClient(t, c.gate(0).URL+"/mcp/crm", token, mcptest.Modern)
		arguments := fmt.Sprintf(`{"dies":%t}`, dies)
		send := func() (*mcptest.Answer, error) {
			return client.Try(t.Context(), client.Request("tools/call", `"name":"held","arguments":`+arguments), client.Headers("tools/call", "held"))
		}
		var answer *mcptest.Answer
		var failed error
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			answer, failed = send()
		}()
		id := c.pending(t, 1)
		if dies {
			c.gate(0).Kill()
			<-answered
			if failed == nil {
				t.Errorf("the node that held the call was killed, and its client was told %v", answer)
			}
			client.URL = c.gate(1).URL + "/mcp/crm"
			c.approve(t, 1, id)
			answer, failed = send()
		} else {
			c.approve(t, 1, id)
			<-answered
		}
		if got := up.Calls(); failed != nil || !answer.Allowed() || len(got) != 1 {
			t.Errorf("with a node that dies %t: %v %v, and the server got %d calls", dies, answer, failed, len(got))
		}
	}
}

// pending is the one call that waits, as a node sees it as soon as there is one.
func (c *cluster) pending(t *testing.T, node int) (id string) {
	t.Helper()
	until(t, "a call waits", func() bool {
		var list []struct {
			ID string `json:"approval_id"`
		}
		if c.gate(node).Run.JSON(t, &list, "approvals", "list", "--state", "pending"); len(list) > 0 {
			id = list[0].ID
		}
		return id != ""
	})
	return id
}

// until asks again until it is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("never: " + what)
		}
	}
}

// approve approves through the API of a node.
func (c *cluster) approve(t *testing.T, node int, id string) {
	t.Helper()
	owner, err := os.ReadFile(filepath.Join(c.gate(node).State, "owner-token"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.gate(node).URL+"/api/v1/approvals/"+id+"/decision",
		strings.NewReader(`{"decision":"approve","reason":"agreed"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(owner)))
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("approving at node %d: %d %s", node, resp.StatusCode, text)
	}
}

// TestANodeIsKilledMidStream kills one of three nodes while it streams an answer and others
// make calls through all: its client gets an error, everybody else goes on, the limit is
// exact, and what was under way is ambiguous.
func TestANodeIsKilledMidStream(t *testing.T) {
	t.Parallel()
	const calls, most = 600, 300
	how, bury := stores[1].begin(t)
	up := newServer(t)
	up.First(func(w http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
		if m.Params.Name == "held-stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"begun"}}`+"\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		return false
	})
	c := nodes(t, 3, how, "mcp:\n  servers:\n    crm: {url: \""+up.URL+"\"}\n")
	c.up = up
	token := c.admit(t, "crm", limit(most))

	stream := c.stream(t, token, "held-stream")
	var wg sync.WaitGroup
	var n tally
	var sent sync.Mutex
	next := 0
	for k := range 16 {
		client := mcptest.NewClient(t, c.url+"/mcp/crm", token, []string{mcptest.Modern, mcptest.Legacy}[k%2])
		wg.Go(func() {
			for {
				sent.Lock()
				next++
				number := next
				sent.Unlock()
				if number > calls {
					return
				}
				a, err := call(t.Context(), client, fmt.Sprintf("call-%d", number))
				if err == nil && a.Status == http.StatusBadGateway && strings.TrimSpace(a.Body) == "" { // the balancer's
					err = fmt.Errorf("cut off")
				}
				n.add(a, err)
			}
		})
	}
	up.await(t, up.count(), most/4)
	c.gate(0).Kill()
	if rest, err := io.ReadAll(stream); err == nil && !bytes.Contains(rest, []byte(`"error"`)) {
		t.Errorf("the stream of the killed node ended as if it were whole: %q", rest)
	}
	wg.Wait()
	if a := n.wrong.Load(); a != nil {
		t.Errorf("an answer that is neither yes nor no: %v", a)
	}
	if n.lost.Load() > 16 || n.denied.Load() == 0 {
		t.Errorf("%d calls were lost, %d denied", n.lost.Load(), n.denied.Load())
	}
	arrived := up.arrived(t)
	for i := range 2 {
		if err := c.gate(i + 1).Stop(); err != nil {
			t.Error(err)
		}
	}
	bury()
	run := c.gate(1).Run
	run("limits", "ambiguous")
	l := readLog(t, run)
	l.covers(t, arrived)
	if len(l.admitted) != most || len(arrived) > most {
		t.Errorf("%d calls were admitted and %d reached the server, want %d and no more", len(l.admitted), len(arrived), most)
	}
	if l.outcomes["held-stream"].Settlement != "ambiguous" {
		t.Errorf("the end of the streamed call is %+v", l.outcomes["held-stream"])
	}
	t.Logf("%d lost, %d ambiguous", n.lost.Load(), len(l.ambiguous()))
}

// stream makes a call through the first node and returns what follows its first event.
func (c *cluster) stream(t *testing.T, token, tool string) io.Reader {
	t.Helper()
	client := &mcptest.Client{Version: mcptest.Modern}
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, c.gate(0).URL+"/mcp/crm",
		strings.NewReader(client.Request("tools/call", `"name":"`+tool+`","arguments":{}`)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = client.Headers("tools/call", tool)
	for k, v := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"MCP-Protocol-Version": mcptest.Modern} {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	buffer := make([]byte, 1<<10)
	n, err := resp.Body.Read(buffer)
	if err != nil || !bytes.Contains(buffer[:n], []byte("begun")) {
		t.Fatalf("the stream begins with %q: %v", buffer[:n], err)
	}
	return resp.Body
}
