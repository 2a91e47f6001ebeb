package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/audit"
)

var at = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

// The three records whose hashes were computed independently; their members differ
// from Record's because they are the published vectors, byte for byte.
func vectorBodies() [][]byte {
	ops := []struct{ actor, kind, op string }{{"u_1", "user", "preview"}, {"t_9", "token", "dry_run"}, {"t_9", "token", "confirm"}}
	var out [][]byte
	for i, o := range ops {
		out = append(out, fmt.Appendf(nil,
			`{"actor":{"id":%q,"type":%q},"chain":"ws_demo","event_count":3,"op":%q,"plan":"pl_1","plan_hash":%q,"profile":"p_1","request_id":"r_%d","result":"ok","seq":%d,"ts":"2026-01-05T10:0%d:00.000Z","v":1}`,
			o.actor, o.kind, o.op, strings.Repeat("a", 64), i+1, i+1, i))
	}
	return out
}

func TestChainAndTreeMatchTheVectors(t *testing.T) {
	t.Parallel()
	h := audit.Genesis("ws_demo")
	want := []string{
		"43f8a5bdb408f3006ae90bd4b32930dc96d66c13e3f57c3b6b25f5d48801a49a",
		"17b3cb5030a32ed395adedde52fa26fd234e44ee69a235eac26fd2c13d503e34",
		"ebdb17160f65e334b5cd62a04c57395968d53079085fb652a5423a88a96ab646",
		"c385346aba4e28ae9349b1172d533b23fe0fa1edaaad8e6ca90caa7c8657ee87",
	}
	if got := h.Hex(); got != want[0] {
		t.Fatalf("genesis %s, want %s", got, want[0])
	}
	var tree audit.Tree
	for i, body := range vectorBodies() {
		h = audit.Next(h, body)
		tree.Add(audit.Leaf(body))
		if got := h.Hex(); got != want[i+1] {
			t.Errorf("h%d = %s, want %s", i+1, got, want[i+1])
		}
	}
	root := tree.Root()
	if got := root.Hex(); got != "d8f459f32742199743c9dbe354705fc3673483c844458d113491fe48b46c5e77" {
		t.Errorf("root %s", got)
	}
}

// chainOf builds n records of one chain and a checkpoint after every step.
func chainOf(t *testing.T, n, step int) ([]audit.Link, []audit.Signed, ed25519.PrivateKey) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	var links []audit.Link
	var signed []audit.Signed
	var tree audit.Tree
	prev := audit.Genesis("st_1")
	for i := 1; i <= n; i++ {
		body, err := audit.Encode("st_1", int64(i), at.Add(time.Duration(i)*time.Second), audit.Record{Op: "preview", Plan: fmt.Sprintf("pl_%d", i), Result: "a \"quoted\" seq"})
		if err != nil {
			t.Fatal(err)
		}
		hash := audit.Next(prev, body)
		links = append(links, audit.Link{Chain: "st_1", Seq: int64(i), Body: body, Prev: slices.Clone(prev[:]), Hash: hash})
		tree.Add(audit.Leaf(body))
		prev = hash
		if i%step != 0 {
			continue
		}
		c := audit.Checkpoint{Log: "st_1", No: int64(len(signed) + 1), Heads: []audit.Head{{Chain: "st_1", Size: int64(i), Hash: hash, Root: tree.Root()}}}
		if len(signed) > 0 {
			c.Prev = signed[len(signed)-1].Hash()
		}
		s, err := audit.Sign(c, at, key)
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, *s)
	}
	return links, signed, key
}

func keysOf(key ed25519.PrivateKey) []audit.Key {
	public := key.Public().(ed25519.PublicKey)
	return []audit.Key{{ID: audit.KeyID(public), Public: public}}
}

// relink computes hashes anew from a record on, as somebody would who owns the
// database.
func relink(links []audit.Link, from int) {
	prev := audit.Genesis("st_1")
	if from > 0 {
		prev = links[from-1].Hash
	}
	for i := from; i < len(links); i++ {
		links[i].Prev = slices.Clone(prev[:])
		prev = audit.Next(prev, links[i].Body)
		links[i].Hash = prev
	}
}

