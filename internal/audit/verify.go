package audit

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
)

// Problem is one thing that does not fit.
type Problem struct {
	Chain string `json:"chain,omitempty"`
	Seq   int64  `json:"seq,omitempty"`
	Kind  string `json:"kind"` // edited, missing, misplaced, truncated, rewritten, head, checkpoint
	Text  string `json:"text"`
}

// ChainState is what a walk over one chain found.
type ChainState struct {
	Chain   string `json:"chain"`
	First   int64  `json:"first"` // 1 unless the records begin later
	Records int64  `json:"records"`
	Head    Hash   `json:"head"`
	Root    Hash   `json:"root"`
}

// Verification is what a walk over the log found. Chain, Head, BadSeq and Problem
// repeat the writer's chain and the first problem.
type Verification struct {
	Chain       string       `json:"chain"`
	Records     int64        `json:"records"` // of all chains
	Head        string       `json:"head"`
	OK          bool         `json:"ok"`
	BadChain    string       `json:"bad_chain,omitempty"`
	BadSeq      int64        `json:"bad_seq,omitempty"`
	Problem     string       `json:"problem,omitempty"`
	Problems    []Problem    `json:"problems,omitempty"`
	Warnings    []Problem    `json:"warnings,omitempty"`
	Chains      []ChainState `json:"chains"`
	Checkpoints int          `json:"checkpoints"` // stored and exported ones that were compared
	Exported    int          `json:"exported_checkpoints"`
	Unsigned    int64        `json:"unsigned"`       // records after the last checkpoint
	Keys        []string     `json:"keys,omitempty"` // ids of the keys that signed
}

// maxProblems bounds what is listed of each kind.
const maxProblems = 20

// maxUnsigned is how many records may follow the last checkpoint before it counts
// as missing: checkpoints are due every CheckpointRecords.
const maxUnsigned = 2 * CheckpointRecords

// CheckpointRecords is how many records a checkpoint is due after.
const CheckpointRecords = 1000

// expectation is what a checkpoint says about a chain.
type expectation struct {
	Head
	where string
}

// walk is the state of one chain.
type walk struct {
	ChainState
	tree    Tree
	prev    Hash
	last    []byte // time of the last record
	broken  bool
	expects []expectation // by size, those that were passed removed
	signed  int64         // size at the last checkpoint that fits
}

// Verifier recomputes a log from a stream of records by chain and number.
type Verifier struct {
	result  Verification
	chains  map[string]*walk
	order   []*walk
	at      *walk
	keys    map[string]ed25519.PublicKey
	partial bool
}

// NewVerifier verifies checkpoints with the given keys; nil accepts the key that a
// checkpoint carries, as an auditor does who compares its id by eye.
func NewVerifier(writer string, keys []Key) *Verifier {
	v := &Verifier{result: Verification{Chain: writer, OK: true}, chains: map[string]*walk{}}
	if keys != nil {
		v.keys = map[string]ed25519.PublicKey{}
		for _, k := range keys {
			v.keys[k.ID] = k.Public
		}
	}
	return v
}

// Partial says that the records may begin anywhere.
func (v *Verifier) Partial() { v.partial = true }

func (v *Verifier) fail(p Problem, format string, args ...any) {
	p.Text = fmt.Sprintf(format, args...)
	v.result.OK = false
	if len(v.result.Problems) < maxProblems {
		v.result.Problems = append(v.result.Problems, p)
	}
}

func (v *Verifier) warn(p Problem, format string, args ...any) {
	p.Text = fmt.Sprintf(format, args...)
	if len(v.result.Warnings) < maxProblems {
		v.result.Warnings = append(v.result.Warnings, p)
	}
}

func (v *Verifier) chain(name string) *walk {
	w := v.chains[name]
	if w == nil {
		w = &walk{ChainState: ChainState{Chain: name}, prev: Genesis(name)}
		v.chains[name] = w
		v.order = append(v.order, w)
	}
	return w
}

