package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/go-oauth2/oauth2/v4"
	"github.com/golang-jwt/jwt/v5"
)

// signer makes access tokens that say who they are for (RFC 9068), for resource servers
// that ask nobody.
type signer struct {
	issuer   string
	lifetime time.Duration
	key      *ecdsa.PrivateKey
}

const keyID = "k1"

func newSigner(issuer string, lifetime time.Duration) (*signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &signer{issuer, lifetime, key}, err
}

// Token serves oauth2.AccessGenerate.
func (s *signer) Token(_ context.Context, data *oauth2.GenerateBasic, refresh bool) (string, string, error) {
	now := time.Now()
	subject := data.UserID
	if subject == "" {
		subject = data.Client.GetID()
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": s.issuer, "sub": subject, "aud": data.Request.FormValue("resource"), "client_id": data.Client.GetID(),
		"scope": data.TokenInfo.GetScope(), "iat": now.Unix(), "exp": now.Add(s.lifetime).Unix(), "jti": rand.Text(),
	})
	t.Header["typ"], t.Header["kid"] = "at+jwt", keyID
	access, err := t.SignedString(s.key)
	if err != nil || !refresh {
		return access, "", err
	}
	return access, rand.Text(), nil
}

// keys is RFC 7517.
func (s *signer) keys(w http.ResponseWriter, _ *http.Request) {
	point, err := s.key.PublicKey.Bytes() // 4, X, Y
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	enc := base64.RawURLEncoding.EncodeToString
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "EC", "crv": "P-256", "kid": keyID, "alg": "ES256", "use": "sig", "x": enc(point[1:33]), "y": enc(point[33:]),
	}}})
}