func edit(l *audit.Link) { l.Body = bytes.Replace(l.Body, []byte("preview"), []byte("confirm"), 1) }

func TestVerifyNamesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tamper func(links []audit.Link, stored, exported []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed)
		kind   string
		seq    int64
	}{
		"edited": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			edit(&l[6])
			return l, s, e
		}, "edited", 7},
		"edited with its hash": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			edit(&l[6])
			l[6].Hash = audit.Next(audit.Hash(l[6].Prev), l[6].Body)
			return l, s, e
		}, "edited", 8},
		"written anew from a record on": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			edit(&l[6])
			relink(l, 6)
			return l, s, e
		}, "rewritten", 6},
		"written anew, stored checkpoints gone": {func(l []audit.Link, _, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			edit(&l[6])
			relink(l, 6)
			return l, nil, e
		}, "rewritten", 6},
		"deleted": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			return slices.Delete(l, 2, 3), s, e
		}, "missing", 3},
		"swapped": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			l[2].Body, l[3].Body = l[3].Body, l[2].Body
			l[2].Hash, l[3].Hash = l[3].Hash, l[2].Hash
			return l, s, e
		}, "misplaced", 3},
		"tail cut off": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			return l[:8], s, e
		}, "truncated", 9},
		"tail and stored checkpoint cut off": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			return l[:8], s[:1], e
		}, "truncated", 9},
		"everything gone": {func(_ []audit.Link, _, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			return nil, nil, e
		}, "truncated", 1},
		"a stored checkpoint removed": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			return l, s[1:], e
		}, "checkpoint", 0},
		"a checkpoint signed by somebody else": {func(l []audit.Link, s, e []audit.Signed) ([]audit.Link, []audit.Signed, []audit.Signed) {
			c := s[1].Checkpoint
			other, err := audit.Sign(c, at, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
			if err != nil {
				panic(err)
			}
			s[1] = *other
			return l, s, nil
		}, "checkpoint", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			links, signed, key := chainOf(t, 12, 5)
			l, stored, exported := tt.tamper(links, slices.Clone(signed), slices.Clone(signed))
			v := audit.NewVerifier("st_1", keysOf(key))
			v.Checkpoints(stored, exported)
			for _, k := range l {
				v.Add(k)
			}
			got := v.Result()
			if got.OK || got.Problems[0].Kind != tt.kind || got.BadSeq != tt.seq {
				t.Errorf("got ok=%v %+v, want %s at %d", got.OK, got.Problems, tt.kind, tt.seq)
			}
		})
	}
}

