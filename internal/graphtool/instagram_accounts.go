package graphtool

import (
	"context"
	"maps"

	"sluice/internal/graphtool/tool"
)

var instagramAccountTools = []*tool.Tool{
	{
		Name: "meta_list_instagram_accounts", Title: "List Instagram accounts", Set: "instagram.read", Core: true,
		Does: "Lists the Instagram professional accounts that are linked to Pages of this token, with profile and follower counts.",
		Use:  "Call first: every other Instagram tool wants the id from here as ig_account_id. For one account whose id is known use meta_get_instagram_profile; for other people's accounts meta_get_instagram_user.",
		Note: "Personal accounts, and accounts that are linked to no Page, never show.",
		Args: tool.Page(100), Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Run:   listInstagramAccounts,
		Calls: []tool.Call{{Verb: "GET", On: "User", Edge: "accounts", Note: "Pages with their instagram_business_account"}},
		Out: tool.Out{
			Of: "IGUser", List: yes(),
			Members: "username name:text biography:text website:url followers_count:int follows_count:int media_count:int " +
				"profile_picture_url:url page_id:id page_name",
			Columns: []string{"id", "username", "name", "followers_count", "media_count", "page_id"},
		},
		Cases: []tool.Case{
			{
				Name: "accounts", Args: `{}`, Asks: []string{"GET /me/accounts limit=25"},
				Has: []string{"data.0.id=5000000000000001", "data.0.username=sandbox_shop", "data.0.page_id=4000000000000001", "has_more=false"},
			},
			{Name: "no token", Args: `{}`, Token: "none", Error: "auth_required"},
			{Name: "no such page size", Args: `{"limit":0}`, Error: "argument_invalid", Says: []string{"limit"}},
		},
	},
	{
		Name: "meta_get_instagram_profile", Title: "Get own Instagram profile", Set: "instagram.read",
		Does: "Reads the profile of one of your own Instagram professional accounts: name, biography, website, counts, and whether products can be tagged.",
		Use:  "For accounts of others use meta_get_instagram_user, for the list of your own meta_list_instagram_accounts.",
		Args: []tool.Arg{igAccount()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGUser", ID: "ig_account_id", Fields: igProfileFields + ",shopping_product_tag_eligibility",
		}},
		Cases: []tool.Case{
			{
				Name: "profile", Args: `{"ig_account_id":"5000000000000001"}`,
				Has: []string{"data.username=sandbox_shop", "data.followers_count=1840", "untrusted_fields"},
			},
			{Name: "somebody else's", Args: `{"ig_account_id":"5000000000000003"}`, Error: "object_not_found"},
			{Name: "a path", Args: `{"ig_account_id":"1/../me"}`, Error: "argument_invalid", Says: []string{"ig_account_id"}},
		},
	},
	{
		Name: "meta_check_instagram_publishing_limit", Title: "Check Instagram publishing quota", Set: "instagram.read",
		Does:     "Reads how many posts an Instagram account has published through the API in the last 24 hours, and how many it may.",
		Use:      "Before publishing several posts, or after a refusal with subcode 2207042. It says nothing about call limits; for those use meta_get_api_usage.",
		Note:     "A carousel counts once. config.quota_total is what holds, config.quota_duration its time in seconds; no count resets at midnight.",
		Args:     []tool.Arg{igAccount(), tool.Time("since", "Count from this time on instead of the last 24 hours; at most 24 hours back.")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "content_publishing_limit", Fields: "quota_usage,config"}},
		Cases: []tool.Case{
			{
				Name: "nothing yet", Args: `{"ig_account_id":"5000000000000001"}`,
				Asks: []string{"GET /5000000000000001/content_publishing_limit fields=quota_usage,config"},
				Has:  []string{"data.0.quota_usage=0", "data.0.config.quota_total=100"},
			},
			{
				Name: "one photo", Before: []tool.Prior{{
					Tool: "meta_publish_instagram_photo", Args: `{"ig_account_id":"5000000000000001","image_url":"https://cdn.example.com/a.jpg"}`,
				}},
				Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.0.quota_usage=1"},
			},
			{
				Name: "permission missing", Args: `{"ig_account_id":"5000000000000001"}`, Token: mayReadInstagram,
				Error: "scope_missing", Says: []string{"instagram_content_publish"},
			},
		},
	},
	{
		Name: "meta_get_instagram_user", Title: "Look up an Instagram account", Set: "instagram.read",
		Does: "Looks up another Instagram professional account by its user name: profile, counts and its newest posts (business discovery).",
		Use:  "For competitors and partners. For your own account use meta_get_instagram_profile and meta_get_instagram_media.",
		Note: "ig_account_id is your account, which asks. Personal and age-restricted accounts are never found. Insights, stories and comments of others can't be read.",
		Args: []tool.Arg{
			igAccount(),
			tool.Text("username", "User name of the account to look up, without @.").Req().Min(1).Max(31),
			tool.Int("media_limit", "How many of its newest posts to return; 0 for none.").Min(0).Max(50).Is(5),
			tool.Text("media_after", "Cursor for older posts: data.media_next of the answer before.").Like(tool.CursorFormat).Max(2000),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: instagramLookup{Field: "business_discovery", By: "username", Fields: igProfileFields, Media: igMediaFields},
		Out: tool.Out{
			Of: "IGUser",
			Members: "username name:text biography:text website:url followers_count:int follows_count:int media_count:int " +
				"profile_picture_url:url media:list<json> media_next",
			Untrusted: []string{"media.caption"},
		},
		Cases: []tool.Case{
			{
				Name: "bakery", Args: `{"ig_account_id":"5000000000000001","username":"example_bakery","media_limit":2}`,
				Has: []string{"data.username=example_bakery", "data.followers_count=5210", "data.media.1.id", "data.media_next"},
			},
			{
				Name: "profile only", Args: `{"ig_account_id":"5000000000000001","username":"example_bakery","media_limit":0}`,
				Asks: []string{"GET /5000000000000001 fields=business_discovery.username(example_bakery){" + igProfileFields + "}"},
				Has:  []string{"data.name=Example bakery"},
			},
			{
				Name: "a name that would change the call", Args: `{"ig_account_id":"5000000000000001","username":"a){access_token}"}`,
				Error: "argument_invalid", Says: []string{"username"},
			},
			{Name: "nobody", Args: `{"ig_account_id":"5000000000000001","username":"no_such_name"}`, Error: "meta_refused"},
		},
	},
}

// listInstagramAccounts turns the Pages around: one row per Instagram account.
func listInstagramAccounts(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	ask := map[string]any{"limit": e.Args.Str("limit")}
	if e.Args.Has("after") {
		ask["after"] = e.Args.Str("after")
	}
	body, err := e.Call(ctx, tool.Step{
		Verb: "GET", On: "User", ID: "me", Edge: "accounts", Fields: "id,name,instagram_business_account{" + igProfileFields + "}",
	}, ask)
	if err != nil {
		return nil, err
	}
	page, _ := body.(map[string]any)
	answer := tool.Paged(page)
	pages, _ := answer.Data.([]any)
	rows := []any{}
	for _, v := range pages {
		owner, _ := v.(map[string]any)
		account, linked := owner["instagram_business_account"].(map[string]any)
		if !linked {
			continue
		}
		row := maps.Clone(account)
		row["page_id"], row["page_name"] = owner["id"], owner["name"]
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		e.Notice("None of these Pages has an Instagram professional account that the token may see: link one in the Page's settings, and grant instagram_basic.")
	}
	answer.Data = rows
	return answer, nil
}
