package graphtool

import "sluice/internal/graphtool/tool"

// Photos and albums of Pages, and the pictures on top.

const imageTypes = "image/jpeg image/png image/gif image/bmp"

const photoLimits = "Meta takes JPEG, PNG, GIF or BMP up to 10 MB (PNG best below 1 MB)."

var pagePhotoTools = []*tool.Tool{
	{
		Name: "meta_create_photo_post", Title: "Create Facebook photo post", Set: "pages.write",
		Does: "Publishes, schedules or stores one photo on a Facebook Page, from a public address or a local file.",
		Use:  "For several photos in one post use meta_create_multi_photo_post, for a story meta_publish_page_story.",
		Note: photoLimits + " published=false keeps the photo out of sight, for attached_media of meta_create_post, a story or the cover; unused it goes after about a day.",
		Args: []tool.Arg{
			pageID("Page to post on."),
			tool.URL("url", "Public https address of the photo; Meta fetches it."),
			tool.Upload("photo_path", imageTypes, "Local photo inside the folder for uploads, instead of url.").To("source"),
			tool.Text("caption", "Text of the post.").Max(63206).To("message"),
			tool.Text("alt_text", "Description for people who can't see the photo.").Max(1000).To("alt_text_custom"),
			tool.Bool("published", "false stores the photo unpublished.").Is(true),
			scheduledTime("the photo"),
		},
		OneOf: []string{"url photo_path"}, Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Steps: []tool.Step{
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "photos", When: "scheduled_publish_time", Fixed: map[string]string{"published": "false"},
				Takes: []string{"url", "photo_path", "caption", "alt_text", "scheduled_publish_time"},
			},
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "photos", When: "!scheduled_publish_time",
				Takes: []string{"url", "photo_path", "caption", "alt_text", "published"},
			},
		},
		Out: tool.Out{Heading: "Photo {id}"},
		Cases: []tool.Case{
			{
				Name: "from an address", Args: `{"page_id":"4000000000000001","url":"https://example.com/cup.jpg","caption":"Cup","alt_text":"A blue cup"}`,
				Asks: []string{"POST /4000000000000001/photos `alt_text_custom=A blue cup` message=Cup published=true url=https://example.com/cup.jpg"}, Has: []string{"data.id", "data.post_id"},
			},
			{
				Name: "from a file", Args: `{"page_id":"4000000000000001","photo_path":"picture.png"}`,
				Asks: []string{"POST /4000000000000001/photos published=true source=@picture.png"}, Has: []string{"data.id"},
			},
			{
				Name: "scheduled", Args: `{"page_id":"4000000000000001","url":"https://example.com/cup.jpg","scheduled_publish_time":${now+7200}}`,
				Asks: []string{"POST /4000000000000001/photos published=false scheduled_publish_time=${now+7200}"}, Has: []string{"data.id"},
			},
			{Name: "file outside the folder", Args: `{"page_id":"4000000000000001","photo_path":"../secret.png"}`, Asks: []string{}, Error: "upload_refused", Says: []string{"outside"}},
			{Name: "file that is no picture", Args: `{"page_id":"4000000000000001","photo_path":"notes.txt"}`, Asks: []string{}, Error: "upload_refused"},
			{Name: "neither", Args: `{"page_id":"4000000000000001","caption":"Cup"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"url", "photo_path"}},
			{Name: "address that can't be fetched", Args: `{"page_id":"4000000000000001","url":"https://example.com/broken.jpg"}`, Error: "meta_refused"},
			{Name: "token lacks the permission", Args: `{"page_id":"4000000000000001","url":"https://example.com/cup.jpg"}`, Token: "only:pages_show_list,pages_read_engagement", Error: "scope_missing", Says: []string{"pages_manage_posts"}},
		},
	},
	{
		Name: "meta_create_multi_photo_post", Title: "Create Facebook post with several photos", Set: "pages.write",
		Does: "Publishes or schedules one Facebook Page post with 2 to 10 photos from public addresses, in the order given.",
		Use:  "For one photo use meta_create_photo_post. On Instagram use meta_publish_instagram_carousel.",
		Note: "Each photo is uploaded unpublished first, then the post is made; when a photo fails nothing is public, and the error names photo_ids that can be used again as attached_media of meta_create_post. " + photoLimits,
		Args: []tool.Arg{
			pageID("Page to post on."),
			tool.Text("message", "Text of the post.").Max(63206),
			tool.List("photo_urls", tool.URL("", ""), "Public https addresses of the photos.").Req().Min(2).Max(10).Local(),
			tool.Strings("captions", "A caption for each photo, by place; may be shorter.").Max(10).Local(),
			tool.Bool("published", "false stores the post unpublished.").Is(true),
			scheduledTime("the post"),
		},
		Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Flow: photosFlow{Addresses: "photo_urls", Captions: "captions"},
		Out:  tool.Out{Heading: "Post {id}", Members: "id:id photo_ids:list<id>"},
		Cases: []tool.Case{
			{
				Name: "two photos", Args: `{"page_id":"4000000000000001","message":"Cups","photo_urls":["https://example.com/a.jpg","https://example.com/b.jpg"],"captions":["A"]}`,
				Asks: []string{
					"POST /4000000000000001/photos message=A published=false url=https://example.com/a.jpg",
					"POST /4000000000000001/photos published=false url=https://example.com/b.jpg",
					"POST /4000000000000001/feed message=Cups published=true",
				},
				Has: []string{"data.id", "data.photo_ids.1"},
			},
			{
				Name: "second photo fails", Args: `{"page_id":"4000000000000001","photo_urls":["https://example.com/a.jpg","https://example.com/broken.jpg"]}`,
				Asks:  []string{"POST /4000000000000001/photos url=https://example.com/a.jpg", "POST /4000000000000001/photos url=https://example.com/broken.jpg"},
				Error: "meta_refused", Says: []string{"photo 2 of 2", "120000000000001"},
			},
			{Name: "one photo", Args: `{"page_id":"4000000000000001","photo_urls":["https://example.com/a.jpg"]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"photo_urls"}},
		},
	},
	{
		Name: "meta_get_page_photos", Title: "List Page photos", Set: "pages.read",
		Does: "Lists the photos of one Facebook Page: those it uploaded, those that tag it, or its profile pictures.",
		Use:  "For albums as a whole use meta_get_page_albums.",
		Note: "picture and source are temporary addresses of a small and the largest size: don't store them. name is the caption.",
		Args: tool.Join([]tool.Arg{
			pageID("Page to read."),
			tool.Enum("type", "uploaded tagged profile", "Which photos.").Is("uploaded"),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "photos", Fields: "id,name,picture,source,created_time,link,album{id,name},alt_text_custom,width,height"}},
		Out:   tool.Out{Heading: "Photos of Page {page_id}", Columns: []string{"id", "created_time", "name", "link"}},
		Cases: []tool.Case{
			{Name: "uploaded", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/photos type=uploaded"}, Has: []string{"data.0.id", "data.0.album.name"}},
			{
				Name: "has a new one", Before: []tool.Prior{{Tool: "meta_create_photo_post", Args: `{"page_id":"4000000000000001","url":"https://example.com/new.jpg","caption":"New"}`}},
				Args: `{"page_id":"4000000000000001","limit":1}`, Has: []string{"data.0.name=New"},
			},
			{Name: "type unknown", Args: `{"page_id":"4000000000000001","type":"liked"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"type"}},
		},
	},
	{
		Name: "meta_get_page_albums", Title: "List Page albums", Set: "pages.read",
		Does: "Lists the photo albums of one Facebook Page with their number of photos.",
		Use:  "For the photos themselves use meta_get_page_photos.",
		Note: "Albums that Meta made (profile, cover, timeline) are among them; type tells.",
		Args: append([]tool.Arg{pageID("Page to read.")}, tool.Page(100)...), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "albums", Fields: "id,name,description,count,type,created_time,link"}},
		Out:   tool.Out{Heading: "Albums of Page {page_id}", Columns: []string{"id", "name", "type", "count", "link"}},
		Cases: []tool.Case{
			{Name: "reads", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/albums"}, Has: []string{"data.0.name", "data.0.count", "data.0.type"}},
			{Name: "no page id", Args: `{}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
	{
		Name: "meta_update_page_cover", Title: "Update Page cover photo", Set: "pages.write",
		Does: "Replaces the wide cover photo of one Facebook Page, from a public address or with a photo of the Page.",
		Use:  "For the round picture use meta_update_page_picture.",
		Note: "An address is uploaded as an unpublished photo first, then set. At least 400 x 150 pixels. offset_y says which part of a high photo shows.",
		Args: []tool.Arg{
			pageID("Page to change."),
			tool.URL("cover_url", "Public https address of the photo.").To("url"),
			tool.ID("photo_id", "Photo", "Photo of the Page, from meta_get_page_photos.").Opt().To("cover"),
			tool.Int("offset_y", "Share of the photo's height that is cut off above, in percent.").Min(0).Max(100),
			tool.Bool("no_feed_story", "true sets it without a story in the feed."),
		},
		OneOf: []string{"cover_url photo_id"}, Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{
			{Verb: "POST", On: "Page", ID: "page_id", Edge: "photos", Name: "photo", When: "cover_url", Fixed: map[string]string{"published": "false"}, Takes: []string{"cover_url"}},
			{Verb: "POST", On: "Page", ID: "page_id", When: "cover_url", Fixed: map[string]string{"cover": "$photo.id"}, Takes: []string{"offset_y", "no_feed_story"}},
			{Verb: "POST", On: "Page", ID: "page_id", When: "photo_id", Takes: []string{"photo_id", "offset_y", "no_feed_story"}},
		},
		Out: tool.Out{Heading: "The cover of Page {page_id} was replaced"},
		Cases: []tool.Case{
			{
				Name: "from an address", Args: `{"page_id":"4000000000000001","cover_url":"https://example.com/cover.jpg","offset_y":20,"no_feed_story":true}`,
				Asks: []string{"POST /4000000000000001/photos published=false url=https://example.com/cover.jpg", "POST /4000000000000001 cover=120000000000001 no_feed_story=true offset_y=20"},
				Has:  []string{"data.success=true"},
			},
			{Name: "a photo of the Page", Args: `{"page_id":"4000000000000001","photo_id":"4400000000000001"}`, Asks: []string{"POST /4000000000000001 cover=4400000000000001"}, Has: []string{"data.success=true"}},
			{Name: "both", Args: `{"page_id":"4000000000000001","photo_id":"4400000000000001","cover_url":"https://example.com/cover.jpg"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"cover_url", "photo_id"}},
			{Name: "photo of nobody", Args: `{"page_id":"4000000000000001","photo_id":"4499999999999999"}`, Error: "meta_refused"},
		},
	},
}
