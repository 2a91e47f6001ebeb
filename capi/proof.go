package capi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// AppSecretProof returns the appsecret_proof of a call: the lower-case hex HMAC-
// SHA-256 of the access token under the app secret. Apps can demand it with every
// server call. Source: Graph API, "Secure requests".
func AppSecretProof(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}
