package secret

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// Derive returns a key for one purpose. Keys of different purposes say nothing
// about each other or about the master key (HKDF-SHA256, RFC 5869).
func (k *Keyring) Derive(purpose string) []byte {
	key, err := hkdf.Expand(sha256.New, k.key, purpose, KeySize)
	if err != nil {
		panic(err) // only a length beyond 255 blocks fails
	}
	return key
}

// MAC returns the HMAC-SHA-256 of message under the key of a purpose.
func (k *Keyring) MAC(purpose string, message []byte) []byte {
	mac := hmac.New(sha256.New, k.Derive(purpose))
	mac.Write(message)
	return mac.Sum(nil)
}

// Seal encrypts a small value for a purpose; it opens for no other.
func (k *Keyring) Seal(plain []byte, purpose string) []byte {
	aead, err := NewAEAD(k.Derive("seal " + purpose))
	if err != nil {
		panic(err) // a derived key has the right size
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand aborts the process instead
	return aead.Seal(nonce, nonce, plain, []byte(purpose))
}

// Open decrypts what Seal sealed for the same purpose.
func (k *Keyring) Open(sealed []byte, purpose string) ([]byte, error) {
	aead, err := NewAEAD(k.Derive("seal " + purpose))
	if err != nil {
		return nil, err
	}
	n := aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("the sealed value is too short")
	}
	plain, err := aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, errors.New("the value does not open with this master key")
	}
	return plain, nil
}
