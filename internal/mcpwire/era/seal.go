package era

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// sealer makes the requestState of calls that Sluice keeps waiting. It is encrypted
// and bound to the caller and to what was called; nobody but this process reads it.
type sealer struct{ aead cipher.AEAD }

func newSealer() sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead}
}

// state is what a requestState of ours says: which call, and which of its rounds.
type state struct {
	call  [12]byte
	round uint32
}

const stateSize = 16

func (s sealer) seal(st state, binding []byte) string {
	plain := binary.BigEndian.AppendUint32(st.call[:], st.round)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, binding))
}

// open is false for whatever was not sealed here for the same caller and call.
func (s sealer) open(text string, binding []byte) (state, bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return state{}, false
	}
	plain, err := s.aead.Open(nil, nil, sealed, binding)
	if err != nil || len(plain) != stateSize {
		return state{}, false
	}
	return state{[12]byte(plain[:12]), binary.BigEndian.Uint32(plain[12:])}, true
}

// binding is what a state is bound to: who called, and what with. Arguments count by
// value, since a client may write them differently the second time.
func binding(c *exchange.Call) []byte {
	h := sha256.New()
	m := c.Message
	for _, part := range [][]byte{[]byte(c.Caller.ID), []byte(m.Method), m.Bytes(m.Name), m.Bytes(m.URI), canonical(m.Bytes(m.Arguments))} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part)))
		h.Write(part)
	}
	return h.Sum(nil)
}

// canonical sorts members and drops blanks; numbers stay as they were written.
func canonical(raw []byte) []byte {
	if len(raw) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}

// stateOf is the requestState that a call carries, if it does.
func stateOf(m *mcpwire.Message) (string, bool) {
	if !m.RequestState.Present() {
		return "", false
	}
	return m.Text(m.RequestState)
}
