package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// errorTime is how Graph writes times in token errors.
func errorTime(t time.Time) string {
	return t.In(time.FixedZone("PST", -8*60*60)).Format("Monday, 02-Jan-06 15:04:05 MST")
}

// proofFresh bounds appsecret_time. Meta's own bound is not published.
const proofFresh = 5 * time.Minute

// checkProof verifies appsecret_proof: needed when the app requires it, and
// verified whenever it is there. With appsecret_time it signs token|time.
func checkProof(r *request, required bool) *apiError {
	proof := r.param("appsecret_proof")
	if proof == "" {
		if required {
			return errProofMissing.with()
		}
		return nil
	}
	message := r.token
	if at := r.param("appsecret_time"); at != "" {
		unix, ok := parseInt([]byte(at))
		if !ok || r.now.Sub(time.Unix(unix, 0)).Abs() > proofFresh {
			return errProofInvalid.with()
		}
		message += "|" + at
	}
	mac := hmac.New(sha256.New, []byte(AppSecret))
	mac.Write([]byte(message))
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(proof)) {
		return errProofInvalid.with()
	}
	return nil
}

// tokenOf finds the access token of a request: body, then query, then header,
// and says which of them had it.
func tokenOf(r *request) (text, place string) {
	if t := r.form.Get("access_token"); t != "" {
		return t, "body"
	}
	if t := r.query.Get("access_token"); t != "" {
		return t, "query"
	}
	scheme, t, _ := strings.Cut(r.http.Header.Get("Authorization"), " ")
	if t = strings.TrimSpace(t); t != "" && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth")) {
		return t, "header"
	}
	return "", ""
}
