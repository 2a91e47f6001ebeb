package httpdial

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	b := breaker{now: func() time.Time { return now }}
	admitted := func() bool { _, ok := b.admit(); return ok }
	for i := range tolerated {
		if !admitted() {
			t.Fatalf("refused after %d failures; %d are tolerated", i, tolerated)
		}
		if opened := b.failed(); opened != (i == tolerated-1) {
			t.Fatalf("failure %d: opened is %v", i+1, opened)
		}
	}
	if admitted() {
		t.Fatal("it is open and lets a call through")
	}
	b.failed() // of a call that was under way: it must not make the pause longer
	now = now.Add(firstPause)
	if !admitted() {
		t.Fatal("the pause is over and nobody may try")
	}
	if admitted() {
		t.Fatal("two try at once")
	}
	b.unknown()
	if !admitted() {
		t.Fatal("a try that told nothing blocks the next")
	}
	longest := time.Duration(0)
	for range 20 {
		b.failed()
		wait, ok := b.admit()
		if ok || wait > longPause {
			t.Fatalf("after another failure: wait %v, admitted %v", wait, ok)
		}
		longest = max(longest, wait)
		now = now.Add(wait)
		if !admitted() {
			t.Fatal("the pause is over and nobody may try")
		}
	}
	if longest < longPause/2 {
		t.Errorf("the longest pause was %v; want up to %v", longest, longPause)
	}
	b.reached()
	for range 10 {
		if !admitted() {
			t.Fatal("it answered and calls are refused")
		}
	}
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "localhost": true, "api.localhost.": true, "10.1.2.3": true, "192.168.0.1": true, "172.16.0.1": true,
		"169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true, "::1": true, "fe80::1%eth0": true, "fd00::1": true,
		"::ffff:127.0.0.1": true, "64:ff9b::7f00:1": true, "224.0.0.1": true, "255.255.255.255": true,
		"8.8.8.8": false, "2606:4700::1111": false, "example.com": false, "172.32.0.1": false,
	} {
		if got := private(host); got != want {
			t.Errorf("private(%q) is %v", host, got)
		}
	}
	guard := guardFor("example.com", false)
	if guard("tcp", "10.0.0.1:443", nil) == nil || guard("tcp", "[::1]:443", nil) == nil {
		t.Error("a public name may resolve to a private address")
	}
	if err := guard("tcp", "8.8.8.8:443", nil); err != nil {
		t.Error(err)
	}
	if guardFor("127.0.0.1", false) != nil || guardFor("example.com", true) != nil {
		t.Error("what was allowed is guarded")
	}
}
