package postgres

import (
	"io"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Gather implements frozen.Gatherer: events of one time lie scattered over the files
// they came from, and a block per event would be a megabyte per event.
func (r *payloadReader) Gather(at []int64, into [][]byte) error {
	var seqs []int64
	for i, from := range at {
		for seq := from / chunkSize; seq*chunkSize < from+int64(len(into[i])); seq++ {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	rows, err := r.pool.Query(r.ctx, `SELECT seq, data FROM payload WHERE name = $1 AND seq = ANY($2)`, r.name, seqs)
	if err != nil {
		return unavailable(r.ctx, err)
	}
	chunks := make(map[int64][]byte, len(seqs))
	var seq int64
	var data []byte
	if _, err := pgx.ForEachRow(rows, []any{&seq, &data}, func() error {
		chunks[seq] = data
		data = nil // the next row gets memory of its own
		return nil
	}); err != nil {
		return unavailable(r.ctx, err)
	}
	for i, from := range at {
		for n := 0; n < len(into[i]); {
			place := from + int64(n)
			chunk, skip := chunks[place/chunkSize], place%chunkSize
			if skip >= int64(len(chunk)) {
				return io.EOF
			}
			n += copy(into[i][n:], chunk[skip:])
		}
	}
	return nil
}
