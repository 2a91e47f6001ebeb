package audit_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"sluice/internal/audit"
)

// The three records whose hashes were computed independently; their members differ
// from Record's because they are the published vectors, byte for byte.
func vectorBodies() [][]byte {
	ops := []struct{ actor, kind, op string }{{"u_1", "user", "preview"}, {"t_9", "token", "dry_run"}, {"t_9", "token", "confirm"}}
	var out [][]byte
	for i, o := range ops {
		out = append(out, []byte(fmt.Sprintf(
			`{"actor":{"id":%q,"type":%q},"chain":"ws_demo","event_count":3,"op":%q,"plan":"pl_1","plan_hash":%q,"profile":"p_1","request_id":"r_%d","result":"ok","seq":%d,"ts":"2026-01-05T10:0%d:00.000Z","v":1}`,
			o.actor, o.kind, o.op, strings.Repeat("a", 64), i+1, i+1, i)))
	}
	return out
}

func TestChainMatchesTheVectors(t *testing.T) {
	t.Parallel()
	h := audit.Genesis("ws_demo")
	want := []string{
		"43f8a5bdb408f3006ae90bd4b32930dc96d66c13e3f57c3b6b25f5d48801a49a",
		"17b3cb5030a32ed395adedde52fa26fd234e44ee69a235eac26fd2c13d503e34",
		"ebdb17160f65e334b5cd62a04c57395968d53079085fb652a5423a88a96ab646",
		"c385346aba4e28ae9349b1172d533b23fe0fa1edaaad8e6ca90caa7c8657ee87",
	}
	if got := hex.EncodeToString(h[:]); got != want[0] {
		t.Fatalf("genesis %s, want %s", got, want[0])
	}
	for i, body := range vectorBodies() {
		h = audit.Next(h, body)
		if got := hex.EncodeToString(h[:]); got != want[i+1] {
			t.Errorf("h%d = %s, want %s", i+1, got, want[i+1])
		}
	}
}

// chain is a stored log in memory.
type chain struct {
	audit.Log
	links []audit.Link
}

func (c chain) Each(_ context.Context, from int64, fn func(audit.Link) error) error {
	for _, l := range c.links {
		if l.Seq < from {
			continue
		}
		if err := fn(l); err != nil {
			return err
		}
	}
	return nil
}

func built() chain {
	var c chain
	prev := audit.Genesis("ws_demo")
	for i, body := range vectorBodies() {
		prev = audit.Next(prev, body)
		c.links = append(c.links, audit.Link{Seq: int64(i + 1), Body: body, Hash: prev})
	}
	return c
}

func TestVerifyNamesTheFirstBadRecord(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tamper func(*chain)
		bad    int64
	}{
		"untouched": {func(*chain) {}, 0},
		"edited": {func(c *chain) {
			c.links[1].Body = []byte(strings.Replace(string(c.links[1].Body), "dry_run", "preview", 1))
		}, 2},
		"deleted":   {func(c *chain) { c.links = append(c.links[:1:1], c.links[2]) }, 3},
		"reordered": {func(c *chain) { c.links[0], c.links[1] = c.links[1], c.links[0] }, 2},
		"renumbered": {func(c *chain) {
			c.links[0], c.links[1] = c.links[1], c.links[0]
			c.links[0].Seq, c.links[1].Seq = 1, 2
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := built()
			tt.tamper(&c)
			v, err := audit.Verify(context.Background(), "ws_demo", c)
			if err != nil {
				t.Fatal(err)
			}
			if v.OK != (tt.bad == 0) || v.BadSeq != tt.bad {
				t.Errorf("got ok=%v bad=%d (%s), want bad=%d", v.OK, v.BadSeq, v.Problem, tt.bad)
			}
		})
	}
}
