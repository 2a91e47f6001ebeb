package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Head is where a chain stands.
type Head struct {
	Chain string `json:"chain"`
	Size  int64  `json:"size"`
	Hash  Hash   `json:"hash"` // of the last record
	Root  Hash   `json:"root"` // RFC 6962, over the chain's records
}

// Checkpoint states where every chain of a log stood at one time. Kept elsewhere,
// it shows that a tail was cut off or that a chain was written anew.
type Checkpoint struct {
	V     int    `json:"v"`
	Type  string `json:"type"` // checkpoint
	Log   string `json:"log"`  // id of the store
	No    int64  `json:"no"`   // 1, 2, 3 …
	TS    string `json:"ts"`
	Heads []Head `json:"heads"` // by chain
	Prev  Hash   `json:"prev"`  // hash of the checkpoint before it; zero: none
	Reset bool   `json:"reset,omitempty"`
}

// Signed is a checkpoint as it is stored and exported.
type Signed struct {
	Checkpoint Checkpoint
	Body       []byte // canonical JSON of Checkpoint
	Key        string // id of the key
	Public     ed25519.PublicKey
	Signature  []byte
}

// Key is a signing key. Its private half is sealed with the master key.
type Key struct {
	ID        string
	Public    ed25519.PublicKey
	Sealed    []byte
	CreatedAt time.Time
}

// KeyID names a public key.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return "ck_" + hex.EncodeToString(sum[:8])
}

// message is what is signed and hashed.
func message(body []byte) []byte {
	return append([]byte("wb-audit-checkpoint-v1\x00"), body...)
}

// Hash names the checkpoint in its successor.
func (s *Signed) Hash() Hash { return sha256.Sum256(message(s.Body)) }

// Sign completes and signs a checkpoint.
func Sign(c Checkpoint, now time.Time, key ed25519.PrivateKey) (*Signed, error) {
	c.V, c.Type, c.TS = 1, "checkpoint", now.UTC().Format(timeFormat)
	body, err := canonical(c)
	if err != nil {
		return nil, err
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("the checkpoint key is not an Ed25519 key")
	}
	return &Signed{Checkpoint: c, Body: body, Key: KeyID(public), Public: public, Signature: ed25519.Sign(key, message(body))}, nil
}

// Valid reports whether the signature is public's.
func (s *Signed) Valid(public ed25519.PublicKey) bool {
	return len(public) == ed25519.PublicKeySize && KeyID(public) == s.Key && ed25519.Verify(public, message(s.Body), s.Signature)
}

// Parse fills Checkpoint from Body.
func (s *Signed) Parse() error {
	if err := json.Unmarshal(s.Body, &s.Checkpoint); err != nil {
		return errors.New("a checkpoint is not JSON")
	}
	if s.Checkpoint.Type != "checkpoint" || s.Checkpoint.V != 1 {
		return errors.New("a checkpoint has an unknown type or version")
	}
	return nil
}

// wireCheckpoint is one line of an export.
type wireCheckpoint struct {
	Checkpoint json.RawMessage `json:"checkpoint"`
	Key        string          `json:"key"`
	Public     []byte          `json:"public_key"`
	Signature  []byte          `json:"signature"`
}

// MarshalJSON writes the checkpoint with its signature and public key.
func (s Signed) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireCheckpoint{s.Body, s.Key, s.Public, s.Signature})
}

// UnmarshalJSON is the inverse. A tool may have laid the JSON out anew: what was
// signed is its canonical form.
func (s *Signed) UnmarshalJSON(b []byte) error {
	var w wireCheckpoint
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	value := jsontext.Value(w.Checkpoint)
	if err := value.Canonicalize(); err != nil {
		return errors.New("a checkpoint is not JSON")
	}
	*s = Signed{Body: value, Key: w.Key, Public: w.Public, Signature: w.Signature}
	return s.Parse()
}
