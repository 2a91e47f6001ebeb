// Package audit is the tamper-evident log: a hash chain of canonical JSON records.
//
// A record is written in the transaction of the state it describes, so a state
// change without its record can't exist. Changing, removing or reordering a record
// breaks every hash after it. What the chain alone can't show is a tail that was
// cut off; that needs a copy of a later head kept elsewhere.
//
// Records hold ids, times, counts and digests: no identifiers, no tokens, no
// payloads.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Actor is who did it.
type Actor struct {
	Type string `json:"type"` // local, token, user, schedule
	ID   string `json:"id"`
}

// Record is one entry. V, Chain, Seq and TS are set by Append.
type Record struct {
	V             int               `json:"v"`
	Chain         string            `json:"chain"`
	Seq           int64             `json:"seq"`
	TS            string            `json:"ts"` // UTC, milliseconds
	Actor         Actor             `json:"actor"`
	Via           string            `json:"via,omitempty"` // cli, web, mcp, schedule
	Op            string            `json:"op"`
	Profile       string            `json:"profile,omitempty"`
	Dataset       string            `json:"dataset,omitempty"`
	Realm         string            `json:"realm,omitempty"` // meta, or one sandbox
	Plan          string            `json:"plan,omitempty"`
	PlanHash      string            `json:"plan_hash,omitempty"`
	Run           string            `json:"run,omitempty"`
	Idempotency   string            `json:"idempotency,omitempty"` // prefix of the key's SHA-256
	EventCount    int               `json:"event_count,omitempty"`
	ValueBy       map[string]string `json:"value_by_currency,omitempty"`
	CountsByState map[string]int    `json:"counts_by_state,omitempty"`
	SubmissionIDs []string          `json:"submission_ids,omitempty"` // fbtrace_id
	Result        string            `json:"result,omitempty"`
	ErrorCode     string            `json:"error_code,omitempty"`
	RequestID     string            `json:"request_id,omitempty"`
	MappingDigest string            `json:"mapping_digest,omitempty"`
	AppVersion    string            `json:"app_version,omitempty"`
}

// Hash is one link of the chain.
type Hash [sha256.Size]byte

// Log is the audit log inside a transaction.
type Log interface {
	// Append completes the record, links it to the chain and returns its number.
	Append(ctx context.Context, now time.Time, r Record) (int64, error)
	// Each calls fn for every record from number from on, in order.
	Each(ctx context.Context, from int64, fn func(Link) error) error
}

// Link is a stored record with its hash.
type Link struct {
	Seq  int64
	Body []byte // canonical JSON
	Hash Hash
}

// Genesis is the hash before the first record of a chain.
func Genesis(chain string) Hash {
	body, err := canonical(map[string]any{"chain": chain, "type": "genesis", "v": 1})
	if err != nil {
		panic(err) // a map of strings and one integer always encodes
	}
	return sha256.Sum256(body)
}

// Next returns the hash of a record that follows prev:
// SHA-256("wb-audit-v1" 0x00 prev body).
func Next(prev Hash, body []byte) Hash {
	h := sha256.New()
	h.Write([]byte("wb-audit-v1\x00"))
	h.Write(prev[:])
	h.Write(body)
	return Hash(h.Sum(nil))
}

// Encode returns the canonical JSON (RFC 8785) of a record as number seq.
func Encode(chain string, seq int64, now time.Time, r Record) ([]byte, error) {
	r.V, r.Chain, r.Seq = 1, chain, seq
	r.TS = now.UTC().Format("2006-01-02T15:04:05.000Z")
	body, err := canonical(r)
	if err != nil {
		return nil, fmt.Errorf("encode audit record: %w", err)
	}
	return body, nil
}

func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(raw)
	if err := value.Canonicalize(); err != nil {
		return nil, err
	}
	return value, nil
}
