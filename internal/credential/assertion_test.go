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
	"math/big"
	"strings"
	"testing"
	"time"
)

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestAClientSignsForOneIssuerAndOneMinute(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	for alg, key := range map[string]crypto.Signer{"ES256": p256, "RS256": rsaKey, "EdDSA": edKey} {
		got, err := assert(pemOf(t, key), "me", "https://auth.example.com", now)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		parts := strings.Split(got, ".")
		if len(parts) != 3 {
			t.Fatalf("%s: %d parts", alg, len(parts))
		}
		var head struct{ Alg string }
		var claims struct {
			Iss, Sub, Aud, Jti string
			Iat, Exp           int64
		}
		for i, into := range []any{&head, &claims} {
			text, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, into); err != nil {
				t.Fatal(err)
			}
		}
		if head.Alg != alg || claims.Iss != "me" || claims.Sub != "me" || claims.Aud != "https://auth.example.com" || claims.Jti == "" ||
			claims.Iat != now.Unix() || claims.Exp != now.Unix()+60 {
			t.Errorf("%s: %+v %+v", alg, head, claims)
		}
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		signed := []byte(parts[0] + "." + parts[1])
		sum := sha256.Sum256(signed)
		var good bool
		switch pub := key.Public().(type) {
		case *ecdsa.PublicKey:
			good = len(sig) == 64 && ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		case *rsa.PublicKey:
			good = rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) == nil
		case ed25519.PublicKey:
			good = ed25519.Verify(pub, signed, sig)
		}
		if !good {
			t.Errorf("%s: the signature does not verify", alg)
		}
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "CANARY", "another curve": pemOf(t, p224),
		"no key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("CANARY")})),
	} {
		if got, err := assert(text, "me", "https://auth.example.com", time.Now()); err == nil || got != "" || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
