package writeback

import (
	"context"
	"encoding/binary"
	"slices"

	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

// takeBack applies the cancellations in the order of their times.
func (in *intake) takeBack(ctx context.Context) error {
	var chunk []cancelJob
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		var cancelled, unmatched int
		err := in.store.Do(ctx, func(tx ledger.Tx) error {
			cancelled, unmatched = 0, 0
			for i := range chunk {
				hit, done, err := chunk[i].apply(ctx, tx, in.profile)
				if err != nil {
					return err
				}
				cancelled += done
				if !hit {
					unmatched++
				}
			}
			return nil
		})
		in.total.Cancelled, in.total.Unmatched = in.total.Cancelled+cancelled, in.total.Unmatched+unmatched
		chunk = chunk[:0]
		return err
	}
	err := in.cancels.Each(func(b []byte) error {
		j, err := decodeCancel(b)
		if err != nil {
			return err
		}
		if chunk = append(chunk, j); len(chunk) < putRows/10 {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// takeOne applies one cancellation by itself.
func (in *intake) takeOne(ctx context.Context, j cancelJob) (hit bool, cancelled int, err error) {
	err = in.store.Do(ctx, func(tx ledger.Tx) (err error) {
		hit, cancelled, err = j.apply(ctx, tx, in.profile)
		return err
	})
	return hit, cancelled, err
}

// cancelJob is a cancellation with the outcomes that it may mean.
type cancelJob struct {
	outcome.Cancellation
	targets []outcome.ID
}

// apply takes back what the cancellation names. A repeated one changes nothing. It
// reports whether it found anything, and how many outcomes it cancelled.
func (j *cancelJob) apply(ctx context.Context, tx ledger.Tx, profile string) (hit bool, cancelled int, err error) {
	repo, now := tx.Outcomes(), tx.Now()
	j.Profile, j.ArrivedAt = profile, now
	at := j.At
	if at == 0 {
		at = now.Unix()
	}
	j.At = at
	fresh, err := repo.Remember(ctx, &j.Cancellation)
	if err != nil || !fresh {
		return true, 0, err
	}
	count := map[outcome.ID]int{}
	var orders []outcome.ID
	if j.Target != (outcome.ID{}) {
		orders = slices.Clone(j.targets)
		for more := true; more; { // every occurrence of what it means
			taken, err := repo.TakeBack(ctx, j.Lines, at)
			if err != nil {
				return false, 0, err
			}
			orders, more = append(orders, taken...), len(taken) > 0
		}
		for _, id := range orders {
			count[id] = -1
		}
	} else {
		taken, err := repo.TakeBack(ctx, j.Lines, at)
		if err != nil {
			return false, 0, err
		}
		for _, id := range taken {
			if count[id]++; count[id] == 1 {
				orders = append(orders, id)
			}
		}
		if hit = len(orders) > 0; !hit {
			// Its order may not be here yet; then it counts when it comes again.
			return false, 0, repo.Dismiss(ctx, j.ID)
		}
	}
	for _, id := range orders {
		is, err := repo.Cancel(ctx, id, count[id], at, now)
		if err != nil {
			return hit, cancelled, err
		}
		if is {
			hit, cancelled = true, cancelled+1
		}
	}
	return hit, cancelled, nil
}

// encodeCancel puts the time first: that is the order in which they count.
func encodeCancel(c *outcome.Cancellation, targets []outcome.ID) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At)^1<<63)
	b = append(b, c.ID[:]...)
	b = append(b, c.Target[:]...)
	b = binary.AppendUvarint(b, uint64(len(targets)))
	for _, list := range [][]outcome.ID{targets, c.Lines} {
		for i := range list {
			b = append(b, list[i][:]...)
		}
	}
	return b
}

func decodeCancel(b []byte) (j cancelJob, err error) {
	const size = len(outcome.ID{})
	if len(b) < 8+2*size {
		return j, errIndex
	}
	j.At = int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	copy(j.ID[:], b[8:])
	copy(j.Target[:], b[8+size:])
	n, w := binary.Uvarint(b[8+2*size:])
	if w <= 0 {
		return j, errIndex
	}
	rest := b[8+2*size+w:]
	if len(rest)%size != 0 || uint64(len(rest)/size) < n {
		return j, errIndex
	}
	for i := 0; len(rest) > 0; i++ {
		id := outcome.ID(rest)
		rest = rest[size:]
		if uint64(i) < n {
			j.targets = append(j.targets, id)
		} else {
			j.Lines = append(j.Lines, id)
		}
	}
	return j, nil
}
