package graphtool

import "sluice/internal/graphtool/tool"

// Live broadcasts of Pages.

const liveFields = "id,status,title,description,live_views,planned_start_time,broadcast_start_time,creation_time,permalink_url,embed_html"

var pageLiveTools = []*tool.Tool{
	{
		Name: "meta_create_live_video", Title: "Create Facebook live video", Set: "pages.write",
		Does: "Creates one live broadcast of a Facebook Page, to start when the stream arrives or at a planned time.",
		Use:  "End it with meta_end_live_video. For a video that is recorded already use meta_create_video_post.",
		Note: "LIVE_NOW is public as soon as a stream comes in; UNPUBLISHED is a preview that nobody sees. The address to stream to holds a secret key and is only shown with show_stream_url: who has it can broadcast as the Page.",
		Args: []tool.Arg{
			pageID("Page that broadcasts."),
			tool.Text("title", "Title.").Req().Max(254),
			tool.Text("description", "Text of the post."),
			tool.Time("planned_start_time", "Planned start, 10 minutes to a year ahead; makes it a scheduled broadcast.").Within(postSoonest, 365*24*3600e9).To("event_params.start_time"),
			tool.Enum("status", "LIVE_NOW UNPUBLISHED", "Without a planned start: public at once, or a preview.").Is("LIVE_NOW"),
			tool.Bool("show_stream_url", "Answer with the secret address to stream to.").Local(),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Steps: []tool.Step{
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "live_videos", Name: "live", When: "planned_start_time",
				Fixed: map[string]string{"status": "SCHEDULED_UNPUBLISHED"}, Takes: []string{"title", "description", "planned_start_time"},
			},
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "live_videos", Name: "live", When: "!planned_start_time",
				Takes: []string{"title", "description", "status"},
			},
			{Verb: "GET", On: "LiveVideo", ID: "$live.id", When: "!show_stream_url", Takes: []string{}, PageOf: "page_id", Fields: liveFields},
			{Verb: "GET", On: "LiveVideo", ID: "$live.id", When: "show_stream_url", Takes: []string{}, PageOf: "page_id", Fields: liveFields + ",secure_stream_url"},
		},
		Out: tool.Out{Heading: "Live video {id}"},
		Cases: []tool.Case{
			{
				Name: "preview", Args: `{"page_id":"4000000000000001","title":"Tasting","status":"UNPUBLISHED"}`,
				Asks: []string{"POST /4000000000000001/live_videos status=UNPUBLISHED title=Tasting", "GET /120000000000001"}, Has: []string{"data.id=120000000000001", "data.status=UNPUBLISHED"},
			},
			{
				Name: "planned", Args: `{"page_id":"4000000000000001","title":"Tasting","planned_start_time":${now+7200}}`,
				Asks: []string{"POST /4000000000000001/live_videos event_params={\"start_time\":${now+7200}} status=SCHEDULED_UNPUBLISHED title=Tasting", "GET /120000000000001"}, Has: []string{"data.status=SCHEDULED_UNPUBLISHED", "data.planned_start_time"},
			},
			{Name: "with the address", Args: `{"page_id":"4000000000000001","title":"Tasting","show_stream_url":true}`, Has: []string{"data.secure_stream_url"}},
			{Name: "planned in the past", Args: `{"page_id":"4000000000000001","title":"Tasting","planned_start_time":"2020-01-01T00:00:00Z"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"planned_start_time"}},
			{Name: "no title", Args: `{"page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"title"}},
		},
	},
	{
		Name: "meta_get_live_videos", Title: "List Facebook live videos", Set: "pages.read",
		Does: "Lists the live broadcasts of one Facebook Page with their state and viewers.",
		Use:  "To find the live_video_id for meta_end_live_video. Recorded videos are in meta_get_page_videos.",
		Note: "VOD is a broadcast that has ended and can be watched.",
		Args: tool.Join([]tool.Arg{
			pageID("Page to read."),
			tool.Enum("broadcast_status", "LIVE UNPUBLISHED SCHEDULED_UNPUBLISHED VOD LIVE_STOPPED PROCESSING SCHEDULED_LIVE SCHEDULED_CANCELED SCHEDULED_EXPIRED", "Only broadcasts in this state.").Listed(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "live_videos", Fields: liveFields}},
		Out:   tool.Out{Heading: "Live videos of Page {page_id}", Columns: []string{"id", "status", "title", "live_views", "planned_start_time"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/live_videos"}, Has: []string{"data.0.id", "data.0.status", "data.0.title"}},
			{Name: "only ended", Args: `{"page_id":"4000000000000001","broadcast_status":"VOD"}`, Asks: []string{`GET /4000000000000001/live_videos broadcast_status=["VOD"]`}, Has: []string{"data.0.status=VOD", "has_more=false"}},
			{Name: "state unknown", Args: `{"page_id":"4000000000000001","broadcast_status":"OVER"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"broadcast_status"}},
		},
	},
	{
		Name: "meta_end_live_video", Title: "End Facebook live video", Set: "pages.write",
		Does: "Ends one running live broadcast of a Facebook Page for all who watch.",
		Use:  "Find the id with meta_get_live_videos. A planned broadcast that has not begun is better deleted on the Page.",
		Note: "It can't be started again; the recording stays on the Page.",
		Args: []tool.Arg{tool.ID("live_video_id", "LiveVideo", "Broadcast to end."), ofPage()}, Category: tool.Write, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "LiveVideo", ID: "live_video_id", PageOf: "page_id", Fixed: map[string]string{"end_live_video": "true"}}},
		Out:   tool.Out{Heading: "Live video {live_video_id} was ended"},
		Cases: []tool.Case{
			{
				Name: "ends", Before: []tool.Prior{{Tool: "meta_create_live_video", Args: `{"page_id":"4000000000000001","title":"Tasting"}`, Save: "live=id"}},
				Args: `{"live_video_id":"${live}","page_id":"4000000000000001"}`, Asks: []string{"POST /${live} end_live_video=true"}, Has: []string{"data.id=${live}"},
			},
			{Name: "ended already", Args: `{"live_video_id":"4510000000000002","page_id":"4000000000000001"}`, Error: "meta_refused"},
			{Name: "no such broadcast", Args: `{"live_video_id":"4519999999999999","page_id":"4000000000000001"}`, Error: "object_not_found"},
		},
	},
}
