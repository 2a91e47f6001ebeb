package graphtool

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// hashtagMedia finds the id of a hashtag, and then media with it
// (instagram-platform/instagram-api-with-facebook-login/hashtag-search).
type hashtagMedia struct{}

// Calls documents the course.
func (hashtagMedia) Calls() []tool.Call {
	return []tool.Call{
		{Verb: "GET", On: graphspec.Root, Edge: "ig_hashtag_search", Note: "the hashtag's id"},
		{Verb: "GET", On: "IGHashtag", Edge: "top_media"},
		{Verb: "GET", On: "IGHashtag", Edge: "recent_media", Note: "with edge recent_media"},
	}
}

// single reports whether a text is one hashtag, without its #. (The regular expression for it
// takes megabytes.)
func single(hashtag string) bool {
	foreign := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }
	n := utf8.RuneCountInString(hashtag)
	return n > 0 && n < 100 && utf8.ValidString(hashtag) && !strings.ContainsFunc(hashtag, foreign)
}

// Run does it.
func (hashtagMedia) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	name := strings.TrimPrefix(e.Args.Str("hashtag"), "#")
	if !single(name) {
		return nil, tool.Bad("hashtag", "it is no single hashtag", "give letters, digits and underscores, without # and blanks")
	}
	account := e.Args.Str("ig_account_id")
	found, err := e.Ask(ctx, tool.Target{Verb: "GET", On: graphspec.Root, Edge: "ig_hashtag_search"},
		map[string]any{"user_id": account, "q": strings.ToLower(name)})
	if err != nil {
		return nil, err
	}
	list, _ := found["data"].([]any)
	if len(list) == 0 {
		return nil, fault.New(fault.ObjectNotFound, "Instagram has no hashtag #%s", name).WithFix("Check its spelling.")
	}
	first, _ := list[0].(map[string]any)
	ask := map[string]any{"user_id": account, "fields": igPublicFields, "limit": e.Args.Str("limit")}
	if e.Args.Has("after") {
		ask["after"] = e.Args.Str("after")
	}
	media, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "IGHashtag", ID: text(first, "id"), Edge: e.Args.Str("edge")}, ask)
	if err != nil {
		return nil, err
	}
	return tool.Paged(media), nil
}
