package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"time"
)

// methodKey is a client that signs who it is instead of sending a secret (RFC 7523).
const methodKey = "private_key_jwt"

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assert signs that this is the client, for one authorization server and one minute.
func assert(keyPEM, id, issuer string, now time.Time) (string, error) {
	key, alg, err := signingKey(keyPEM)
	if err != nil {
		return "", err
	}
	part := func(v map[string]any) (string, error) {
		b, err := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b), err
	}
	head, err := part(map[string]any{"alg": alg, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := part(map[string]any{
		"iss": id, "sub": id, "aud": issuer, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	sig, err := sign(key, []byte(head+"."+claims))
	if err != nil {
		return "", errors.New("the client's key can't sign")
	}
	return head + "." + claims + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// signingKey reads a PKCS #8, EC or RSA key. Its errors say nothing of what is there.
func signingKey(text string) (crypto.Signer, string, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, "", errors.New("the client's key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if ec, e := x509.ParseECPrivateKey(block.Bytes); e == nil {
			parsed = ec
		} else if r, e := x509.ParsePKCS1PrivateKey(block.Bytes); e == nil {
			parsed = r
		}
	}
	switch key := parsed.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return key, "ES256", nil
		}
	case *rsa.PrivateKey:
		if key.N.BitLen() >= 2048 {
			return key, "RS256", nil
		}
	case ed25519.PrivateKey:
		return key, "EdDSA", nil
	}
	return nil, "", errors.New("the client's key is not one of P-256, RSA from 2048 bits, and Ed25519")
}

func sign(key crypto.Signer, text []byte) ([]byte, error) {
	sum := sha256.Sum256(text)
	switch k := key.(type) {
	case *ecdsa.PrivateKey: // JWS wants the two numbers side by side, not ASN.1
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			return nil, err
		}
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig, nil
	case ed25519.PrivateKey:
		return k.Sign(rand.Reader, text, crypto.Hash(0))
	default:
		return key.Sign(rand.Reader, sum[:], crypto.SHA256)
	}
}
