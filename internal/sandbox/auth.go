package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// allScopes are the permissions of the documented token.
var allScopes = []string{
	"ads_management", "ads_read", "business_management", "catalog_management", "instagram_basic", "instagram_content_publish",
	"instagram_manage_comments", "instagram_manage_events", "instagram_manage_insights", "instagram_manage_messages",
	"leads_retrieval", "page_events", "pages_manage_engagement", "pages_manage_metadata", "pages_manage_posts", "pages_messaging",
	"pages_read_engagement", "pages_read_user_content", "pages_show_list", "read_insights", "threads_basic",
	"threads_content_publish", "threads_manage_insights", "threads_manage_replies", "threads_read_replies",
	"whatsapp_business_manage_events", "whatsapp_business_management",
}

// token is an access token the sandbox knows. Only its digest is kept, so that
// comparing takes the same time whatever was sent.
type token struct {
	sum     [sha256.Size]byte
	kind    string   // SYSTEM_USER or APP
	scopes  []string // granted permissions
	objects []string // ids its user is assigned to; nil means all
	expires time.Time
	dead    bool // expired wherever the clock is moved
}

func newToken(text, kind string, scopes []string) *token {
	return &token{sum: sha256.Sum256([]byte(text)), kind: kind, scopes: scopes}
}

// documentedTokens are the tokens of the world. Tests add further ones through
// the inspection surface.
func documentedTokens() []*token {
	expired := newToken(TokenExpired, "SYSTEM_USER", allScopes)
	expired.expires, expired.dead = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC), true
	return []*token{
		newToken(Token, "SYSTEM_USER", allScopes),
		expired,
		newToken(App+"|"+AppSecret, "APP", nil),
	}
}

// find returns the token with this text, nil when there is none.
func (w *world) find(text string) *token {
	sum := sha256.Sum256([]byte(text))
	var found *token
	for _, t := range w.tokens {
		if subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1 {
			found = t
		}
	}
	return found
}

// expired reports whether the token is past its last second.
func (t *token) expired(now time.Time) bool {
	return t.dead || !t.expires.IsZero() && !now.Before(t.expires)
}

// errorTime is how Graph writes times in token errors.
func errorTime(t time.Time) string {
	return t.In(time.FixedZone("PST", -8*60*60)).Format("Monday, 02-Jan-06 15:04:05 MST")
}

// verify checks the token itself.
func (w *world) verify(text string, now time.Time) (*token, *apiError) {
	t := w.find(text)
	switch {
	case t == nil:
		return nil, errTokenInvalid.with()
	case t.expired(now):
		return nil, errTokenExpired.with("expired", errorTime(t.expires), "now", errorTime(now))
	}
	return t, nil
}

// allows reports whether one of the scopes is granted; an edge without scopes
// asks for none.
func (t *token) allows(scopes []string) bool {
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(t.scopes, s) })
}

// assigned reports whether the token's user may touch the object.
func (t *token) assigned(id string) bool { return t.objects == nil || slices.Contains(t.objects, id) }

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
