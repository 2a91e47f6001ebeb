package graphspec

// Videos of Pages, reels among them, and live broadcasts.

var pageVideo = []*Node{
	{
		Name: "Video", ID: Digits, Evidence: Specified,
		Fields: "id* created_time*:time updated_time*:time title:text description*:text content_category content_tags:list<string> custom_labels:list<string> " +
			"embed_html embeddable:bool format:list<json> from:Profile icon:url length:float live_status permalink_url picture:url place:Place " +
			"post_id:id post_views:int privacy:json published:bool scheduled_publish_time:time source:url status:VideoStatus universal_video_id:id views:int",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
		Update: &Op{
			Params: "description name content_tags:list<string> custom_labels:list<string> embeddable:bool published:bool scheduled_publish_time:time",
			Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified},
		Edges: []Edge{
			commentsEdge, mediaLikesEdge, mediaReactionsEdge,
			{Name: "video-upload", Post: &Op{
				Answer: "success:bool", Scopes: pagePosts, Token: PageToken, Evidence: Documented,
				Note: "On the upload host. The header file_url names a public address; or offset and file_size go with the bytes as the body.",
			}},
			{Name: "thumbnails", Get: &Op{Returns: "VideoThumbnail", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
		},
	},
	{
		Name: "VideoStatus", Evidence: Documented,
		Fields: "video_status* processing_progress:int uploading_phase*:VideoPhase processing_phase*:VideoPhase publishing_phase*:VideoPhase",
	},
	{
		Name: "VideoPhase", Evidence: Documented,
		Fields: "status* bytes_transferred:int publish_status publish_time:time errors:list<json> error:json",
	},
	{Name: "VideoThumbnail", ID: Digits, Evidence: Specified, Fields: "id* uri*:url height*:int width*:int scale*:float is_preferred*:bool name"},
	{
		Name: "LiveVideo", ID: Digits, Evidence: Specified,
		Fields: "id* status* title*:text description:text broadcast_start_time:time creation_time:time planned_start_time:time embed_html " +
			"from:Profile ingest_streams:json live_views:int permalink_url seconds_left:int secure_stream_url stream_url total_views:string video:Video",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
		Update: &Op{
			Params: "end_live_video:bool title description status:LiveVideoStatus event_params:json content_tags:list<string> custom_labels:list<string> privacy:json published:bool",
			Answer: "id:id", Scopes: pagePosts, Token: PageToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified},
		Edges:  []Edge{{Name: "comments", Get: commentsEdge.Get}, reactionsEdge},
	},
}