// Checkpoints takes the stored checkpoints in order, then the exported ones, before
// the records come. An exported one with Reset ends a branch that an admin gave up.
func (v *Verifier) Checkpoints(stored, exported []Signed) {
	v.result.Checkpoints, v.result.Exported = len(stored), len(exported)
	var prev Hash
	for i := range stored {
		s := &stored[i]
		c := &s.Checkpoint
		switch {
		case !v.signatureOK(s):
			v.fail(Problem{Kind: "checkpoint"}, "the signature of stored checkpoint %d does not fit", c.No)
		case c.No != int64(i+1):
			v.fail(Problem{Kind: "checkpoint"}, "stored checkpoint %d is missing", i+1)
		case c.Prev != prev:
			v.fail(Problem{Kind: "checkpoint"}, "stored checkpoint %d does not follow from the one before it", c.No)
		}
		prev = s.Hash()
		if c.No != int64(i+1) {
			break
		}
	}
	for i := range stored {
		v.expect(&stored[i], "stored")
	}
	exported = branch(exported)
	for i := range exported {
		s := &exported[i]
		if !v.signatureOK(s) {
			v.fail(Problem{Kind: "checkpoint"}, "the signature of exported checkpoint %d does not fit", s.Checkpoint.No)
			continue
		}
		if no := s.Checkpoint.No; no <= int64(len(stored)) && no > 0 && !bytes.Equal(stored[no-1].Body, s.Body) {
			v.fail(Problem{Kind: "checkpoint"}, "stored checkpoint %d is not the one that was exported", no)
		}
		v.expect(s, "exported")
	}
	if n := len(exported); n > 0 && len(stored) > 0 && exported[n-1].Checkpoint.No < stored[len(stored)-1].Checkpoint.No {
		v.warn(Problem{Kind: "checkpoint"}, "checkpoints after %d were not exported", exported[n-1].Checkpoint.No)
	}
}

// branch leaves out what a reset gave up.
func branch(exported []Signed) []Signed {
	var kept []Signed
	for _, s := range exported {
		if s.Checkpoint.Reset {
			kept = slices.DeleteFunc(kept, func(k Signed) bool { return k.Checkpoint.No >= s.Checkpoint.No })
		}
		kept = append(kept, s)
	}
	return kept
}

func (v *Verifier) signatureOK(s *Signed) bool {
	public := s.Public
	if v.keys != nil {
		public = v.keys[s.Key]
	}
	if !slices.Contains(v.result.Keys, s.Key) {
		v.result.Keys = append(v.result.Keys, s.Key)
	}
	return s.Valid(public)
}

func (v *Verifier) expect(s *Signed, where string) {
	for _, h := range s.Checkpoint.Heads {
		w := v.chain(h.Chain)
		w.expects = append(w.expects, expectation{h, fmt.Sprintf("%s checkpoint %d of %s", where, s.Checkpoint.No, s.Checkpoint.TS)})
	}
}

// Add takes the next record.
func (v *Verifier) Add(l Link) {
	w := v.at
	if w == nil || w.Chain != l.Chain {
		w = v.chain(l.Chain)
		slices.SortStableFunc(w.expects, func(a, b expectation) int { return cmp.Compare(a.Size, b.Size) })
		v.at = w
	}
	if w.First == 0 {
		w.First = 1
		if v.partial && l.Seq > 1 && len(l.Prev) == len(w.prev) {
			w.First, w.prev = l.Seq, Hash(l.Prev)
		}
	}
	at := Problem{Chain: l.Chain, Seq: l.Seq}
	if want := w.First + w.Records; l.Seq != want {
		at.Seq, at.Kind = want, "missing"
		if !w.broken {
			v.fail(at, "record %d of chain %s is missing", want, l.Chain)
		}
		w.broken = true
		w.First = l.Seq - w.Records // go on from here
	}
	s, ok := stampOf(l.Body)
	next := Next(w.prev, l.Body)
	switch {
	case w.broken:
	case !ok || string(s.chain) != l.Chain || s.seq != l.Seq:
		at.Kind = "misplaced"
		if ok && string(s.chain) == l.Chain {
			v.fail(at, "in the place of record %d of chain %s stands record %d", l.Seq, l.Chain, s.seq)
		} else {
			v.fail(at, "record %d of chain %s is not the record it claims to be", l.Seq, l.Chain)
		}
	case next != l.Hash || (len(l.Prev) == len(w.prev) && !bytes.Equal(l.Prev, w.prev[:])):
		at.Kind = "edited"
		v.fail(at, "record %d of chain %s was changed, or does not follow from the one before it", l.Seq, l.Chain)
	}
	if bytes.Compare(s.ts, w.last) < 0 {
		v.warn(Problem{Chain: l.Chain, Seq: l.Seq, Kind: "clock"}, "record %d of chain %s is older than the one before it: the clock went back", l.Seq, l.Chain)
	}
	w.last = append(w.last[:0], s.ts...)
	w.prev = l.Hash // what follows is judged against what is stored
	w.tree.Add(Leaf(l.Body))
	w.Records++
	v.result.Records++
	for len(w.expects) > 0 && w.expects[0].Size <= l.Seq {
		e := w.expects[0]
		w.expects = w.expects[1:]
		if e.Size < l.Seq {
			continue // before the first record of an export
		}
		fits := e.Hash == l.Hash && (w.First > 1 || w.broken || e.Root == w.tree.Root())
		if !fits && !w.broken {
			v.fail(Problem{Chain: l.Chain, Seq: w.signed + 1, Kind: "rewritten"}, "records %d to %d of chain %s are not those that the %s signed", w.signed+1, e.Size, l.Chain, e.where)
			w.broken = true
		}
		if fits {
			w.signed = e.Size
		}
	}
}

