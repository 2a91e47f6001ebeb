package graphspec

// pageErrors are refusals of Pages, their posts and their media.
var pageErrors = []ErrorRow{
	{
		Name: "post_schedule", HTTP: 400, Code: 100, Subcode: 1363039, Type: "OAuthException", Message: "(#100) The specified scheduled publish time is invalid.",
		Title: "Invalid scheduled time", UserMsg: "The time has to be between 10 minutes and 30 days from now.",
		Class: ClassInput, Advice: "Choose a time 10 minutes to 30 days ahead.", Evidence: Known,
	},
	{
		Name: "post_schedule_published", HTTP: 400, Code: 100, Type: "OAuthException", Message: "(#100) You cannot specify a scheduled publish time on a published post",
		Class: ClassInput, Advice: "Send published=false with the time.", Evidence: Known,
	},
	{
		Name: "post_not_by_app", HTTP: 403, Code: 200, Subcode: 1347002, Type: "OAuthException", Message: "(#200) The post was not made by this application and cannot be edited by it",
		Class: ClassPermission, Advice: "Change the post where it was made: only the app that published it can edit it.", Evidence: Known,
	},
	{
		Name: "photo_fetch", HTTP: 400, Code: 324, Type: "OAuthException", Message: "(#324) Missing or invalid image file",
		Title: "Image can't be read", UserMsg: "The photo could not be fetched or is in no known format.",
		Class: ClassInput, Advice: "Check that the address is public and the image a JPEG, PNG or GIF of at most 10 MB.", Evidence: Known,
	},
	{
		Name: "comment_hide_own", HTTP: 400, Code: 100, Subcode: 1446036, Type: "OAuthException", Message: "(#100) Page comments cannot be hidden",
		Class: ClassInput, Advice: "The Page's own comments can only be deleted: meta_delete_comment.", Evidence: Known,
	},
	{
		Name: "comment_not_author", HTTP: 403, Code: 200, Type: "OAuthException", Message: "(#200) Only the author can change the text of a comment",
		Class: ClassPermission, Advice: "Reply to the comment instead.", Evidence: Known,
	},
	{
		Name: "reel_phase", HTTP: 400, Code: 100, Subcode: 1363055, Type: "OAuthException", Message: "(#100) The video was not uploaded, or the phases are out of order",
		Class: ClassInput, Advice: "Start again: upload_phase start, the upload, upload_phase finish.", Evidence: Chosen,
	},
	{
		Name: "live_ended", HTTP: 400, Code: 100, Subcode: 1363120, Type: "OAuthException", Message: "(#100) The live video is not running",
		Class: ClassInput, Advice: "List broadcasts with meta_get_live_videos and end one whose status is LIVE.", Evidence: Chosen,
	},
	{
		Name: "picture_small", HTTP: 400, Code: 100, Subcode: 1366055, Type: "OAuthException", Message: "(#100) The image for the profile picture could not be used",
		Class: ClassInput, Advice: "Use a public JPEG or PNG at least 176 pixels wide.", Evidence: Chosen,
	},
}
