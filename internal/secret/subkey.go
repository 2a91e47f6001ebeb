package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// Subkey derives a key for one purpose from a data key (HKDF-SHA256, RFC 5869), so
// that two uses of it can share no nonce.
func Subkey(key []byte, purpose string) []byte {
	sub, err := hkdf.Expand(sha256.New, key, purpose, KeySize)
	if err != nil {
		panic(err) // only a length beyond 255 blocks fails
	}
	return sub
}
