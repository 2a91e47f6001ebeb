package graphtool

import "sluice/internal/graphtool/tool"

var pageCrossTools = []*tool.Tool{
	{
		Name: "meta_cross_post", Title: "Publish on Facebook Page and Instagram", Set: "pages.write",
		Does: "Publishes the same text with one picture or video on a Facebook Page and on an Instagram account.",
		Use:  "For one of both use meta_create_post, meta_publish_page_reel, meta_publish_instagram_photo or meta_publish_instagram_reel, which take more options.",
		Note: "Instagram takes the medium in first; if that fails, nothing is published. A video becomes a reel on both. Text alone goes to the Page only. If Instagram fails at the end, the error names the Page's post and the container to carry on with.",
		Args: []tool.Arg{
			pageID("Page to publish on."),
			tool.ID("ig_account_id", "IGUser", "Instagram account to publish on, from meta_list_instagram_accounts."),
			tool.Text("message", "Text on both; Instagram takes 2200 characters and 30 hashtags.").Req().Min(1).Max(2200),
			tool.URL("image_url", "Public https address of a JPEG."),
			tool.URL("video_url", "Public https address of an upright MP4 or MOV, 3 to 90 seconds."),
		},
		Rules:    []tool.Rule{tool.AtMostOne("image_url", "video_url")},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: crossFlow{},
		Out:  tool.Out{Heading: "Page and Instagram", Members: "page:map instagram:map"},
		Cases: []tool.Case{
			{
				Name: "picture", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea","image_url":"https://example.com/tea.jpg"}`,
				Has: []string{"data.page.status=published", "data.page.id", "data.instagram.status=published", "data.instagram.id"},
			},
			{
				Name: "video", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea","video_url":"https://example.com/tea.mp4"}`,
				Has: []string{"data.page.status=published", "data.instagram.status=published"},
			},
			{
				Name: "text alone", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea"}`,
				Asks: []string{"POST /4000000000000001/feed message=Tea"}, Has: []string{"data.page.status=published", "data.instagram.status=skipped", "notices"},
			},
			{
				Name: "Instagram can't take it in", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea","video_url":"https://example.com/broken.mp4"}`,
				Error: "meta_refused", Says: []string{"nothing was published"},
			},
			{
				Name: "Instagram fails at the end", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea","image_url":"https://example.com/tea.jpg"}`,
				Faults: `{"kind":"error","edge":"media_publish","code":100}`, Error: "meta_refused", Says: []string{"on the Page", "not on Instagram", "meta_publish_instagram_container"},
			},
			{Name: "both media", Args: `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea","image_url":"https://example.com/a.jpg","video_url":"https://example.com/a.mp4"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"video_url"}},
		},
	},
}
