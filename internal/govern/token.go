package govern

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"sluice/internal/secret"
)

// A grant's token is `slg_<id>_<secret>`: 26 characters that name the grant and 43 of
// base64url, 32 random bytes, that prove it.
const (
	tokenPrefix  = "slg_"
	grantPrefix  = "grt_"
	idLength     = 26
	secretBytes  = 32
	secretLength = 43
	tokenLength  = len(tokenPrefix) + idLength + 1 + secretLength
)

// newToken makes the text of a token of a grant.
func newToken(grant string) string {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand aborts the process instead
	return tokenPrefix + strings.TrimPrefix(grant, grantPrefix) + "_" + base64.RawURLEncoding.EncodeToString(raw)
}

// grantOf is the id of the grant that a token names; false when it has not the form of
// one.
func grantOf(token string) (string, bool) {
	if len(token) != tokenLength || !strings.HasPrefix(token, tokenPrefix) || token[len(tokenPrefix)+idLength] != '_' {
		return "", false
	}
	return grantPrefix + token[len(tokenPrefix):len(tokenPrefix)+idLength], true
}

// tokenKey is what tokens are digested with.
func tokenKey(keys *secret.Keyring) []byte { return keys.Derive("grant token") }

// tokenMAC is what is stored of a token: secret.Keyring.MAC with the key at hand.
func tokenMAC(key []byte, token string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(token))
	return mac.Sum(nil)
}
