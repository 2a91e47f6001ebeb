package writeback

import "crypto/sha256"

// tree computes an RFC 6962 Merkle tree hash over leaves that arrive one by one,
// holding one hash per level.
type tree struct {
	stack []subtree
}

type subtree struct {
	size int
	hash [32]byte
}

// leafHash is the RFC 6962 hash of one leaf.
func leafHash(data []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(data)
	var out [32]byte
	h.Sum(out[:0])
	return out
}

func nodeHash(left, right [32]byte) [32]byte {
	var b [65]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

// add appends a leaf hash; equal neighbours on the stack are joined.
func (t *tree) add(leaf [32]byte) {
	t.stack = append(t.stack, subtree{1, leaf})
	for n := len(t.stack); n >= 2 && t.stack[n-1].size == t.stack[n-2].size; n = len(t.stack) {
		joined := subtree{t.stack[n-1].size * 2, nodeHash(t.stack[n-2].hash, t.stack[n-1].hash)}
		t.stack = append(t.stack[:n-2], joined)
	}
}

// root is the tree hash; of nothing it is SHA-256 of the empty string.
func (t *tree) root() [32]byte {
	if len(t.stack) == 0 {
		return sha256.Sum256(nil)
	}
	h := t.stack[len(t.stack)-1].hash
	for i := len(t.stack) - 2; i >= 0; i-- {
		h = nodeHash(t.stack[i].hash, h)
	}
	return h
}
