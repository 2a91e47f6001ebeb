package graphtool

import (
	"context"
	"encoding/json"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// inbox is the messages of one platform. Both are reached through a Page: on
// graph.facebook.com the direct messages of an Instagram account are at the Page that
// it is linked to, with that Page's token.
type inbox struct {
	Platform string // messenger or instagram
	Account  string // argument that names the Instagram account, where there is one
}

// linkedPages bounds how many pages of the list of Pages are read in search of the one
// that an Instagram account is linked to.
const linkedPages = 10

// page finds the Page to go through: the one that is named, the one that is linked to
// the Instagram account that is named, or the only one with an Instagram account.
func (b inbox) page(ctx context.Context, e *tool.Env) (string, error) {
	if id := e.Args.Str("page_id"); id != "" {
		return id, nil
	}
	account := e.Args.Str(b.Account)
	if account == "" && e.Settings.Page != "" {
		return e.Settings.Page, nil
	}
	var found []string
	query := map[string]any{"fields": "id,instagram_business_account", "limit": "100"}
	for range linkedPages {
		list, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "User", ID: "me", Edge: "accounts"}, query)
		if err != nil {
			return "", err
		}
		for _, v := range members(list, "data") {
			page, _ := v.(map[string]any)
			linked, _ := page["instagram_business_account"].(map[string]any)
			switch id := text(linked, "id"); {
			case id == "":
			case account == "":
				found = append(found, text(page, "id"))
			case id == account:
				return text(page, "id"), nil
			}
		}
		next := tool.Paged(list)
		if !next.HasMore {
			break
		}
		query["after"] = next.Next
	}
	switch {
	case account != "":
		return "", fault.New(fault.ObjectNotFound, "none of the token's Pages is linked to this Instagram account").
			WithFix("Give page_id, or assign the linked Page to the token's user; meta_list_pages shows the Pages there are.")
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", fault.New(fault.ObjectNotFound, "none of the token's Pages has an Instagram account").
			WithFix("Link the account to a Page, or assign that Page to the token's user.")
	}
	return "", tool.Bad("page_id", "is needed: several Pages have an Instagram account", "Name the Page that the account is linked to.")
}

// inboxList reads a list of an Instagram inbox: its conversations, or with Conversation
// the messages of one.
type inboxList struct {
	inbox
	Conversation string // argument
	Fields       string
}

// Calls documents it.
func (f inboxList) Calls() []tool.Call {
	find := tool.Call{Verb: "GET", On: "User", Edge: "accounts", Note: "finds the Page, unless page_id names it"}
	if f.Conversation != "" {
		return []tool.Call{find, {Verb: "GET", On: "Conversation", Edge: "messages"}}
	}
	return []tool.Call{find, {Verb: "GET", On: "Page", Edge: "conversations"}}
}

// Run reads.
func (f inboxList) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	page, err := f.page(ctx, e)
	if err != nil {
		return nil, err
	}
	query, err := e.Params("page_id", f.Account, f.Conversation)
	if err != nil {
		return nil, err
	}
	query["fields"] = f.Fields
	at := tool.Target{Verb: "GET", On: "Conversation", ID: e.Args.Str(f.Conversation), Edge: "messages", Page: page}
	if f.Conversation == "" {
		query["platform"] = f.Platform
		at = tool.Target{Verb: "GET", On: "Page", ID: page, Edge: "conversations", Page: page}
	}
	list, err := e.Ask(ctx, at, query)
	if err != nil {
		return nil, err
	}
	return tool.Paged(list), nil
}

// members is a list inside an answer.
func members(m map[string]any, name string) []any {
	list, _ := m[name].([]any)
	return list
}

// text is a member of an answer as text, "" when there is none.
func text(m map[string]any, name string) string {
	switch v := m[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
