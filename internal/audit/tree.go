package audit

import (
	"crypto/sha256"
	"errors"
	"math/bits"
)

// Tree is the frontier of an RFC 6962 Merkle tree: the roots of its perfect
// subtrees, largest first. Adding a leaf and taking the root cost O(log n), and so
// does keeping it.
type Tree struct {
	size  int64
	nodes []Hash // one per bit of size
}

// Leaf is the RFC 6962 hash of one record.
func Leaf(body []byte) Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(body)
	return Hash(h.Sum(nil))
}

func join(left, right Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// Add appends a leaf. A set bit at the end of the old size is a subtree that the
// new leaf completes.
func (t *Tree) Add(leaf Hash) {
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.nodes) - 1
		leaf = join(t.nodes[last], leaf)
		t.nodes = t.nodes[:last]
	}
	t.nodes = append(t.nodes, leaf)
	t.size++
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Root is the tree's hash; of no leaves it is SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if len(t.nodes) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.nodes[len(t.nodes)-1]
	for i := len(t.nodes) - 2; i >= 0; i-- {
		h = join(t.nodes[i], h)
	}
	return h
}

// Frontier is the tree as it is stored beside its size.
func (t *Tree) Frontier() []byte {
	out := make([]byte, 0, len(t.nodes)*sha256.Size)
	for _, n := range t.nodes {
		out = append(out, n[:]...)
	}
	return out
}

// TreeOf is the inverse of Frontier.
func TreeOf(size int64, frontier []byte) (*Tree, error) {
	if size < 0 || len(frontier) != bits.OnesCount64(uint64(size))*sha256.Size {
		return nil, errors.New("the stored tree of an audit chain is damaged")
	}
	t := &Tree{size: size}
	for ; len(frontier) > 0; frontier = frontier[sha256.Size:] {
		t.nodes = append(t.nodes, Hash(frontier[:sha256.Size]))
	}
	return t, nil
}
