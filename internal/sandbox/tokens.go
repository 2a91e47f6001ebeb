package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/sandbox/world"
)

// metaScopes are the permissions of the documented token: all that operations of
// graphspec ask for outside Threads.
var metaScopes = []string{
	"ads_management", "ads_read", "business_management", "catalog_management", "commerce_account_read_orders", "instagram_basic",
	"instagram_content_publish", "instagram_manage_comments", "instagram_manage_engagement", "instagram_manage_events", "instagram_manage_insights",
	"instagram_manage_contents", "instagram_manage_messages", "instagram_shopping_tag_products", "leads_retrieval", "page_events", "pages_manage_ads",
	"pages_manage_cta", "pages_manage_engagement", "pages_manage_instant_articles", "pages_manage_metadata", "pages_manage_posts",
	"pages_messaging", "pages_read_engagement", "pages_read_user_content", "pages_show_list", "pages_user_gender", "pages_user_locale",
	"pages_user_timezone", "public_profile", "publish_video", "read_insights", "read_page_mailboxes",
	"whatsapp_business_manage_events", "whatsapp_business_management", "whatsapp_business_messaging",
}

// threadsScopes are all permissions of Threads (meta-graph §3).
var threadsScopes = []string{
	"threads_basic", "threads_content_publish", "threads_delete", "threads_keyword_search", "threads_location_tagging",
	"threads_manage_insights", "threads_manage_mentions", "threads_manage_replies", "threads_profile_discovery",
	"threads_read_replies", "threads_share_to_instagram",
}

// token is an access token the sandbox knows. Only its digest is kept, so that
// comparing takes the same time whatever was sent.
type token struct {
	sum     [sha256.Size]byte
	n       int      // its place in the list, from 0
	kind    string   // one of world's kinds
	page    string   // of a Page token
	scopes  []string // granted permissions
	objects []string // ids its user is assigned to; nil means all
	expires time.Time
	dead    bool // expired wherever the clock is moved
}

// Grant is a token that a test adds.
type Grant struct {
	Token  string
	Scopes []string
	// Kind is SYSTEM_USER (also when empty), USER, PAGE, APP or THREADS.
	Kind string
	// Page is the Page of a Page token.
	Page string
	// Objects are the ids it may touch; nil: all.
	Objects []string
	Expires time.Time
}

// AddToken makes the sandbox know a token until the next reset.
func (s *Server) AddToken(g Grant) {
	if g.Kind == "" {
		g.Kind = world.KindSystemUser
		if g.Page != "" {
			g.Kind = world.KindPage
		}
	}
	t := newToken(g.Token, g.Kind, slices.Clone(g.Scopes))
	t.page, t.objects, t.expires = g.Page, slices.Clone(g.Objects), g.Expires
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.addToken(t)
}

func newToken(text, kind string, scopes []string) *token {
	return &token{sum: sha256.Sum256([]byte(text)), kind: kind, scopes: scopes}
}

// documentedTokens are the tokens of the world. Tests add further ones through
// the inspection surface. The first is the one that Page tokens come from.
func documentedTokens() []*token {
	expired := newToken(TokenExpired, world.KindSystemUser, metaScopes)
	threads := newToken(ThreadsTokenExpired, world.KindThreads, threadsScopes)
	for _, t := range []*token{expired, threads} {
		t.expires, t.dead = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC), true
	}
	list := []*token{
		newToken(Token, world.KindSystemUser, metaScopes),
		expired,
		newToken(App+"|"+AppSecret, world.KindApp, nil),
		newToken(ThreadsToken, world.KindThreads, threadsScopes),
		threads,
	}
	for i, t := range list {
		t.n = i
	}
	return list
}

func (st *state) addToken(t *token) {
	t.n = len(st.tokens)
	st.tokens = append(st.tokens, t)
}

// find returns the token with this text, nil when there is none.
func (st *state) find(text string) *token {
	sum := sha256.Sum256([]byte(text))
	var found *token
	for _, t := range st.tokens {
		if subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1 {
			found = t
		}
	}
	if rest, ok := strings.CutPrefix(text, PageTokenPrefix); ok && found == nil {
		return st.pageToken(rest)
	}
	return found
}

// pageToken reads a derived Page token: the Page's id, and behind a hyphen the place of
// the token it came from, where that is not the documented one. It has that one's
// permissions and ends with it.
func (st *state) pageToken(rest string) *token {
	id, n, derived := strings.Cut(rest, "-")
	at := 0
	if derived {
		var err error
		if at, err = strconv.Atoi(n); err != nil || at < 0 || at >= len(st.tokens) {
			return nil
		}
	}
	if o := st.Get(id); o == nil || o.Kind != "Page" {
		return nil
	}
	t := *st.tokens[at]
	t.kind, t.page = world.KindPage, id
	return &t
}

// pageTokenFor is the text of the token of a Page for who has t; "" where t's user has
// no access to the Page, or the token can't see Pages.
func (st *state) pageTokenFor(t *token, page string) string {
	switch {
	case t.kind == world.KindPage && t.page != page, t.kind == world.KindApp, t.kind == world.KindThreads:
		return ""
	case !t.assigned(page), !slices.Contains(t.scopes, "pages_show_list") && !slices.Contains(t.scopes, "pages_read_engagement"):
		return ""
	case t.n == 0:
		return PageTokenPrefix + page
	}
	return PageTokenPrefix + page + "-" + strconv.Itoa(t.n)
}

// me is the object that a token's "me" is.
func (t *token) me() string {
	switch t.kind {
	case world.KindPage:
		return t.page
	case world.KindThreads:
		return ThreadsAccount
	case world.KindApp:
		return App
	}
	return SystemUser
}

// granted is the token as the world sees it.
func (st *state) granted(t *token) *world.Token {
	return &world.Token{
		Kind: t.kind, Scopes: t.scopes, Page: t.page, User: t.me(),
		Sees:      t.assigned,
		PageToken: func(page string) string { return st.pageTokenFor(t, page) },
	}
}

// expired reports whether the token is past its last second.
func (t *token) expired(now time.Time) bool {
	return t.dead || !t.expires.IsZero() && !now.Before(t.expires)
}

// verify checks the token itself.
func (st *state) verify(text string, now time.Time) (*token, *apiError) {
	t := st.find(text)
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

// assets are the node types that people are assigned to one by one; what hangs below
// them comes with them.
var assets = []string{"Page", "AdAccount", "Business", "ProductCatalog", kindDataset}

// reaches reports whether the token's user may touch an object: it, or the asset that it
// belongs to, is assigned.
func (st *state) reaches(t *token, o *world.Object) bool {
	for ; o != nil; o = st.Get(o.Owner) {
		if t.assigned(o.ID) {
			return true
		}
		if slices.Contains(assets, o.Kind) {
			return false
		}
	}
	return true
}

// assigned reports whether the token's user is assigned to the object itself.
func (t *token) assigned(id string) bool { return t.objects == nil || slices.Contains(t.objects, id) }
