package graphtool

import "sluice/internal/graphtool/tool"

// Arguments that posts share.
func igCaptionArg() tool.Arg {
	return tool.Text("caption", "Text under the post: at most 2,200 characters, 30 hashtags and 20 @mentions.").Max(2200)
}

func igScheduled() tool.Arg {
	return tool.Time("scheduled_publish_time", "Refused: Meta's API can't schedule Instagram posts. See publish.").Local()
}

func igPublishNow() tool.Arg {
	return tool.Bool("publish", "false only makes the container, for review or a later time; publish it within 24 hours with meta_publish_instagram_container.").Is(true).Local()
}

func igCollaborators() tool.Arg {
	return tool.Strings("collaborators", "User names to invite as co-authors; the post shows on their profile once they accept.").Min(1).Max(3)
}

func igAlt() tool.Arg {
	return tool.Text("alt_text", "What the picture shows, for people who don't see it.").Max(1000)
}

func igLocation() tool.Arg {
	return tool.ID("location_id", "Page", "Page with a street address, shown as the place.").Opt()
}

func igMade() tool.Arg {
	return tool.Bool("is_ai_generated", "true labels the post as made with AI.")
}

func igPartnership() []tool.Arg {
	return []tool.Arg{
		tool.Bool("is_paid_partnership", "true labels the post as a paid partnership."),
		tool.IDs("branded_content_sponsor_ids", "IGUser", "Brands of the paid partnership: their Instagram ids, as meta_get_instagram_user finds them.").Min(1).Max(2),
	}
}

func igTagged(doc string) tool.Arg {
	return tool.List("user_tags", tool.Object("", "",
		tool.Text("username", "User name without @; the account must be public.").Req().Min(1).Max(30),
		tool.Number("x", "From the left edge, 0.0 to 1.0; photos only.").Min(0).Max(1),
		tool.Number("y", "From the top edge, 0.0 to 1.0; photos only.").Min(0).Max(1),
	), doc).Max(20)
}

func igProductTags(name string, most int, doc string) tool.Arg {
	return tool.List(name, tool.Object("", "",
		tool.ID("product_id", "ProductItem", "Product, as meta_search_instagram_catalog_products lists it."),
		tool.Number("x", "From the left edge, 0.0 to 1.0; needed on photos.").Min(0).Max(1),
		tool.Number("y", "From the top edge, 0.0 to 1.0; needed on photos.").Min(0).Max(1),
	), doc).Max(float64(most))
}

// igPosted is what publishing answers.
var igPosted = tool.Out{
	Of: "IGMedia", List: new(bool),
	Members: "permalink:url media_type media_product_type timestamp:time container_id:id child_container_ids:list<id>",
}

const (
	shop   = `"ig_account_id":"5000000000000001"`
	broken = `https://cdn.example.com/broken`

	twoParts = `,"publish":false,"items":[{"url":"https://cdn.example.com/1.jpg","type":"IMAGE"},{"url":"https://cdn.example.com/2.jpg","type":"IMAGE"}]}`
)

