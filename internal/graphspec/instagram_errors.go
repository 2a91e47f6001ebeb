package graphspec

// instagramErrors are the refusals of content publishing and Instagram insights. Codes
// and subcodes are of Meta's list of Instagram error codes; the container's `status`
// names the same subcodes.
var instagramErrors = []ErrorRow{
	{
		Name: "ig_fetch", HTTP: 400, Code: 9004, Subcode: 2207052, Type: "OAuthException",
		Message: "Only photo or video can be accepted as media type.", Title: "Media download has failed",
		UserMsg: "The media could not be fetched from this URI: {url}", Class: ClassInput,
		Advice: "The address must answer with the file itself, over https, to anybody, without a redirect to a login.", Evidence: Documented,
	},
	{
		Name: "ig_no_container", HTTP: 400, Code: 24, Subcode: 2207008, Type: "OAuthException",
		Message: "The requested resource does not exist", Title: "Media builder not found",
		UserMsg: "The media builder with creation id = {id} does not exist or has been expired.", Class: ClassNotReady,
		Advice:   "Try once or twice more in the next two minutes. Containers last 24 hours and publish once: look with meta_get_instagram_media whether it is out, otherwise publish anew.",
		Evidence: Documented,
	},
	{
		Name: "ig_quota", HTTP: 400, Code: 9, Subcode: 2207042, Type: "OAuthException",
		Message: "Application request limit reached", Title: "You reached maximum number of posts",
		UserMsg: "You reached maximum number of posts that is allowed to be published by Content Publishing API.", Class: ClassAssetRate,
		Advice: "Wait: the quota counts the last 24 hours (meta_check_instagram_publishing_limit).", Evidence: Documented,
	},
	{
		Name: "ig_restricted", HTTP: 400, Code: 25, Subcode: 2207050, Type: "OAuthException",
		Message: "User access is restricted", Title: "User access is restricted",
		UserMsg: "The Instagram account is restricted.", Class: ClassPolicy,
		Advice: "A person has to sign in to the Instagram app and do what it asks.", Evidence: Documented,
	},
	{
		Name: "ig_spam", HTTP: 400, Code: 4, Subcode: 2207051, Type: "OAuthException",
		Message: "Action is blocked", Title: "Action blocked",
		UserMsg: "We restrict certain activity to protect our community.", Class: ClassPolicy,
		Advice: "Stop publishing for a while and let a person look at the account.", Evidence: Documented,
	},
	{
		Name: "ig_caption", HTTP: 400, Code: 36004, Subcode: 2207010, Type: "OAuthException",
		Message: "The caption was too long.", Title: "Caption too long",
		UserMsg: "The caption was too long: at most 2,200 characters.", Class: ClassInput,
		Advice: "Shorten the caption.", Evidence: Documented,
	},
	{
		Name: "ig_mentions", HTTP: 400, Code: 100, Subcode: 2207040, Type: "OAuthException",
		Message: "Cannot use more than the maximum number of tags", Title: "Too many tags",
		UserMsg: "Cannot have more than 20 @ tags in the caption.", Class: ClassInput,
		Advice: "Take mentions out of the caption.", Evidence: Documented,
	},
	{
		Name: "ig_children", HTTP: 400, Code: 100, Subcode: 2207028, Type: "OAuthException",
		Message: "Invalid parameter", Title: "Your post won't work as a carousel",
		UserMsg: "Your post won't work as a carousel. Carousels need at least 2 photos/videos and at most 10 photos/videos.", Class: ClassInput,
		Advice: "Give 2 to 10 items.", Evidence: Documented,
	},
	{
		Name: "ig_media_type", HTTP: 400, Code: 100, Subcode: 2207023, Type: "OAuthException",
		Message: "Invalid parameter", Title: "Unknown media type",
		UserMsg: "The media type {type} is unknown.", Class: ClassInput,
		Advice: "Use REELS, STORIES, CAROUSEL or VIDEO; an image has no media_type.", Evidence: Documented,
	},
	{
		Name: "ig_tag_position", HTTP: 400, Code: 100, Subcode: 2207036, Type: "OAuthException",
		Message: "Invalid parameter", Title: "Position needed",
		UserMsg: "Product tag positions are required for photo media.", Class: ClassInput,
		Advice: "Give x and y, from 0.0 to 1.0, for each tag on a photo.", Evidence: Documented,
	},
	{
		Name: "ig_location", HTTP: 400, Code: 100, Type: "OAuthException",
		Message: "Invalid parameter", Title: "Invalid location",
		UserMsg: "The location_id {id} is no Page with a place.", Class: ClassInput,
		Advice: "location_id is the id of a Page that has an address.", Evidence: Known,
	},
	{
		Name: "ig_comments_off", HTTP: 400, Code: 100, Type: "OAuthException",
		Message: "Comments are disabled for this media", Title: "Comments are turned off", Class: ClassInput,
		Advice: "Turn comments on with meta_toggle_instagram_comments.", Evidence: Chosen,
	},
	{
		Name: "ig_hashtag", HTTP: 400, Code: 24, Subcode: 2207024, Type: "OAuthException",
		Message: "The requested resource does not exist", Title: "Invalid hashtag",
		UserMsg: "The hashtag entered does not exist or is not available.", Class: ClassInput,
		Advice: "Check its spelling; sensitive hashtags can't be searched.", Evidence: Known,
	},
	{
		Name: "ig_hashtag_limit", HTTP: 400, Code: 18, Subcode: 2207034, Type: "OAuthException",
		Message: "Maximum number of hashtags queried", Title: "Too many hashtags",
		UserMsg: "This account has queried the maximum of 30 unique hashtags within the last 7 days.", Class: ClassUserRate,
		Advice: "Ask again for one of those in meta_get_instagram_recent_hashtags, or wait.", Evidence: Documented,
	},
	{
		Name: "ig_unknown_user", HTTP: 400, Code: 110, Subcode: 2207013, Type: "OAuthException",
		Message: "Invalid user id", Title: "Cannot find User",
		UserMsg: "The user with username: {username} cannot be found.", Class: ClassInput,
		Advice: "Check the name; private and personal accounts can't be looked up.", Evidence: Known,
	},
	{
		Name: "ig_few_viewers", HTTP: 400, Code: 10, Type: "OAuthException",
		Message: "(#10) Not enough viewers for the media to show insights", Class: ClassInput,
		Advice: "A story needs 5 viewers or more before Meta shows its numbers.", Evidence: Documented,
	},
	{
		Name: "ig_media_before", HTTP: 400, Code: 100, Subcode: 2108006, Type: "OAuthException",
		Message: "Invalid parameter", Title: "Media posted before business account conversion",
		UserMsg: "The media was posted before the account became a professional one.", Class: ClassInput,
		Advice: "Meta has no numbers for it.", Evidence: Reported,
	},
	{
		Name: "ig_tag_no_position", HTTP: 400, Code: 100, Subcode: 2207035, Type: "OAuthException",
		Message: "Invalid parameter", Title: "No position for videos",
		UserMsg: "Product tag positions should not be specified for video media.", Class: ClassInput,
		Advice: "Leave x and y out for videos.", Evidence: Documented,
	},
	row("ig_tag_product", 400, 100, 2207037, ClassInput, Documented, "Invalid parameter", "A product to tag is deleted, rejected or not yours: search it again with meta_search_instagram_catalog_products."),
	row("ig_download_slow", 400, -2, 2207003, ClassTransient, Documented, "It takes too long to download the media.", "Serve the file faster, or smaller, and publish again."),
	row("ig_upload_expired", 400, -2, 2207020, ClassInput, Documented, "The media you are trying to access has expired.", "Publish again from the start."),
	row("ig_server", 400, -1, 2207001, ClassTransient, Documented, "Instagram server error", adviceAgain),
	row("ig_container_failed", 400, -1, 2207032, ClassTransient, Documented, "Create media fail, please try to re-create media", "Publish again from the start."),
	row("ig_upload_failed", 400, -1, 2207053, ClassTransient, Documented, "unknown upload error", "Publish again from the start."),
	row("ig_thumb_offset", 400, 1, 2207057, ClassInput, Documented, "Thumbnail offset must be greater than or equal to 0 and less than video duration", "Give a thumb_offset inside the video, in milliseconds."),
	row("ig_no_media", 400, 24, 2207006, ClassInput, Documented, "The media with {id} cannot be found", "Check permission and id; publish again from the start."),
	row("ig_video_format", 400, 352, 2207026, ClassInput, Documented, "The video format is not supported.", "Use MP4 or MOV with H.264 or HEVC and AAC."),
	row("ig_image_size", 400, 36000, 2207004, ClassInput, Documented, "The image size is too large.", "Use an image under 8 MiB."),
	row("ig_image_format", 400, 36001, 2207005, ClassInput, Documented, "The image format is not supported.", "Use JPEG."),
	row("ig_image_ratio", 400, 36003, 2207009, ClassInput, Documented, "The submitted image with aspect ratio {ratio} cannot be published.", "Use an image between 4:5 and 1.91:1."),
}
