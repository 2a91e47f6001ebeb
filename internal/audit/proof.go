package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// Proof shows, without the database, that records were in the log when a checkpoint
// was signed.
type Proof struct {
	V          int      `json:"v"`
	Type       string   `json:"type"` // sluice-audit-proof
	Subject    string   `json:"subject"`
	Records    []Proven `json:"records"`
	Checkpoint Signed   `json:"signed_checkpoint"`
}

// Proven is one record with the RFC 6962 audit path from its leaf to the root that
// the checkpoint states for its chain.
type Proven struct {
	Chain  string          `json:"chain"`
	Seq    int64           `json:"seq"`  // the leaf's index is seq-1
	Size   int64           `json:"size"` // of the tree
	Path   []Hash          `json:"path"`
	Record json.RawMessage `json:"record"`
}

// Prover computes audit paths for some leaves of one tree while all its leaves pass
// by once; it keeps O(wanted · log n) hashes.
type Prover struct {
	size   int64
	want   []int64
	needed map[node]*Hash
	stack  []node
	hashes []Hash
}

// node is a perfect subtree: 2^level leaves from index<<level on.
type node struct {
	level int
	index int64
}

// NewProver proves the leaves with these indices in a tree of size leaves.
func NewProver(size int64, want []int64) *Prover {
	p := &Prover{size: size, want: want, needed: map[node]*Hash{}}
	for _, i := range want {
		for level := 0; int64(1)<<level < size; level++ {
			p.needed[node{level, (i >> level) ^ 1}] = nil
		}
	}
	return p
}

// Add takes the next leaf.
func (p *Prover) Add(leaf Hash) {
	n := node{0, 0}
	if last := len(p.stack) - 1; last >= 0 {
		n.index = (p.stack[last].index + 1) << p.stack[last].level
	}
	p.keep(n, leaf)
	p.stack, p.hashes = append(p.stack, n), append(p.hashes, leaf)
	for last := len(p.stack) - 1; last >= 1 && p.stack[last].level == p.stack[last-1].level; last = len(p.stack) - 1 {
		up := node{p.stack[last].level + 1, p.stack[last].index >> 1}
		h := join(p.hashes[last-1], p.hashes[last])
		p.keep(up, h)
		p.stack, p.hashes = append(p.stack[:last-1], up), append(p.hashes[:last-1], h)
	}
}

func (p *Prover) keep(n node, h Hash) {
	if _, ok := p.needed[n]; ok {
		p.needed[n] = &h
	}
}

// Path returns the audit path of a wanted leaf, after the last leaf.
func (p *Prover) Path(i int64) []Hash {
	path := []Hash{}
	for level := 0; int64(1)<<level < p.size; level++ {
		sibling := node{level, (i >> level) ^ 1}
		start := sibling.index << level
		switch {
		case start >= p.size: // the right edge: nothing beside it
		case p.needed[sibling] != nil:
			path = append(path, *p.needed[sibling])
		default:
			path = append(path, p.edge(start))
		}
	}
	return path
}

// edge is the hash of the leaves from start to the end, which are fewer than their
// subtree would hold.
func (p *Prover) edge(start int64) Hash {
	at := len(p.stack) - 1
	h := p.hashes[at]
	for at--; at >= 0 && p.stack[at].index<<p.stack[at].level >= start; at-- {
		h = join(p.hashes[at], h)
	}
	return h
}

// rootFrom recomputes the root from a leaf and its path (RFC 9162, 2.1.3.2).
func rootFrom(leaf Hash, index, size int64, path []Hash) (Hash, error) {
	bad := errors.New("the audit path does not fit the tree")
	if index < 0 || index >= size {
		return Hash{}, bad
	}
	inner := bits.Len64(uint64(index ^ (size - 1)))
	h := leaf
	if want := inner + bits.OnesCount64(uint64(index>>inner)); len(path) != want {
		return Hash{}, bad
	}
	for i, sibling := range path {
		if i < inner && index>>i&1 == 0 {
			h = join(h, sibling)
		} else {
			h = join(sibling, h)
		}
	}
	return h, nil
}

// Check verifies a proof with nothing but itself. The caller compares the key's id
// with the one it trusts.
func (p *Proof) Check() error {
	s := &p.Checkpoint
	if p.Type != "sluice-audit-proof" || p.V != 1 {
		return errors.New("this is not a proof of this version")
	}
	if !s.Valid(s.Public) {
		return errors.New("the checkpoint's signature does not fit its key")
	}
	if len(p.Records) == 0 {
		return errors.New("the proof holds no record")
	}
	heads := map[string]Head{}
	for _, h := range s.Checkpoint.Heads {
		heads[h.Chain] = h
	}
	for _, r := range p.Records {
		body := jsontext.Value(bytes.Clone(r.Record))
		if err := body.Canonicalize(); err != nil {
			return fmt.Errorf("record %d of chain %s is not JSON", r.Seq, r.Chain)
		}
		id, ok := stampOf(body)
		if !ok || string(id.chain) != r.Chain || id.seq != r.Seq {
			return fmt.Errorf("record %d of chain %s is not the record it claims to be", r.Seq, r.Chain)
		}
		h, ok := heads[r.Chain]
		if !ok || h.Size != r.Size {
			return fmt.Errorf("the checkpoint does not cover record %d of chain %s", r.Seq, r.Chain)
		}
		root, err := rootFrom(Leaf(body), r.Seq-1, r.Size, r.Path)
		if err != nil || root != h.Root {
			return fmt.Errorf("record %d of chain %s is not in the tree that the checkpoint signed", r.Seq, r.Chain)
		}
	}
	return nil
}
