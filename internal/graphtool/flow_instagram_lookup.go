package graphtool

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// instagramLookup reads what belongs to somebody else through a field of one's own
// account that takes an argument: business_discovery.username(name){…}. What goes into
// the brackets is checked first, since it becomes part of the fields parameter.
type instagramLookup struct {
	Field  string // business_discovery, mentioned_media
	By     string // argument in the brackets, and the modifier's name
	Fields string // asked of what is found
	// Media are the fields of its posts, for a lookup that lists them; media_limit and
	// media_after page through them.
	Media string
}

// Calls documents the call.
func (f instagramLookup) Calls() []tool.Call {
	return []tool.Call{{Verb: "GET", On: "IGUser", Note: "field " + f.Field + "." + f.By + "(…)"}}
}

var (
	userName   = regexp.MustCompile(`^[A-Za-z0-9._]{1,30}$`)
	cursorText = regexp.MustCompile(`^[A-Za-z0-9_\-=+/]+$`)
)

// Run reads it.
func (f instagramLookup) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	value := e.Args.Str(f.By)
	if f.By == "username" {
		value = strings.TrimPrefix(value, "@")
		if !userName.MatchString(value) {
			return nil, tool.Bad("username", "it is no Instagram user name", "give letters, digits, dots and underscores, at most 30, without @")
		}
	}
	wanted := f.Fields
	if n := e.Args.Int("media_limit"); f.Media != "" && n > 0 {
		after := ""
		if e.Args.Has("media_after") {
			if !cursorText.MatchString(e.Args.Str("media_after")) {
				return nil, tool.Bad("media_after", "it is no cursor", "give data.media_next of the answer before")
			}
			after = ".after(" + e.Args.Str("media_after") + ")"
		}
		wanted += fmt.Sprintf(",media%s.limit(%d){%s}", after, n, f.Media)
	}
	body, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "IGUser", ID: e.Args.Str("ig_account_id")},
		map[string]any{"fields": fmt.Sprintf("%s.%s(%s){%s}", f.Field, f.By, value, wanted)})
	if err != nil {
		return nil, err
	}
	found, ok := body[f.Field].(map[string]any)
	if !ok {
		return nil, fault.New(fault.ObjectNotFound, "Meta found nothing for this %s", f.By).
			WithFix("Check it; only what mentions this account, or public professional accounts, can be looked up.")
	}
	data := maps.Clone(found)
	if page, ok := found["media"].(map[string]any); ok && f.Media != "" {
		media := tool.Paged(page)
		data["media"] = media.Data
		if next := mediaCursor(page); next != "" {
			data["media_next"] = next
		}
	}
	return &tool.Answer{Data: data}, nil
}

// mediaCursor is where the next posts begin. Nested lists come with cursors alone, so
// that there may be nothing behind the last one.
func mediaCursor(page map[string]any) string {
	paging, _ := page["paging"].(map[string]any)
	cursors, _ := paging["cursors"].(map[string]any)
	return text(cursors, "after")
}
