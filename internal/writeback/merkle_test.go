package writeback

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

// recursive is the definition of RFC 6962 section 2.1, word for word.
func recursive(leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leafHash(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return nodeHash(recursive(leaves[:k]), recursive(leaves[k:]))
}

func TestTreeMatchesTheDefinitionForEverySize(t *testing.T) {
	t.Parallel()
	var leaves [][]byte
	var tr tree
	for n := range 130 {
		if got, want := tr.root(), recursive(leaves); got != want {
			t.Fatalf("%d leaves: %x, want %x", n, got, want)
		}
		leaf := []byte(fmt.Sprintf("leaf %d", n))
		leaves = append(leaves, leaf)
		tr.add(leafHash(leaf))
	}
}

func TestTreeOfThePublishedLeaf(t *testing.T) {
	t.Parallel()
	// RFC 6962 test data: the hash of one empty leaf.
	var tr tree
	tr.add(leafHash(nil))
	root := tr.root()
	if got := hex.EncodeToString(root[:]); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Errorf("got %s", got)
	}
}
