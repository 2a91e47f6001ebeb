package sandbox

import (
	"bytes"
	"strconv"
	"time"
)

// stored is one event of the inspection surface. It never changes once made.
type stored struct {
	seq      uint64
	dataset  string
	received time.Time
	batch    string // trace id of the request that brought it
	testCode string
	name     string
	id       string
	time     int64
	source   actionSource
	grade    grade
	verdict  verdict
	warnings []string
	raw      []byte
}

// eventRef is the name of a stored event in the inspection surface.
func eventRef(seq uint64) string { return "e" + strconv.FormatUint(seq, 10) }

// Counts are the totals of stored events. Received = Kept + Duplicates; Test are
// those among Received that came with a test_event_code.
type Counts struct {
	Received, Kept, Duplicates, Test uint64
}

func (c *Counts) add(o Counts) {
	c.Received += o.Received
	c.Kept += o.Kept
	c.Duplicates += o.Duplicates
	c.Test += o.Test
}

// store holds what was accepted. The server's mutex guards it.
type store struct {
	keep   Keep
	seq    uint64
	events []*stored // KeepAll only, oldest first
	dedup  dedup
	logs   map[string]*datasetLog
}

// datasetLog is the totals of one dataset.
type datasetLog struct {
	counts  Counts
	stats   *stats
	offline upload    // of all physical_store events
	uploads uploadLog // the tagged ones again
	last    time.Time // receipt of the newest event
}

func newStore(keep Keep) store {
	return store{keep: keep, dedup: newDedup(), logs: map[string]*datasetLog{}}
}

// log returns the totals of a dataset, empty ones when nothing has arrived.
func (st *store) log(dataset string) *datasetLog {
	l := st.logs[dataset]
	if l == nil {
		l = &datasetLog{stats: newStats()}
		st.logs[dataset] = l
	}
	return l
}

// totals adds up the counts of one dataset, or of all for "".
func (st *store) totals(dataset string) Counts {
	var sum Counts
	for id, log := range st.logs {
		if matches(dataset, id) {
			sum.add(log.counts)
		}
	}
	return sum
}

// origin is what the events of a request have in common.
type origin struct {
	dataset  string
	now      time.Time
	batch    string
	testCode string
	tag      string // upload_tag
	agent    string // partner_agent
}

// commit stores checked events, all of them, and returns their totals.
func (st *store) commit(from origin, records []record) Counts {
	log := st.log(from.dataset)
	log.stats.begin(from.agent)
	log.last = from.now
	var tagged *upload
	if from.tag != "" {
		tagged = log.uploads.open(from.tag, from.now)
	}
	var kept []stored
	if st.keep == KeepAll {
		kept = make([]stored, 0, len(records)) // never grows: st.events points into it
	}
	var here Counts
	now := from.now.Unix()
	for i := range records {
		rec := &records[i]
		st.seq++
		v := st.dedup.judge(from.dataset, rec, now, st.seq)
		here.Received++
		if v.rule == ruleKept {
			here.Kept++
		} else {
			here.Duplicates++
		}
		if from.testCode != "" {
			here.Test++
		}
		log.stats.add(rec, v, now)
		if rec.source == sourceStore {
			log.offline.add(rec, v)
			if tagged != nil {
				tagged.add(rec, v)
			}
		}
		if st.keep == KeepAll {
			name := log.stats.lastName // shared, unless the name counts among the others
			if name != string(rec.name) {
				name = string(rec.name)
			}
			kept = append(kept, stored{
				seq: st.seq, dataset: from.dataset, received: from.now, batch: from.batch, testCode: from.testCode,
				name: name, id: string(rec.id), time: rec.time, source: rec.source,
				grade: rec.keys.grade(), verdict: v, warnings: rec.warnings(), raw: bytes.Clone(rec.raw),
			})
		}
	}
	for i := range kept {
		st.events = append(st.events, &kept[i])
	}
	log.counts.add(here)
	return here
}

// warnings are remarks that never refuse: Meta is not known to look at them.
func (r *record) warnings() []string {
	var w []string
	if r.hashedOdd {
		w = append(w, "a user_data key that must not be hashed holds 64 hex digits")
	}
	if len(r.id) == 0 && r.source != sourceStore {
		w = append(w, "no event_id: a repeat of this event can't be recognised")
	}
	return w
}
