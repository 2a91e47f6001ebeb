package graphtool

import "sluice/internal/graphtool/tool"

// Videos, reels and stories of Pages.

const videoListFields = "id,title,description,length,views,created_time,permalink_url,source,published"

var pageVideoTools = []*tool.Tool{
	{
		Name: "meta_create_video_post", Title: "Create Facebook video post", Set: "pages.write",
		Does: "Publishes, schedules or stores one video on a Facebook Page, from a public address or a local file.",
		Use:  "For an upright short video of 3 to 90 seconds use meta_publish_page_reel, for a story meta_publish_page_story.",
		Note: "Meta processes the video after the call returns: look at it with meta_get_page_video before you say that it is public. Up to 10 GB and 4 hours.",
		Args: []tool.Arg{
			pageID("Page to post on."),
			tool.URL("file_url", "Public https address of the video file; Meta fetches it."),
			tool.Upload("video_path", videoTypes, "Local video inside the folder for uploads, instead of file_url; sent in pieces.").Local(),
			tool.Text("title", "Title.").Max(255),
			tool.Text("description", "Text of the post.").Max(63206),
			tool.Bool("published", "false stores the video unpublished.").Is(true),
			scheduledTime("the video"),
		},
		OneOf: []string{"file_url video_path"}, Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Flow: pageVideoFlow{},
		Out:  tool.Out{Heading: "Video {id} is being processed", Members: "id:id"},
		Cases: []tool.Case{
			{
				Name: "publishes", Args: `{"page_id":"4000000000000001","file_url":"https://example.com/tea.mp4","title":"Tea"}`,
				Asks: []string{"POST /4000000000000001/videos file_url=https://example.com/tea.mp4 published=true title=Tea"}, Has: []string{"data.id"},
			},
			{
				Name: "from a file", Args: `{"page_id":"4000000000000001","video_path":"film.mp4","title":"Tea","scheduled_publish_time":${now+7200}}`,
				Asks: []string{
					"POST /4000000000000001/videos file_size=4012 upload_phase=start",
					"POST /4000000000000001/videos start_offset=0 upload_phase=transfer video_file_chunk=@film.mp4",
					"POST /4000000000000001/videos start_offset=2006 upload_phase=transfer",
					"POST /4000000000000001/videos published=false title=Tea upload_phase=finish",
				},
				Has: []string{"data.id=120000000000001"},
			},
			{Name: "neither", Args: `{"page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"file_url", "video_path"}},
			{Name: "without https", Args: `{"page_id":"4000000000000001","file_url":"ftp://example.com/tea.mp4"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"file_url"}},
			{Name: "in the past", Args: `{"page_id":"4000000000000001","file_url":"https://example.com/tea.mp4","scheduled_publish_time":"2020-01-01T00:00:00Z"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"scheduled_publish_time"}},
		},
	},
	{
		Name: "meta_get_page_videos", Title: "List Page videos", Set: "pages.read",
		Does: "Lists the videos of one Facebook Page, reels among them, newest first.",
		Use:  "For the state of one video use meta_get_page_video, for broadcasts meta_get_live_videos.",
		Note: "length is in seconds; source is a temporary address of the file.",
		Args: append([]tool.Arg{pageID("Page to read.")}, tool.Page(100)...), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "videos", Fields: videoListFields}},
		Out:   tool.Out{Heading: "Videos of Page {page_id}", Columns: []string{"id", "created_time", "title", "length", "views"}},
		Cases: []tool.Case{
			{Name: "reads", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/videos"}, Has: []string{"data.0.id=4500000000000001", "data.0.length", "data.0.views"}},
			{Name: "cursor too long", Args: `{"page_id":"4000000000000001","after":"` + longText + longText + longText + longText + longText + longText + longText + longText + `"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"after"}},
		},
	},
	{
		Name: "meta_get_page_video", Title: "Get one Page video and its state", Set: "pages.read",
		Does: "Reads one video or reel of a Facebook Page, with how far Meta is in uploading, processing and publishing it.",
		Use:  "After meta_create_video_post, or when meta_publish_page_reel answered that it is not ready.",
		Note: "status.video_status is ready when the video plays; an error stands in the phase that failed.",
		Args: []tool.Arg{tool.ID("video_id", "Video", "Video to read."), ofPage()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Video", ID: "video_id", PageOf: "page_id", Fields: videoListFields + ",post_id,scheduled_publish_time,status"}},
		Out:   tool.Out{Heading: "Video {id}"},
		Cases: []tool.Case{
			{Name: "ready", Args: `{"video_id":"4500000000000001","page_id":"4000000000000001"}`, Asks: []string{"GET /4500000000000001"}, Has: []string{"data.status.video_status=ready", "data.status.publishing_phase.status=complete"}},
			{
				Name: "at work", Before: []tool.Prior{{Tool: "meta_create_video_post", Args: `{"page_id":"4000000000000001","file_url":"https://example.com/tea.mp4"}`, Save: "video=id"}},
				Args: `{"video_id":"${video}","page_id":"4000000000000001"}`, Has: []string{"data.status.video_status=processing"},
			},
			{Name: "no such video", Args: `{"video_id":"4599999999999999","page_id":"4000000000000001"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_publish_page_reel", Title: "Publish Facebook Page reel", Set: "pages.write",
		Does: "Publishes, schedules or drafts one reel on a Facebook Page, from a public address or a local file, and waits until Meta has processed it.",
		Use:  "For longer or wide videos use meta_create_video_post, for Instagram meta_publish_instagram_reel, for both at once meta_cross_post.",
		Note: "3 to 90 seconds, 9:16, at least 540 x 960 pixels. Usually done in under a minute; after 5 minutes the error not_ready names the video for meta_get_page_video.",
		Args: []tool.Arg{
			pageID("Page to publish on."),
			tool.URL("video_url", "Public https address of the video; Meta fetches it.").Local(),
			tool.Upload("video_path", videoTypes, "Local video inside the folder for uploads, instead of video_url.").Local(),
			tool.Text("description", "Text below the reel.").Max(63206),
			tool.Text("title", "Title.").Max(255),
			tool.Enum("video_state", "PUBLISHED SCHEDULED DRAFT", "What becomes of it; SCHEDULED needs scheduled_publish_time.").Is("PUBLISHED"),
			scheduledTime("the reel"),
		},
		OneOf: []string{"video_url video_path"}, Rules: []tool.Rule{tool.WhenIs("video_state", "SCHEDULED", "scheduled_publish_time")},
		Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Flow: videoFlow{
			Edge: "video_reels", Address: "video_url", File: "video_path", Page: "page_id",
			Takes: map[string]string{"description": "description", "title": "title", "scheduled_publish_time": "scheduled_publish_time"},
		},
		Out: tool.Out{Heading: "Reel {id}", Members: "id:id permalink_url:string post_id:id status:VideoStatus"},
		Cases: []tool.Case{
			{
				Name: "from an address", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/reel.mp4","description":"Pouring"}`,
				Asks: []string{
					"POST /4000000000000001/video_reels upload_phase=start",
					"POST /video-upload/v26.0/120000000000001",
					"POST /4000000000000001/video_reels description=Pouring upload_phase=finish video_id=120000000000001 video_state=PUBLISHED",
					"GET /120000000000001 fields=id,permalink_url,post_id,status",
					"GET /120000000000001", "GET /120000000000001", "GET /120000000000001",
				},
				Has: []string{"data.id=120000000000001", "data.post_id", "data.status.publishing_phase.publish_status=published"},
			},
			{
				Name: "from a file, the line breaks", Args: `{"page_id":"4000000000000001","video_path":"film.mp4"}`, Faults: `{"kind":"drop_before","edge":"video-upload"}`,
				Asks: []string{
					"POST /4000000000000001/video_reels upload_phase=start", "POST /video-upload/v26.0/120000000000001", "GET /120000000000001 fields=status", "POST /video-upload/v26.0/120000000000001",
					"POST /4000000000000001/video_reels upload_phase=finish", "GET /120000000000001", "GET /120000000000001", "GET /120000000000001", "GET /120000000000001",
				},
				Has: []string{"data.status.video_status=ready"},
			},
			{Name: "from a file", Args: `{"page_id":"4000000000000001","video_path":"film.mp4"}`, Has: []string{"data.status.uploading_phase.bytes_transferred=4012", "data.status.video_status=ready"}},
			{Name: "scheduled", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/reel.mp4","scheduled_publish_time":${now+86400}}`, Has: []string{"data.status.publishing_phase.publish_status=scheduled"}},
			{Name: "draft", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/reel.mp4","video_state":"DRAFT"}`, Has: []string{"data.status.publishing_phase.publish_status=draft"}},
			{Name: "Meta can't use the video", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/broken.mp4"}`, Error: "meta_refused", Says: []string{"120000000000001", "publish again"}},
			{Name: "takes too long", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/slow.mp4"}`, Error: "not_ready", Says: []string{"meta_get_page_video", "120000000000001"}},
			{Name: "file that is no video", Args: `{"page_id":"4000000000000001","video_path":"picture.png"}`, Asks: []string{}, Error: "upload_refused"},
			{Name: "a draft with a time", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/reel.mp4","video_state":"DRAFT","scheduled_publish_time":${now+86400}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"DRAFT"}},
			{Name: "scheduled without a time", Args: `{"page_id":"4000000000000001","video_url":"https://example.com/reel.mp4","video_state":"SCHEDULED"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"scheduled_publish_time"}},
		},
	},
	{
		Name: "meta_publish_page_story", Title: "Publish Facebook Page story", Set: "pages.write",
		Does: "Publishes one photo or video as a story of a Facebook Page, from a public address or a local file.",
		Use:  "Stories are gone after 24 hours; for what should stay use meta_create_photo_post or meta_publish_page_reel. For Instagram use meta_publish_instagram_story.",
		Note: "9:16 fills the screen; photos up to 10 MB, videos up to 60 seconds. A video waits until Meta has processed it, a photo is there at once.",
		Args: []tool.Arg{
			pageID("Page to publish on."),
			tool.URL("media_url", "Public https address of the photo or video.").Local(),
			tool.Upload("media_path", imageTypes+" "+videoTypes, "Local file inside the folder for uploads, instead of media_url.").To("source"),
			tool.Enum("media_type", "photo video", "What it is.").Req().Local(),
		},
		OneOf: []string{"media_url media_path"}, Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Flow: storyFlow{Kind: "media_type", Video: videoFlow{Edge: "video_stories", Address: "media_url", File: "media_path", Page: "page_id"}},
		Out:  tool.Out{Heading: "Story {post_id}", Members: "id:id post_id:id permalink_url:string status:VideoStatus"},
		Cases: []tool.Case{
			{
				Name: "photo", Args: `{"page_id":"4000000000000001","media_url":"https://example.com/story.jpg","media_type":"photo"}`,
				Asks: []string{"POST /4000000000000001/photos published=false url=https://example.com/story.jpg", "POST /4000000000000001/photo_stories photo_id=120000000000001"},
				Has:  []string{"data.id=120000000000001", "data.post_id"},
			},
			{Name: "photo from a file", Args: `{"page_id":"4000000000000001","media_path":"picture.png","media_type":"photo"}`, Asks: []string{"POST /4000000000000001/photos published=false source=@picture.png", "POST /4000000000000001/photo_stories"}, Has: []string{"data.post_id"}},
			{Name: "video", Args: `{"page_id":"4000000000000001","media_url":"https://example.com/story.mp4","media_type":"video"}`, Has: []string{"data.id", "data.status.video_status=ready"}},
			{Name: "film as a photo", Args: `{"page_id":"4000000000000001","media_path":"film.mp4","media_type":"photo"}`, Asks: []string{}, Error: "upload_refused"},
			{Name: "kind unknown", Args: `{"page_id":"4000000000000001","media_url":"https://example.com/story.gif","media_type":"gif"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"media_type"}},
		},
	},
	{
		Name: "meta_get_page_stories", Title: "List Facebook Page stories", Set: "pages.read",
		Does: "Lists the stories of one Facebook Page, those that show now and those in its archive, newest first.",
		Use:  "To publish one use meta_publish_page_story. Posts that stay are in meta_get_published_posts.",
		Note: "A story is PUBLISHED for 24 hours and ARCHIVED then. creation_time is in Unix seconds.",
		Args: tool.Join([]tool.Arg{
			pageID("Page to read."),
			tool.Enum("status", "PUBLISHED ARCHIVED", "Only stories in this state.").Listed(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "stories", Fields: "post_id,status,creation_time,media_type,media_id,url"}},
		Out:   tool.Out{Heading: "Stories of Page {page_id}", Columns: []string{"post_id", "status", "media_type", "creation_time"}},
		Cases: []tool.Case{
			{
				Name: "after one was published", Before: []tool.Prior{{Tool: "meta_publish_page_story", Args: `{"page_id":"4000000000000001","media_url":"https://example.com/story.jpg","media_type":"photo"}`, Save: "story=post_id"}},
				Args: `{"page_id":"4000000000000001","status":"PUBLISHED"}`, Asks: []string{`GET /4000000000000001/stories status=["PUBLISHED"]`},
				Has: []string{"data.0.post_id=${story}", "data.0.status=PUBLISHED", "data.0.media_type=photo"},
			},
			{Name: "state unknown", Args: `{"page_id":"4000000000000001","status":"GONE"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"status"}},
		},
	},
}