var instagramPublishTools = []*tool.Tool{
	{
		Name: "meta_publish_instagram_photo", Title: "Publish Instagram photo", Set: "instagram.write", Core: true,
		Does: "Publishes one photo from a public address as a post of an Instagram account: makes the container, waits until Meta has it, publishes.",
		Use:  "For a single picture in the feed. Several: meta_publish_instagram_carousel; video: meta_publish_instagram_reel; for 24 hours only: meta_publish_instagram_story.",
		Note: "Public at once. JPEG, at most 8 MB, between 4:5 and 1.91:1; the address must stay up until published. Counts against meta_check_instagram_publishing_limit. When Meta needs too long you get not_ready with the container to publish later.",
		Args: tool.Join([]tool.Arg{
			igAccount(), tool.URL("image_url", "Public https address of the JPEG itself.").Req(), igCaptionArg(), igAlt(), igLocation(),
			igCollaborators(), igTagged("People in the picture, with their place in it."), igProductTags("product_tags", 5, "Products to tag; the account needs an approved shop."),
			igMade(), igPublishNow(), igScheduled(),
		}, igPartnership()),
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: instagramPost{containerFlow: containerFlow{publishing: instagramPublishing, Fixed: map[string]string{}}},
		Out:  igPosted,
		Cases: []tool.Case{
			{
				Name: "photo", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","caption":"New #linen","alt_text":"A bag"}`,
				Asks: []string{
					"POST /5000000000000001/media image_url=https://cdn.example.com/a.jpg `caption=New #linen` `alt_text=A bag`",
					"GET /120000000000001 fields=status_code,status",
					"POST /5000000000000001/media_publish creation_id=120000000000001",
					"GET /120000000000002 fields=" + instagramPublishing.Show,
				},
				Has: []string{"data.id=120000000000002", "data.media_product_type=FEED", "data.permalink", "data.container_id=120000000000001"},
			},
			{
				Name: "with tags and co-authors",
				Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","collaborators":["example_bakery"],"user_tags":[{"username":"customer_one","x":0.2,"y":0.3}],` +
					`"product_tags":[{"product_id":"7100000000000001","x":0.5,"y":0.5}],"location_id":"4000000000000001","is_ai_generated":true,` +
					`"is_paid_partnership":true,"branded_content_sponsor_ids":["5000000000000003"]}`,
				Has: []string{"data.id"},
			},
			{
				Name: "container only", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","publish":false}`,
				Asks: []string{"POST /5000000000000001/media"}, Has: []string{"data.container_id", "notices"},
			},
			{
				Name: "scheduled", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","scheduled_publish_time":${now+3600}}`,
				Error: "unsupported", Says: []string{"can't schedule", "publish=false"},
			},
			{Name: "not https", Args: `{` + shop + `,"image_url":"http://cdn.example.com/a.jpg"}`, Error: "argument_invalid", Says: []string{"image_url"}},
			{
				Name: "too many hashtags", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","caption":"` + manyTags + `"}`,
				Error: "argument_invalid", Says: []string{"31 hashtags"},
			},
			{
				Name: "Meta can't read it", Args: `{` + shop + `,"image_url":"` + broken + `.jpg"}`,
				Error: "meta_refused", Says: []string{"2207052"},
			},
			{
				Name: "finished, yet not there for some seconds", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg"}`,
				Faults: `{"kind":"error","edge":"media_publish","name":"media_not_ready","next":1}`,
				Asks: []string{
					"POST /5000000000000001/media", "GET /120000000000001", "POST /5000000000000001/media_publish",
					"POST /5000000000000001/media_publish", "GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002"},
			},
			{
				Name: "quota used up", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg"}`,
				Faults: `{"kind":"error","edge":"media_publish","name":"ig_quota"}`, Error: "rate_limited", Says: []string{"meta_check_instagram_publishing_limit"},
			},
			{
				Name: "account restricted", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg"}`,
				Faults: `{"kind":"error","edge":"media_publish","name":"ig_restricted"}`, Error: "meta_policy",
			},
			{
				Name: "published, and the answer lost", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg"}`,
				Faults: `{"kind":"drop_after","edge":"media_publish","next":1}`, Error: "done_already", Says: []string{"don't publish again"},
			},
			{
				Name: "Meta can't fetch it", Args: `{` + shop + `,"image_url":"https://cdn.example.com/unreachable.jpg"}`,
				Error: "meta_refused",
			},
		},
	},
	{
		Name: "meta_publish_instagram_reel", Title: "Publish Instagram reel", Set: "instagram.write",
		Does: "Publishes one video as a reel of an Instagram account, from a public address or a local file, and waits for Meta's processing.",
		Use:  "For any single video; the API has no other video post. For 24 hours only use meta_publish_instagram_story, for a Facebook Page meta_publish_page_reel.",
		Note: "Public at once. 9:16, 3 seconds to 15 minutes, MP4 or MOV, at most 300 MB. Waits up to 5 minutes, then answers not_ready with the container for meta_publish_instagram_container. Trial reels show to people who don't follow first.",
		Args: tool.Join([]tool.Arg{
			igAccount(),
			tool.URL("video_url", "Public https address of the video itself. Give this or video_file."),
			tool.Text("video_file", "Video inside the folder for uploads, sent by resumable upload. Give this or video_url.").Like(tool.FileFormat).Local(),
			igCaptionArg(),
			tool.Bool("share_to_feed", "true shows it in the feed as well as under reels.").Is(true),
			tool.URL("cover_url", "Public https address of the cover picture; goes before thumb_offset."),
			tool.Int("thumb_offset", "Milliseconds into the video of the frame that is the cover.").Min(0),
			tool.Text("audio_name", "Name for the original sound, as the music icon shows it; can be set once.").Max(100),
			igCollaborators(), igTagged("People in the video; no places."), igProductTags("product_tags", 30, "Products to tag, no places; the account needs an approved shop."),
			igLocation(),
			tool.Object("trial_params", "Makes it a trial reel.",
				tool.Enum("graduation_strategy", "MANUAL SS_PERFORMANCE", "MANUAL: a person shows it to followers in the app; SS_PERFORMANCE: Instagram does when it performs well.").Req()),
			igMade(), igPublishNow(), igScheduled(),
		}, igPartnership()),
		OneOf:    []string{"video_url video_file"},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: instagramPost{containerFlow: containerFlow{publishing: instagramPublishing, Fixed: map[string]string{"media_type": "REELS"}}, File: "video_file"},
		Out:  igPosted,
		Cases: []tool.Case{
			{
				Name: "reel", Args: `{` + shop + `,"video_url":"https://cdn.example.com/a.mp4","caption":"Folding","thumb_offset":1500,"trial_params":{"graduation_strategy":"MANUAL"}}`,
				Asks: []string{
					"POST /5000000000000001/media media_type=REELS video_url=https://cdn.example.com/a.mp4 share_to_feed=true thumb_offset=1500 trial_params={\"graduation_strategy\":\"MANUAL\"}",
					"GET /120000000000001", "GET /120000000000001", "GET /120000000000001",
					"POST /5000000000000001/media_publish creation_id=120000000000001",
					"GET /120000000000002",
				},
				Has: []string{"data.media_product_type=REELS"},
			},
			{
				Name: "local file", Args: `{` + shop + `,"video_file":"film.mp4"}`,
				Asks: []string{
					"POST /5000000000000001/media media_type=REELS upload_type=resumable",
					"POST /ig-api-upload/v26.0/120000000000001",
					"GET /120000000000001", "GET /120000000000001", "GET /120000000000001",
					"POST /5000000000000001/media_publish creation_id=120000000000001",
					"GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002"},
			},
			{
				Name: "local file, the line breaks", Args: `{` + shop + `,"video_file":"film.mp4"}`, Faults: `{"kind":"drop_after","edge":"ig-api-upload"}`,
				Asks: []string{
					"POST /5000000000000001/media upload_type=resumable", "POST /ig-api-upload/v26.0/120000000000001", "GET /120000000000001 fields=video_status",
					"GET /120000000000001", "GET /120000000000001", "GET /120000000000001", "POST /5000000000000001/media_publish", "GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002"},
			},
			{Name: "file outside the folder", Args: `{` + shop + `,"video_file":"../film.mp4"}`, Error: "upload_refused"},
			{Name: "a picture", Args: `{` + shop + `,"video_file":"picture.png"}`, Error: "upload_refused", Says: []string{"video/mp4"}},
			{Name: "no video", Args: `{` + shop + `}`, Error: "argument_invalid", Says: []string{"video_url"}},
			{
				Name: "Meta can't read it", Args: `{` + shop + `,"video_url":"` + broken + `.mp4"}`,
				Error: "meta_refused", Says: []string{"2207026", "120000000000001", "H.264"},
			},
			{
				Name: "Meta needs longer", Args: `{` + shop + `,"video_url":"https://cdn.example.com/slow.mp4"}`,
				Error: "not_ready", Says: []string{"120000000000001", "meta_publish_instagram_container"},
			},
			{Name: "scheduled", Args: `{` + shop + `,"video_url":"https://cdn.example.com/a.mp4","scheduled_publish_time":${now+3600}}`, Error: "unsupported"},
		},
	},
	{
		Name: "meta_publish_instagram_story", Title: "Publish Instagram story", Set: "instagram.write",
		Does: "Publishes one picture or video from a public address as a story of an Instagram account, visible for 24 hours.",
		Use:  "For what may vanish. To stay in the profile use meta_publish_instagram_photo or meta_publish_instagram_reel; for a Page's story meta_publish_page_story.",
		Note: "Public at once. Stickers, links, music and captions can't be added through the API. Video: 3 to 60 seconds, 9:16, at most 100 MB; picture: JPEG, at most 8 MB.",
		Args: []tool.Arg{
			igAccount(),
			tool.URL("media_url", "Public https address of the file itself.").Req().Local(),
			tool.Enum("media_type", "IMAGE VIDEO", "What the address holds.").Req().Local(),
			igTagged("People to mention, on pictures with their place."), igMade(), igPublishNow(),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: instagramPost{
			containerFlow: containerFlow{publishing: instagramPublishing, Fixed: map[string]string{"media_type": "STORIES"}}, Media: "media_url", Type: "media_type",
		},
		Out: igPosted,
		Cases: []tool.Case{
			{
				Name: "picture", Args: `{` + shop + `,"media_url":"https://cdn.example.com/s.jpg","media_type":"IMAGE"}`,
				Asks: []string{
					"POST /5000000000000001/media media_type=STORIES image_url=https://cdn.example.com/s.jpg", "GET /120000000000001",
					"POST /5000000000000001/media_publish", "GET /120000000000002",
				},
				Has: []string{"data.media_product_type=STORY"},
			},
			{Name: "video", Args: `{` + shop + `,"media_url":"https://cdn.example.com/s.mp4","media_type":"VIDEO"}`, Has: []string{"data.media_type=VIDEO"}},
			{Name: "neither", Args: `{` + shop + `,"media_url":"https://cdn.example.com/s.gif","media_type":"GIF"}`, Error: "argument_invalid", Says: []string{"media_type"}},
		},
	},
	{
		Name: "meta_publish_instagram_carousel", Title: "Publish Instagram carousel", Set: "instagram.write", Core: true,
		Does: "Publishes 2 to 10 pictures and videos, mixed in any order, as one carousel post of an Instagram account.",
		Use:  "For a single picture use meta_publish_instagram_photo, for a single video meta_publish_instagram_reel.",
		Note: "Public at once; counts once against the quota. All parts are cut to the shape of the first. When a part fails nothing is published, and the error names the parts that were made: those that are fine can be given again as child_container_ids.",
		Args: tool.Join([]tool.Arg{
			igAccount(),
			tool.List("items", tool.Object("", "",
				tool.URL("url", "Public https address of the JPEG, MP4 or MOV itself.").Req(),
				tool.Enum("type", "IMAGE VIDEO", "What the address holds.").Req(),
				igAlt(), igTagged("People in it, on pictures with their place."), igProductTags("product_tags", 5, "Products to tag in it."),
			), "The parts, in order.").Min(1).Max(10).Local(),
			tool.IDs("child_container_ids", "IGContainer", "Part containers that an earlier call made; they come before items.").Min(1).Max(10).Local(),
			igCaptionArg(), igCollaborators(), igLocation(), igMade(), igPublishNow(), igScheduled(),
		}, igPartnership()),
		AnyOf:    []string{"items child_container_ids"},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: instagramPost{containerFlow: containerFlow{
			publishing: instagramPublishing, Fixed: map[string]string{"media_type": "CAROUSEL"},
			Items: "items", Item: instagramPart, Children: "child_container_ids",
		}},
		Out: igPosted,
		Cases: []tool.Case{
			{
				Name: "a picture and a video",
				Args: `{` + shop + `,"caption":"Both","items":[{"url":"https://cdn.example.com/1.jpg","type":"IMAGE","alt_text":"One"},{"url":"https://cdn.example.com/2.mp4","type":"VIDEO"}]}`,
				Asks: []string{
					"POST /5000000000000001/media is_carousel_item=true image_url=https://cdn.example.com/1.jpg alt_text=One",
					"POST /5000000000000001/media is_carousel_item=true media_type=VIDEO video_url=https://cdn.example.com/2.mp4",
					"GET /120000000000001", "GET /120000000000002", "GET /120000000000002", "GET /120000000000002",
					"POST /5000000000000001/media media_type=CAROUSEL children=120000000000001,120000000000002 caption=Both",
					"GET /120000000000003",
					"POST /5000000000000001/media_publish creation_id=120000000000003",
					"GET /120000000000004",
				},
				Has: []string{"data.media_type=CAROUSEL_ALBUM", "data.child_container_ids.length=2"},
			},
			{
				Name:  "a part fails",
				Args:  `{` + shop + `,"items":[{"url":"https://cdn.example.com/1.jpg","type":"IMAGE"},{"url":"` + broken + `.mp4","type":"VIDEO"}]}`,
				Error: "meta_refused", Says: []string{"item 2 of 2", "2207026", "made so far: 120000000000001, 120000000000002"},
			},
			{
				Name: "parts that were made before", Before: []tool.Prior{
					{Tool: "meta_publish_instagram_carousel", Args: `{` + shop + twoParts, Save: "one=child_container_ids.0"},
					{Tool: "meta_publish_instagram_carousel", Args: `{` + shop + twoParts, Save: "two=child_container_ids.1"},
				},
				Args: `{` + shop + `,"child_container_ids":["${one}","${two}"]}`,
				Asks: []string{
					"GET /${one}", "GET /${two}", "POST /5000000000000001/media media_type=CAROUSEL children=${one},${two}", "GET /120000000000007",
					"POST /5000000000000001/media_publish creation_id=120000000000007", "GET /120000000000008",
				},
				Has: []string{"data.media_type=CAROUSEL_ALBUM"},
			},
			{
				Name: "one part", Args: `{` + shop + `,"items":[{"url":"https://cdn.example.com/1.jpg","type":"IMAGE"}]}`,
				Error: "argument_invalid", Says: []string{"2 to 10"},
			},
			{
				Name: "an address that is none", Args: `{` + shop + `,"items":[{"url":"file:///etc/passwd","type":"IMAGE"},{"url":"https://cdn.example.com/2.jpg","type":"IMAGE"}]}`,
				Error: "argument_invalid", Says: []string{"items.0.url"},
			},
		},
	},
	{
		Name: "meta_publish_instagram_container", Title: "Publish a waiting Instagram container", Set: "instagram.write",
		Does:     "Publishes one Instagram container that was made earlier, after waiting until Meta has finished with its media.",
		Use:      "After not_ready, or after a call with publish=false. To publish something new use the tools for photos, reels, stories and carousels; to look only, meta_check_instagram_container.",
		Note:     "Public at once. A container can be published once, within 24 hours of its making. One that was published answers done_already.",
		Args:     []tool.Arg{igAccount(), tool.ID("container_id", "IGContainer", "Container, as an earlier call named it.").Local()},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: instagramPublishing, From: "container_id"},
		Out:  igPosted,
		Cases: []tool.Case{
			{
				Name: "made before", Before: []tool.Prior{{
					Tool: "meta_publish_instagram_photo", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","publish":false}`, Save: "container=container_id",
				}},
				Args: `{` + shop + `,"container_id":"${container}"}`,
				Asks: []string{"GET /${container}", "POST /5000000000000001/media_publish creation_id=${container}", "GET /120000000000002"},
				Has:  []string{"data.id=120000000000002"},
			},
			{
				Name: "published before", Before: []tool.Prior{{
					Tool: "meta_publish_instagram_photo", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg"}`, Save: "container=container_id",
				}},
				Args: `{` + shop + `,"container_id":"${container}"}`, Error: "done_already",
			},
			{Name: "unknown container", Args: `{` + shop + `,"container_id":"5300000000000999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_check_instagram_container", Title: "Check an Instagram container", Set: "instagram.read",
		Does: "Reads how far Meta is with the media of one Instagram container: IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED.",
		Use:  "After not_ready or publish=false, to see whether meta_publish_instagram_container can publish it. Publishing tools wait by themselves.",
		Note: "On ERROR status holds Meta's reason with a subcode 2207…; the container is lost then. Asking once a minute is enough.",
		Args: []tool.Arg{tool.ID("container_id", "IGContainer", "Container, as a publishing tool named it.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGContainer", ID: "container_id", Fields: "id,status_code,status"}},
		Cases: []tool.Case{
			{
				Name: "finished", Before: []tool.Prior{{
					Tool: "meta_publish_instagram_photo", Args: `{` + shop + `,"image_url":"https://cdn.example.com/a.jpg","publish":false}`, Save: "container=container_id",
				}},
				Args: `{"container_id":"${container}"}`, Has: []string{"data.status_code=FINISHED"},
			},
			{
				Name: "a video that Meta still takes in", Before: []tool.Prior{{
					Tool: "meta_publish_instagram_reel", Args: `{` + shop + `,"video_url":"https://cdn.example.com/a.mp4","publish":false}`, Save: "container=container_id",
				}},
				Args: `{"container_id":"${container}"}`, Has: []string{"data.status_code=IN_PROGRESS"},
			},
			{Name: "not an id", Args: `{"container_id":"abc"}`, Error: "argument_invalid"},
		},
	},
}

// manyTags has one hashtag more than Instagram takes.
const manyTags = "#a #b #c #d #e #f #g #h #i #j #k #l #m #n #o #p #q #r #s #t #u #v #w #x #y #z #aa #bb #cc #dd #ee"
