// Package audit is the tamper-evident log: one hash chain of canonical JSON records
// per writer, and signed checkpoints over all of them.
//
// A record is written in the transaction of the state it describes, so a state
// change without its record can't exist. Changing, removing or reordering a record
// breaks every hash after it. What the chains alone can't show is a tail that was
// cut off, or a chain that was written anew by somebody who holds the database;
// the checkpoints that were exported elsewhere show both. What came after the last
// exported checkpoint is as safe as the database.
//
// Records hold ids, times, counts and digests: no identifiers, no tokens, no
// payloads.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	Object        string            `json:"object,omitempty"` // id of what it was done to, where no other member says it
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
	Reason        string            `json:"reason,omitempty"`         // a person's, for what the rules would not have done
	Before        string            `json:"before,omitempty"`         // digest of what a change found
	After         string            `json:"after,omitempty"`          // and of what it left
	Result        string            `json:"result,omitempty"`
	ErrorCode     string            `json:"error_code,omitempty"`
	RequestID     string            `json:"request_id,omitempty"`
	MappingDigest string            `json:"mapping_digest,omitempty"`
	AppVersion    string            `json:"app_version,omitempty"`

	// Members of a call of an agent, kind "call".
	Kind           string   `json:"kind,omitempty"`
	Phase          string   `json:"phase,omitempty"`
	Workspace      string   `json:"workspace,omitempty"`
	Grant          string   `json:"grant,omitempty"`
	Server         string   `json:"server,omitempty"`
	Session        string   `json:"session,omitempty"`
	Client         string   `json:"client,omitempty"`
	Method         string   `json:"method,omitempty"`
	Tool           string   `json:"tool,omitempty"`
	ToolHash       string   `json:"tool_hash,omitempty"`
	Policy         string   `json:"policy,omitempty"`
	PolicyVersion  int      `json:"policy_version,omitempty"`
	PolicyHash     string   `json:"policy_hash,omitempty"`
	Decision       string   `json:"decision,omitempty"`
	Code           string   `json:"code,omitempty"`
	Rule           string   `json:"rule,omitempty"`
	ArgKeys        []string `json:"arg_keys,omitempty"`
	ArgsHMAC       string   `json:"args_hmac,omitempty"`
	Approval       string   `json:"approval,omitempty"`
	Settlement     string   `json:"settlement,omitempty"`
	UpstreamStatus int      `json:"upstream_status,omitempty"`
	Outcome        string   `json:"outcome,omitempty"`
	LatencyUS      int64    `json:"latency_us,omitempty"`
}

// Hash is one link of the chain.
type Hash [sha256.Size]byte

// MarshalText writes the hash in hex.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads hex.
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return errors.New("a hash has 64 hex digits")
	}
	copy(h[:], raw)
	return nil
}

// Hex is the hash as it is shown.
func (h Hash) Hex() string { return hex.EncodeToString(h[:]) }

// ErrLeftOut says that a log lacks calls which were handed on before.
var ErrLeftOut = errors.New("the audit log lacks calls that it was handed before: it was put back to an earlier state")

// Log is the audit log inside a transaction.
type Log interface {
	// Append completes the record, links it to the writer's chain and returns its
	// number there.
	Append(ctx context.Context, now time.Time, r Record) (int64, error)
	// AppendCalls appends what a store of calls kept, in its order, to a chain of its
	// own: the writer's with "/gateway" behind it. They are those that source keeps under
	// the numbers from to to. Calls up to the number that source was last appended to are
	// left out, and to becomes that number, so that handing them in twice appends them
	// once. Where that number is less than the one before from, the log was put back to an
	// earlier state: ErrLeftOut, and nothing is appended. Where calls have numbers that
	// were appended and are later than all that was, the source was put back, counts again
	// from there, and they are new.
	AppendCalls(ctx context.Context, source string, from, to int64, calls []TimedCall) error
	// Each calls fn for every record of every chain from number from on, by chain
	// and number.
	Each(ctx context.Context, from int64, fn func(Link) error) error
	// Range calls fn for the records of one chain with from <= seq <= to, in order.
	Range(ctx context.Context, chain string, from, to int64, fn func(Link) error) error
	// Heads returns where each chain stands, by chain.
	Heads(ctx context.Context) ([]Head, error)
	// PutCheckpoint stores a checkpoint; false when its number is taken.
	PutCheckpoint(ctx context.Context, s *Signed) (bool, error)
	// Checkpoints calls fn for the checkpoints from number from on, in order.
	Checkpoints(ctx context.Context, from int64, fn func(Signed) error) error
	// LastCheckpoint returns the newest, nil when there is none.
	LastCheckpoint(ctx context.Context) (*Signed, error)
	// PutKey stores a key that signs checkpoints; Keys lists them, oldest first.
	PutKey(ctx context.Context, k *Key) error
	Keys(ctx context.Context) ([]Key, error)
}

// Link is a stored record with its hashes.
type Link struct {
	Chain string
	Seq   int64
	Body  []byte // canonical JSON
	Prev  []byte // hash of the record before it, as it is stored
	Hash  Hash
}

// timeFormat is how times are written: UTC, milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

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
	r.TS = now.UTC().Format(timeFormat)
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
