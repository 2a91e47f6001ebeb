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