func TestAnUntouchedLogVerifies(t *testing.T) {
	t.Parallel()
	links, signed, key := chainOf(t, 12, 5)
	v := audit.NewVerifier("st_1", keysOf(key))
	v.Checkpoints(signed, signed)
	for _, l := range links {
		v.Add(l)
	}
	got := v.Result()
	if !got.OK || got.Records != 12 || got.Unsigned != 2 || len(got.Warnings) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAClockThatWentBackIsToldAndBreaksNothing(t *testing.T) {
	t.Parallel()
	prev := audit.Genesis("st_1")
	v := audit.NewVerifier("st_1", nil)
	for i, when := range []time.Time{at, at.Add(time.Hour), at.Add(time.Minute)} {
		body, err := audit.Encode("st_1", int64(i+1), when, audit.Record{Op: "preview"})
		if err != nil {
			t.Fatal(err)
		}
		l := audit.Link{Chain: "st_1", Seq: int64(i + 1), Body: body, Hash: audit.Next(prev, body)}
		prev = l.Hash
		v.Add(l)
	}
	if got := v.Result(); !got.OK || len(got.Warnings) != 1 || got.Warnings[0].Seq != 3 {
		t.Errorf("%+v", got)
	}
}

func TestEveryRecordOfEverySizeCanBeProven(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 33; n++ {
		links, signed, key := chainOf(t, n, n)
		want := make([]int64, n)
		for i := range want {
			want[i] = int64(i)
		}
		p := audit.NewProver(int64(n), want)
		for _, l := range links {
			p.Add(audit.Leaf(l.Body))
		}
		proof := audit.Proof{V: 1, Type: "sluice-audit-proof", Checkpoint: signed[0]}
		for i, l := range links {
			proof.Records = append(proof.Records, audit.Proven{Chain: "st_1", Seq: l.Seq, Size: int64(n), Path: p.Path(int64(i)), Record: l.Body})
		}
		text, err := json.MarshalIndent(proof, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		var read audit.Proof
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if err := read.Check(); err != nil {
			t.Fatalf("size %d: %v", n, err)
		}
		read.Records[n/2].Record = bytes.Replace(read.Records[n/2].Record, []byte("preview"), []byte("confirm"), 1)
		if err := read.Check(); err == nil {
			t.Fatalf("size %d: a changed record passes", n)
		}
		_ = key
	}
}

func TestAnExportVerifiesAndTellsAnEdit(t *testing.T) {
	t.Parallel()
	links, signed, _ := chainOf(t, 12, 5)
	write := func(links []audit.Link) []byte {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, l := range links {
			if err := enc.Encode(audit.LineOf(l)); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range signed {
			if err := enc.Encode(s); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	verify := func(text []byte) audit.Verification {
		v, err := audit.VerifyExport(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := verify(write(links)); !v.OK || v.Records != 12 || v.Exported != 2 {
		t.Errorf("whole: %+v", v)
	}
	if v := verify(write(links[7:])); !v.OK || v.Records != 5 || v.Chains[0].First != 8 {
		t.Errorf("from record 8: %+v", v)
	}
	edit(&links[9])
	if v := verify(write(links)); v.OK || v.BadSeq != 10 {
		t.Errorf("edited: %+v", v)
	}
}

func TestAnExportFileSurvivesACutLine(t *testing.T) {
	t.Parallel()
	_, signed, _ := chainOf(t, 15, 5)
	f := audit.File{Path: filepath.Join(t.TempDir(), "state.checkpoints.jsonl")}
	if err := f.Append(signed[:2]); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path, text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if list, _, err := f.Read("st_1"); err != nil || len(list) != 1 {
		t.Fatalf("%d checkpoints, %v", len(list), err)
	}
	if err := f.Append(signed[2:]); err != nil {
		t.Fatal(err)
	}
	list, damaged, err := f.Read("st_1")
	if err != nil || len(list) != 2 || damaged != 1 || list[1].Checkpoint.No != 3 {
		t.Errorf("%d checkpoints, %d damaged, %v", len(list), damaged, err)
	}
	if other, _, _ := f.Read("st_2"); len(other) != 0 {
		t.Error("the checkpoints of another log were read")
	}
}

func TestATreeIsTheSameAfterBeingStored(t *testing.T) {
	t.Parallel()
	var tree audit.Tree
	for i := range 100 {
		tree.Add(audit.Leaf([]byte{byte(i)}))
		again, err := audit.TreeOf(tree.Size(), tree.Frontier())
		if err != nil || again.Root() != tree.Root() {
			t.Fatalf("size %d: %v", i+1, err)
		}
	}
	if _, err := audit.TreeOf(3, tree.Frontier()[:32]); err == nil {
		t.Error("a damaged tree was taken")
	}
	empty := audit.Tree{}
	if got := empty.Root(); hex.EncodeToString(got[:4]) != "e3b0c442" {
		t.Errorf("empty root %x", got[:4])
	}
}

func TestANodeKeepsItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := audit.Node(dir, at)
	if err != nil || a == "" {
		t.Fatal(err)
	}
	if b, err := audit.Node(dir, at.Add(time.Hour)); err != nil || a != b {
		t.Errorf("%s became %s, %v", a, b, err)
	}
}
