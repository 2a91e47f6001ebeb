package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"
)

// digestScheme names the rule below.
const digestScheme = "sluice-mapping-1"

// digestOf hashes what a document says: its values with their lengths, keys in
// alphabetical order, and the content of the lookup files it uses.
func digestOf(tree *node, d *decoder) (sum [32]byte) {
	h := sha256.New()
	writeText(h, digestScheme)
	writeNode(h, tree)
	for _, name := range slices.Sorted(maps.Keys(d.tables)) {
		writeText(h, name)
		h.Write(d.tables[name].digest[:])
	}
	h.Sum(sum[:0])
	return sum
}

func writeNode(h hash.Hash, n *node) {
	h.Write([]byte{byte(n.kind)})
	switch n.kind {
	case scalarNode:
		writeText(h, n.text)
	case listNode:
		writeLength(h, len(n.items))
		for _, item := range n.items {
			writeNode(h, item)
		}
	case objectNode:
		members := slices.Clone(n.members)
		slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.key, b.key) })
		writeLength(h, len(members))
		for _, m := range members {
			writeText(h, m.key)
			writeNode(h, m.value)
		}
	}
}

func writeText(h hash.Hash, s string) {
	writeLength(h, len(s))
	h.Write([]byte(s))
}

func writeLength(h hash.Hash, n int) {
	h.Write(binary.AppendUvarint(nil, uint64(n)))
}
