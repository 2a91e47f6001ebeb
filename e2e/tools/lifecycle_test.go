package tools

import (
	"io"
	"maps"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// TestWriteBackSwitch: without --write-back the tools of write-back say what switches them
// on; with it the three steps run.
func TestWriteBackSwitch(t *testing.T) {
	t.Parallel()
	sale := map[string]any{
		"event_set_id": "1000000000000001", "event_name": "Purchase", "event_time": time.Now().Unix() - 3600,
		"user_data": map[string]any{"email": "customer.one@example.com", "country": "GB"}, "custom_data": map[string]any{"value": 12.5, "currency": "GBP"},
	}
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			box := meta(t) // each ledger has a dataset to itself
			off := server{box: box}.client(t, version, nil)
			for _, name := range []string{"meta_send_offline_event", "send_meta_conversions"} {
				args := sale
				if name != "meta_send_offline_event" {
					args = map[string]any{"mode": "preview", "dataset_id": "1000000000000001"}
				}
				if a := call(t, off, name, args); a.code != "writeback_disabled" || !strings.Contains(a.text, "--write-back") {
					t.Errorf("off: %s: %q %s", name, a.code, a.text)
				}
			}
			on := server{box: box, args: []string{"--write-back"}}.client(t, version, nil)
			a := call(t, on, "meta_send_offline_event", sale)
			if a.code == "first_upload_required" {
				sale := maps.Clone(sale)
				sale["first_upload"] = true
				a = call(t, on, "meta_send_offline_event", sale)
			}
			if a.code != "" || a.data["duplicate"] != false {
				t.Errorf("on: %q %s", a.code, a.text)
			}
			if a := call(t, on, "meta_send_offline_event", sale); a.code != "" || a.data["duplicate"] != true {
				t.Errorf("again: %q %s", a.code, a.text)
			}
		})
	}
}

// TestEndsInOrder: a client that closes its side gets the answers of its calls; one whose
// server is told to end gets them over HTTP, and the server ends in any case.
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such signals here")
	}
	const hello = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	const slow = `{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"meta_get_campaign","arguments":{"campaign_id":"3100000000000001"}}}` + "\n"
	t.Run("stdin is closed", func(t *testing.T) {
		t.Parallel()
		box := meta(t)
		plan(t, box, `{"kind":"latency","latency_ms":1500,"edge":"Campaign","next":-1}`)
		cmd := server{box: box}.command(t)
		cmd.Stdin = strings.NewReader(hello + slow)
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), `"id":"slow"`) || !strings.Contains(string(out), "3100000000000001") {
			t.Errorf("%v, %s", err, out)
		}
	})
	t.Run("a signal, stdio", func(t *testing.T) {
		t.Parallel()
		box := meta(t)
		plan(t, box, `{"kind":"latency","latency_ms":600000,"edge":"Campaign","next":-1}`)
		cmd := server{box: box}.command(t)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		if _, err := io.WriteString(in, hello+slow); err != nil {
			t.Fatal(err)
		}
		met(t, box)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("a signal, http", func(t *testing.T) {
		t.Parallel()
		box := meta(t)
		plan(t, box, `{"kind":"latency","latency_ms":1500,"edge":"Campaign","next":-1}`)
		p := server{box: box}.process(t)
		c := mcptest.NewClient(t, p.URL, "", mcptest.Legacy)
		answered := make(chan *mcptest.Answer, 1)
		go func() {
			defer close(answered)
			a, err := c.Try(t.Context(), c.Request("tools/call", `"name":"meta_get_campaign","arguments":{"campaign_id":"3100000000000001"}`), nil)
			if err != nil {
				t.Error(err)
				return
			}
			answered <- a
		}()
		met(t, box)
		if err := p.Stop(); err != nil {
			t.Errorf("it ended with %v", err)
		}
		if a := <-answered; a == nil || !a.Allowed() || !strings.Contains(a.Text, "3100000000000001") {
			t.Errorf("the call under way: %v", a)
		}
	})
}