// Heads compares the stored heads, after the last record.
func (v *Verifier) Heads(heads []Head) {
	for _, h := range heads {
		w := v.chain(h.Chain)
		if last := w.First + w.Records - 1; h.Size > last || (h.Size == last && h.Hash != w.prev) {
			v.truncated(w, h.Size, "the stored head")
		} else if h.Size < last {
			v.fail(Problem{Chain: h.Chain, Seq: h.Size + 1, Kind: "head"}, "chain %s has records after its head %d", h.Chain, h.Size)
		}
	}
}

func (v *Verifier) truncated(w *walk, size int64, who string) {
	last := max(0, w.First+w.Records-1)
	if size == last {
		v.fail(Problem{Chain: w.Chain, Seq: last, Kind: "head"}, "record %d of chain %s is not the last one that %s names", last, w.Chain, who)
		return
	}
	v.fail(Problem{Chain: w.Chain, Seq: last + 1, Kind: "truncated"}, "chain %s ends at record %d, and %s knows %d: the tail was cut off", w.Chain, last, who, size)
}

// Result ends the walk.
func (v *Verifier) Result() Verification {
	for _, w := range v.order {
		if n := len(w.expects); n > 0 && !v.partial {
			last := slices.MaxFunc(w.expects, func(a, b expectation) int { return cmp.Compare(a.Size, b.Size) })
			v.truncated(w, last.Size, "the "+last.where)
		}
		if w.Records == 0 {
			continue
		}
		w.ChainState.Head, w.Root = w.prev, w.tree.Root()
		v.result.Chains = append(v.result.Chains, w.ChainState)
		v.result.Unsigned += w.First + w.Records - 1 - w.signed
		if w.Chain == v.result.Chain || v.result.Head == "" {
			v.result.Head = w.prev.Hex()
		}
	}
	slices.SortFunc(v.result.Chains, func(a, b ChainState) int { return cmp.Compare(a.Chain, b.Chain) })
	if v.result.Unsigned > maxUnsigned && !v.partial {
		v.warn(Problem{Kind: "checkpoint"}, "%d records follow the last checkpoint; one is due every %d", v.result.Unsigned, CheckpointRecords)
	}
	if len(v.result.Problems) > 0 {
		first := v.result.Problems[0]
		v.result.BadChain, v.result.BadSeq, v.result.Problem = first.Chain, first.Seq, first.Text
	}
	if v.result.Head == "" {
		g := Genesis(v.result.Chain)
		v.result.Head = g.Hex()
	}
	return v.result
}

// verifyAhead is how many records are read while others are hashed.
const verifyAhead = 512

// Verify recomputes the stored log, with the checkpoints that were exported.
func Verify(ctx context.Context, writer string, log Log, exported ...Signed) (Verification, error) {
	keys, err := log.Keys(ctx)
	if err != nil {
		return Verification{}, err
	}
	if keys == nil {
		keys = []Key{}
	}
	v := NewVerifier(writer, keys)
	var stored []Signed
	err = log.Checkpoints(ctx, 1, func(s Signed) error {
		stored = append(stored, s)
		return nil
	})
	if err != nil {
		return Verification{}, err
	}
	v.Checkpoints(stored, exported)
	// The database reads while we hash.
	batches, done := make(chan []Link, 4), make(chan struct{})
	go func() {
		defer close(done)
		for batch := range batches {
			for _, l := range batch {
				v.Add(l)
			}
		}
	}()
	var batch []Link
	err = log.Each(ctx, 1, func(l Link) error {
		if batch = append(batch, l); len(batch) == verifyAhead {
			batches <- batch
			batch = make([]Link, 0, verifyAhead)
		}
		return nil
	})
	batches <- batch
	close(batches)
	<-done
	if err != nil {
		return Verification{}, err
	}
	heads, err := log.Heads(ctx)
	if err != nil {
		v.fail(Problem{Kind: "head"}, "%v", err)
	} else {
		v.Heads(heads)
	}
	return v.Result(), nil
}
