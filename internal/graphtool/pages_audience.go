package graphtool

import "sluice/internal/graphtool/tool"

// Who may take part on a Page, and which app hears of it.

const unsubscribeWarning = "From then on messages, comments and leads of the Page don't reach the app."

var pageAudienceTools = []*tool.Tool{
	{
		Name: "meta_get_blocked_users", Title: "List people blocked on a Page", Set: "pages.read",
		Does: "Lists the people who are blocked on one Facebook Page.",
		Use:  "Before meta_block_user, to see who is blocked already.",
		Note: "Only id and name: the ids are those the Page knows the people by.",
		Args: append([]tool.Arg{pageID("Page to read.")}, tool.Page(100)...), Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "blocked", Fields: "id,name"}},
		Out:   tool.Out{Heading: "Blocked on Page {page_id}", Columns: []string{"id", "name"}},
		Cases: []tool.Case{
			{Name: "lists", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/blocked"}, Has: []string{"data.0.name=Customer Nine"}},
			{Name: "token lacks the permission", Args: `{"page_id":"4000000000000001"}`, Token: "none", Asks: []string{}, Error: "auth_required"},
		},
	},
	{
		Name: "meta_block_user", Title: "Block or unblock a person on a Page", Set: "pages.write",
		Does: "Blocks one person on a Facebook Page, or lifts the block with unblock.",
		Use:  "Against abuse. For a single bad comment meta_hide_comment is milder. List blocks with meta_get_blocked_users.",
		Note: "A blocked person can still see the Page but not comment, like or write to it. Give the id under the name of its kind: user_id, psid (from Messenger) or asid (from an app's login).",
		Args: []tool.Arg{
			pageID("Page on which to block."),
			tool.ID("user_id", "Profile", "The person, as comments and posts of the Page name them.").Opt().To("uid"),
			tool.ID("psid", "Profile", "The person, as Messenger conversations name them.").Opt(),
			tool.ID("asid", "Profile", "The person, as a login into your app names them.").Opt(),
			tool.Bool("unblock", "Lift the block instead.").Local(),
		},
		OneOf:    []string{"user_id psid asid"},
		Category: tool.Write, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{
			{Verb: "DELETE", On: "Page", ID: "page_id", Edge: "blocked", When: "unblock", Takes: []string{"user_id", "psid", "asid"}},
			{Verb: "POST", On: "Page", ID: "page_id", Edge: "blocked", When: "!unblock", Takes: []string{"user_id", "psid", "asid"}},
		},
		Out: tool.Out{Heading: "Blocks of Page {page_id} were changed", Members: "success:bool"},
		Cases: []tool.Case{
			{Name: "blocks", Args: `{"page_id":"4000000000000001","user_id":"4010000000000002"}`, Asks: []string{"POST /4000000000000001/blocked uid=4010000000000002"}, Has: []string{"data.4010000000000002=true"}},
			{
				Name: "unblocks", Before: []tool.Prior{{Tool: "meta_block_user", Args: `{"page_id":"4000000000000001","psid":"4010000000000002"}`}},
				Args: `{"page_id":"4000000000000001","psid":"4010000000000002","unblock":true}`,
				Asks: []string{"DELETE /4000000000000001/blocked psid=4010000000000002"}, Has: []string{"data.success=true"},
			},
			{Name: "nobody", Args: `{"page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"user_id", "psid"}},
			{Name: "two ids", Args: `{"page_id":"4000000000000001","user_id":"1","psid":"2"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"only one"}},
			{Name: "a stranger", Args: `{"page_id":"4000000000000001","user_id":"77"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_subscribe_page_webhooks", Title: "Subscribe an app to a Page's webhooks", Set: "pages.write",
		Does: "Sets which changes of one Facebook Page Meta reports to this app's webhook; without fields it only shows what is set.",
		Use:  "For reading alone meta_get_page_webhooks is safer. To end all reports use meta_unsubscribe_page_webhooks.",
		Note: "The list replaces the app's old one for the Page: repeat what should stay. Other apps are not touched. Each field needs its own permission (messages: pages_messaging, leadgen: leads_retrieval).",
		Args: []tool.Arg{
			pageID("Page to subscribe to."),
			tool.Strings("subscribed_fields", "All fields to be reported: feed, messages, messaging_postbacks, leadgen, mention, ratings, live_videos …").Max(100).Comma(),
		},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{
			{Verb: "GET", On: "Page", ID: "page_id", Edge: "subscribed_apps", When: "!subscribed_fields"},
			{Verb: "POST", On: "Page", ID: "page_id", Edge: "subscribed_apps", When: "subscribed_fields", Takes: []string{"subscribed_fields"}},
		},
		Out: tool.Out{Heading: "Webhooks of Page {page_id}", Members: "data:list<SubscribedApp>", Drop: []string{"paging"}},
		Cases: []tool.Case{
			{
				Name: "subscribes", Args: `{"page_id":"4000000000000001","subscribed_fields":["feed","messages"]}`,
				Asks: []string{"POST /4000000000000001/subscribed_apps subscribed_fields=feed,messages"}, Has: []string{"data.success=true"},
			},
			{Name: "shows", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/subscribed_apps"}, Has: []string{"data.data.0.id=8000000000000001"}},
			{Name: "no such field", Args: `{"page_id":"4000000000000001","subscribed_fields":["everything"]}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_get_page_webhooks", Title: "Show a Page's webhook subscriptions", Set: "pages.read",
		Does: "Lists the apps that one Facebook Page reports to, with the fields of this app.",
		Use:  "Before meta_subscribe_page_webhooks, whose list replaces the one shown here.",
		Note: "subscribed_fields comes only for the app that the token belongs to.",
		Args: append([]tool.Arg{pageID("Page to read.")}, tool.Page(100)...), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "subscribed_apps", Fields: "id,name,link,category,subscribed_fields"}},
		Out:   tool.Out{Heading: "Webhooks of Page {page_id}", Columns: []string{"id", "name", "subscribed_fields"}},
		Cases: []tool.Case{
			{
				Name: "after a subscription", Before: []tool.Prior{{Tool: "meta_subscribe_page_webhooks", Args: `{"page_id":"4000000000000001","subscribed_fields":["leadgen"]}`}},
				Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/subscribed_apps"}, Has: []string{"data.0.id=8000000000000001", "data.0.subscribed_fields.0=leadgen"},
			},
			{Name: "no page id", Args: `{"page_id":""}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
	{
		Name: "meta_unsubscribe_page_webhooks", Title: "End a Page's webhooks for this app", Set: "pages.write",
		Does: "Ends all webhook reports of one Facebook Page to this app.",
		Use:  "To drop single fields give the rest to meta_subscribe_page_webhooks instead.",
		Note: unsubscribeWarning + " Subscribing again brings them back, but not what happened in between.",
		Args: []tool.Arg{pageID("Page to end the reports of.")}, Category: tool.Destructive, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "Page", ID: "page_id", Edge: "subscribed_apps"}},
		Out:   tool.Out{Heading: "Page {page_id} reports nothing to this app any more"},
		Cases: []tool.Case{
			{Name: "ends", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"DELETE /4000000000000001/subscribed_apps"}, Has: []string{"data.success=true"}},
			{Name: "id with a slash", Args: `{"page_id":"1/../me"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
}
