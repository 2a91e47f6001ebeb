package deliver

import (
	"crypto/sha256"
	"encoding/json"

	"sluice/internal/frozen"
	"sluice/internal/ledger"
)

// request builds the body of one request in memory that is used again for the next.
type request struct {
	events []ledger.Event // what the body holds
	refs   []frozen.Ref
	load   []byte
	body   []byte
}

// fill writes {"data":[…],"upload_tag":"…"} over the frozen bytes of the events.
func (r *request) fill(payload *frozen.Reader, events []ledger.Event, tag string) error {
	r.events, r.refs = events, r.refs[:0]
	for i := range events {
		r.refs = append(r.refs, frozen.Ref{Offset: events[i].Offset, Length: events[i].Length})
	}
	load, err := payload.Load(r.refs, r.load)
	if err != nil {
		return err
	}
	b := append(r.body[:0], `{"data":[`...)
	for i, ref := range r.refs {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = load.Append(b, ref); err != nil {
			return err
		}
	}
	b = append(b, ']')
	if tag != "" {
		quoted, err := json.Marshal(tag)
		if err != nil {
			return err
		}
		b = append(b, `,"upload_tag":`...)
		b = append(b, quoted...)
	}
	r.body = append(b, '}')
	if load.Buffer() != nil {
		r.load = load.Buffer()
	}
	return nil
}

func (r *request) digest() []byte {
	sum := sha256.Sum256(r.body)
	return sum[:]
}

// Body returns the exact request bytes for a run of events, and the bytes of each
// event inside them, as a dry run needs them.
func Body(payload *frozen.Reader, events []ledger.Event, tag string) (body []byte, parts [][]byte, err error) {
	var r request
	if err := r.fill(payload, events, tag); err != nil {
		return nil, nil, err
	}
	at := len(`{"data":[`)
	for i := range events {
		size := frozen.PlainLength(events[i].Length)
		parts = append(parts, r.body[at:at+size])
		at += size + 1 // the comma
	}
	return r.body, parts, nil
}
