package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// creativeTools are creatives, their images and videos, previews, rules, labels and
// studies.
var creativeTools = slices.Concat(creativeReadTools, creativeMakeTools, mediaTools, ruleTools, studyTools)

const (
	creativeFields = "id,account_id,name,title,body,status,object_type,image_url,thumbnail_url,object_story_id,effective_object_story_id," +
		"instagram_permalink_url,call_to_action_type"
	creativeDetail = creativeFields + ",object_story_spec,asset_feed_spec,degrees_of_freedom_spec,image_hash,video_id,link_url,url_tags," +
		"instagram_user_id,source_instagram_media_id,authorization_category"

	previewFormats = "MOBILE_FEED_STANDARD DESKTOP_FEED_STANDARD RIGHT_COLUMN_STANDARD MARKETPLACE_MOBILE FACEBOOK_STORY_MOBILE FACEBOOK_REELS_MOBILE " +
		"INSTAGRAM_STANDARD INSTAGRAM_STORY INSTAGRAM_REELS INSTAGRAM_EXPLORE_GRID_HOME INSTAGRAM_PROFILE_FEED INSTAGRAM_SEARCH_GRID " +
		"INSTREAM_VIDEO_MOBILE INSTREAM_VIDEO_DESKTOP AUDIENCE_NETWORK_OUTSTREAM_VIDEO AUDIENCE_NETWORK_REWARDED_VIDEO MESSENGER_MOBILE_INBOX_MEDIA"
	callsToAction = "LEARN_MORE SHOP_NOW SIGN_UP SUBSCRIBE BOOK_NOW BUY_NOW BUY_TICKETS CALL_NOW CONTACT_US DONATE_NOW DOWNLOAD GET_DIRECTIONS GET_OFFER " +
		"GET_PROMOTIONS GET_QUOTE GET_SHOWTIMES GET_STARTED INSTALL_MOBILE_APP LIKE_PAGE LISTEN_NOW MAKE_AN_APPOINTMENT MESSAGE_PAGE NO_BUTTON OPEN_LINK " +
		"ORDER_NOW PLAY_GAME SEE_MORE SEE_SHOP USE_APP VIEW_PRODUCT VISIT_WEBSITE WATCH_MORE WATCH_VIDEO WHATSAPP_MESSAGE APPLY_NOW"
	urlTagsDoc = "Put behind every link, such as utm_source=meta&utm_campaign={{campaign.name}}."
)

var creativeReadTools = []*tool.Tool{
	{
		Name: "meta_list_ad_creatives", Title: "List Ad Creatives", Set: "ads.read",
		Does: "List the creatives stored in an ad account, with text, picture address and status.",
		Use:  "Use it to find a creative for meta_create_ad. For the whole content of one use meta_get_ad_creative.",
		Note: "Picture addresses run out after some days. Meta may have renamed creatives, so don't look for exact names.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose creatives to list.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adcreatives", Fields: creativeFields}},
		Out:   tool.Out{Heading: "Creatives of {ad_account_id}", Columns: []string{"id", "name", "status", "title", "body"}},
		Cases: []tool.Case{
			{Name: "first two", Args: `{"ad_account_id":"act_3000000000000001","limit":2}`, Asks: []string{"GET /act_3000000000000001/adcreatives limit=2"}, Has: []string{"data.0.id", "has_more=true"}},
			{Name: "no account", Args: `{}`, Error: "argument_invalid", Says: []string{"ad_account_id"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_creative", Title: "Get Ad Creative Details", Set: "ads.read",
		Does: "Read one creative: its text, link, picture or video, call to action and the post behind it.",
		Use:  "Use it to see what an ad says. For how it looks use meta_get_ad_preview.",
		Note: "The text of a link ad is object_story_spec.link_data.message. body and title can be missing where a post is reused.",
		Args: []tool.Arg{tool.ID("creative_id", "AdCreative", "Creative to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdCreative", ID: "creative_id", Fields: creativeDetail}},
		Out:   tool.Out{Heading: "Creative {name}", Untrusted: []string{"object_story_spec", "asset_feed_spec"}},
		Cases: []tool.Case{
			{Name: "a link ad", Args: `{"creative_id":"3400000000000001"}`, Has: []string{"data.object_story_spec.link_data.message", "untrusted_fields"}},
			{Name: "unknown", Args: `{"creative_id":"3499999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_ad_preview", Title: "Get Ad Preview", Set: "ads.read",
		Does: "Get the preview of an ad or creative in one placement, as the HTML of an iframe.",
		Use:  "Use it to let a person see the ad before it runs. For its content as data use meta_get_ad_creative.",
		Note: "The iframe's address is signed, opens without signing in and runs out within a day: give it only to those who may see the ad, and store it nowhere.",
		Args: []tool.Arg{
			tool.ID("ad_id", "Ad", "Ad to preview; counts before creative_id.").Opt(),
			tool.ID("creative_id", "AdCreative", "Creative to preview.").Opt(),
			tool.Enum("ad_format", previewFormats, "Placement to show it in.").Is("MOBILE_FEED_STANDARD"),
			tool.Text("locale", "Language, such as en_GB.").Max(10),
		},
		AnyOf: []string{"ad_id creative_id"}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "Ad|AdCreative", ID: "ad_id|creative_id", Edge: "previews", Takes: []string{"ad_format", "locale"}}},
		Out:   tool.Out{Heading: "Preview as {ad_format}", Columns: []string{"body"}},
		Cases: []tool.Case{
			{Name: "of an ad", Args: `{"ad_id":"3300000000000001"}`, Asks: []string{"GET /3300000000000001/previews ad_format=MOBILE_FEED_STANDARD"}, Has: []string{"data.0.body"}, Shows: []string{"iframe"}},
			{Name: "of a creative", Args: `{"creative_id":"3400000000000001","ad_format":"INSTAGRAM_STORY"}`, Asks: []string{"GET /3400000000000001/previews ad_format=INSTAGRAM_STORY"}},
			{Name: "of nothing", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

// creativeBasics are what every new creative takes.
func creativeBasics() []tool.Arg {
	return []tool.Arg{
		adAccount("Ad account to store it in."),
		tool.Text("name", "Name, seen only by the team.").Min(1).Max(400).Req(),
	}
}

// excludes are the rules that an argument goes with none of the others: what would be
// left out in silence otherwise.
func excludes(arg string, others ...string) []tool.Rule {
	rules := make([]tool.Rule, 0, len(others))
	for _, other := range others {
		rules = append(rules, tool.AtMostOne(arg, other))
	}
	return rules
}

var creativeMakeTools = []*tool.Tool{
	{
		Name: "meta_create_ad_creative", Title: "Create Ad Creative", Set: "ads.write", Core: true,
		Does: "Create a creative in an ad account: a link ad with a picture, a video ad, or an existing Page post.",
		Use:  "Before meta_create_ad. For several cards use meta_create_carousel_creative; to advertise an Instagram post use meta_create_creative_from_instagram_post.",
		Note: "body is the main text above the picture, title the headline below it, description the small line. With object_story_id the post's own content is used and the texts can't be given. A creative can't be changed afterwards except for its name.",
		Args: tool.Join(creativeBasics(), []tool.Arg{
			tool.ID("page_id", "Page", "Page that the ad appears for."),
			tool.ID("object_story_id", "PagePost", "Existing Page post to advertise, as page_post.").Opt(),
			tool.Text("title", "Headline.").Max(255).Local(),
			tool.Text("body", "Main text of the ad.").Max(5000).Local(),
			tool.Text("description", "Small line below the headline.").Max(1000).Local(),
			tool.URL("image_url", "Public address of the picture; for a video its preview picture.").Local(),
			tool.Text("image_hash", "Hash of an uploaded picture (meta_upload_ad_image), instead of image_url.").Max(64).Local(),
			tool.URL("link_url", "Where the ad leads.").Local(),
			tool.ID("video_id", "AdVideo", "Uploaded video (meta_upload_ad_video) for a video ad; it needs image_url or image_hash as well.").Opt().Local(),
			tool.Enum("call_to_action_type", callsToAction, "Button of the ad.").Local(),
			tool.ID("instagram_user_id", "IGUser", "Instagram account that the ad appears for on Instagram.").Opt().Local(),
			tool.Object("object_story_spec", "Meta's own form of the content, instead of the single texts; page_id is put in."),
			tool.Object("asset_feed_spec", "Several texts, pictures or videos that Meta combines; see Meta's asset feed."),
			tool.Object("degrees_of_freedom_spec", `Opt in or out of single automatic changes: {"creative_features_spec":{"image_touchups":{"enroll_status":"OPT_OUT"}}}.`),
			tool.Text("url_tags", urlTagsDoc).Max(2000),
			tool.Bool("validate_only", "Only let Meta check the call: nothing is stored.").Flag("execution_options", "validate_only"),
		}),
		Rules: slices.Concat(
			[]tool.Rule{
				tool.AtMostOne("image_url", "image_hash"), tool.AtMostOne("object_story_id", "object_story_spec", "asset_feed_spec"),
				tool.Needs("video_id", "image_url|image_hash"), tool.Needs("call_to_action_type", "link_url|video_id"),
			},
			excludes("object_story_id", "body", "title", "description", "image_url", "image_hash", "link_url", "video_id", "instagram_user_id"),
			excludes("object_story_spec", "body", "title", "description", "image_url", "image_hash", "link_url", "video_id"),
			excludes("asset_feed_spec", "body", "title", "description", "image_url", "image_hash", "video_id"),
		),
		Check:    storySpec,
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{
			Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adcreatives",
			Takes: []string{"name", "object_story_id", "object_story_spec", "asset_feed_spec", "degrees_of_freedom_spec", "url_tags", "validate_only"},
		}},
		Out:   tool.Out{Heading: "Creative {name}"},
		Cases: creativeCases,
	},
	{
		Name: "meta_create_carousel_creative", Title: "Create Carousel Creative", Set: "ads.write",
		Does: "Create a creative of 2 to 10 cards, each with picture or video, headline and link of its own.",
		Use:  "For one picture or video use meta_create_ad_creative. Upload pictures first with meta_upload_ad_image, or give public addresses.",
		Note: "body is the text above all cards. Unless you say otherwise Meta shows the best card first and adds a last one with the Page's picture.",
		Args: tool.Join(creativeBasics(), []tool.Arg{
			tool.ID("page_id", "Page", "Page that the ad appears for.").To("object_story_spec.page_id"),
			tool.ID("instagram_user_id", "IGUser", "Instagram account that the ad appears for on Instagram.").Opt().To("object_story_spec.instagram_user_id"),
			tool.URL("link_url", "Where the last card and the ad as a whole lead.").Req().To("object_story_spec.link_data.link"),
			tool.Text("body", "Main text above the cards.").Max(5000).To("object_story_spec.link_data.message"),
			tool.List("cards", tool.Object("", "",
				tool.URL("link", "Where the card leads.").Req(),
				tool.Text("name", "Headline of the card.").Max(255),
				tool.Text("description", "Small line of the card.").Max(1000),
				tool.Text("image_hash", "Hash of an uploaded picture.").Max(64),
				tool.URL("picture", "Public address of the picture, instead of image_hash."),
				tool.ID("video_id", "AdVideo", "Uploaded video; a picture is needed as well.").Opt(),
			), "The cards, in order.").Min(2).Max(10).Req().To("object_story_spec.link_data.child_attachments"),
			tool.Enum("call_to_action_type", callsToAction, "Button of every card.").To("object_story_spec.link_data.call_to_action.type"),
			tool.Bool("multi_share_optimized", "false keeps the order of the cards.").To("object_story_spec.link_data.multi_share_optimized"),
			tool.Bool("multi_share_end_card", "false leaves out the last card with the Page's picture.").To("object_story_spec.link_data.multi_share_end_card"),
			tool.Text("url_tags", urlTagsDoc).Max(2000),
			tool.Bool("validate_only", "Only let Meta check the call: nothing is stored.").Flag("execution_options", "validate_only"),
		}),
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adcreatives"}},
		Out:   tool.Out{Heading: "Carousel {name}"},
		Cases: []tool.Case{
			{
				Name: "two cards",
				Args: `{"ad_account_id":"act_3000000000000001","name":"Scarves","page_id":"4000000000000001","link_url":"https://shop.example.com/","cards":[{"link":"https://shop.example.com/red","picture":"https://cdn.example.com/red.jpg"},{"link":"https://shop.example.com/blue","picture":"https://cdn.example.com/blue.jpg","name":"Blue"}]}`,
				Asks: []string{`POST /act_3000000000000001/adcreatives object_story_spec={"link_data":{"child_attachments":[{"link":"https://shop.example.com/red","picture":"https://cdn.example.com/red.jpg"},{"link":"https://shop.example.com/blue","name":"Blue","picture":"https://cdn.example.com/blue.jpg"}],"link":"https://shop.example.com/"},"page_id":"4000000000000001"}`},
				Has:  []string{"data.id"},
			},
			{Name: "one card", Args: `{"ad_account_id":"act_3000000000000001","name":"S","page_id":"4000000000000001","link_url":"https://shop.example.com/","cards":[{"link":"https://shop.example.com/red"}]}`, Error: "argument_invalid", Says: []string{"cards"}, Asks: []string{}},
			{Name: "link without https", Args: `{"ad_account_id":"act_3000000000000001","name":"S","page_id":"4000000000000001","link_url":"http://shop.example.com/","cards":[{"link":"https://shop.example.com/1"},{"link":"https://shop.example.com/2"}]}`, Error: "argument_invalid", Says: []string{"link_url"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_create_creative_from_instagram_post", Title: "Create Creative from Instagram Post", Set: "ads.write",
		Does: "Create a creative that advertises an existing Instagram post or reel, with its likes and comments.",
		Use:  "Find the post with meta_get_instagram_media. For a new ad use meta_create_ad_creative; for a Page post give its id there.",
		Note: "The post stays as it is and belongs to the Instagram account; text and picture can't be changed in the ad.",
		Args: tool.Join(creativeBasics(), []tool.Arg{
			tool.ID("page_id", "Page", "Page that the Instagram account belongs to.").To("object_id"),
			tool.ID("instagram_user_id", "IGUser", "Instagram account that made the post."),
			tool.ID("instagram_media_id", "IGMedia", "Post or reel to advertise.").To("source_instagram_media_id"),
			tool.Enum("call_to_action_type", callsToAction, "Button of the ad.").To("call_to_action.type"),
			tool.URL("link_url", "Where the button leads.").To("call_to_action.value.link"),
			tool.Text("url_tags", urlTagsDoc).Max(2000),
			tool.Bool("validate_only", "Only let Meta check the call: nothing is stored.").Flag("execution_options", "validate_only"),
		}),
		Rules:    []tool.Rule{tool.Needs("link_url", "call_to_action_type")},
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adcreatives"}},
		Out:   tool.Out{Heading: "Creative {name}"},
		Cases: []tool.Case{
			{
				Name: "with a button",
				Args: `{"ad_account_id":"act_3000000000000001","name":"Post","page_id":"4000000000000001","instagram_user_id":"5000000000000001","instagram_media_id":"5100000000000001","call_to_action_type":"SHOP_NOW","link_url":"https://shop.example.com/"}`,
				Asks: []string{`POST /act_3000000000000001/adcreatives object_id=4000000000000001 instagram_user_id=5000000000000001 source_instagram_media_id=5100000000000001 call_to_action={"type":"SHOP_NOW","value":{"link":"https://shop.example.com/"}}`},
				Has:  []string{"data.id"},
			},
			{Name: "link without button", Args: `{"ad_account_id":"act_3000000000000001","name":"Post","page_id":"4000000000000001","instagram_user_id":"5000000000000001","instagram_media_id":"5100000000000001","link_url":"https://shop.example.com/"}`, Error: "argument_invalid", Says: []string{"call_to_action_type"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_update_ad_creative", Title: "Rename Ad Creative", Set: "ads.write",
		Does: "Change the name of a creative.",
		Use:  "Only the name can be changed. For other content make a new creative with meta_create_ad_creative and give it to the ad with meta_update_ad.",
		Note: "Ads that show it are not touched.",
		Args: []tool.Arg{
			tool.ID("creative_id", "AdCreative", "Creative to rename."),
			tool.Text("name", "New name.").Min(1).Max(400).Req(),
		},
		Category: tool.Write, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdCreative", ID: "creative_id"}},
		Out:   tool.Out{Heading: "Creative {creative_id} is now {name}"},
		Cases: []tool.Case{
			{Name: "new name", Args: `{"creative_id":"3400000000000001","name":"Scarf"}`, Asks: []string{"POST /3400000000000001 name=Scarf"}, Has: []string{"data.success=true"}},
			{Name: "no name", Args: `{"creative_id":"3400000000000001","name":" "}`, Error: "argument_invalid", Says: []string{"name"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_ad_creative", Title: "Delete Ad Creative", Set: "ads.write",
		Does:     "Delete a creative from the ad account's library.",
		Use:      "Use it to tidy up unused creatives. To stop an ad use meta_update_ad instead.",
		Note:     "Refused while an ad uses it: delete or change the ad first. The Page post behind it stays.",
		Args:     []tool.Arg{tool.ID("creative_id", "AdCreative", "Creative to delete.")},
		Category: tool.Destructive, Severity: tool.Medium, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "AdCreative", ID: "creative_id"}},
		Out:   tool.Out{Heading: "Creative {creative_id} was deleted"},
		Cases: []tool.Case{
			{Name: "an unused one", Args: `{"creative_id":"3400000000000004"}`, Asks: []string{"GET /3400000000000004", "DELETE /3400000000000004"}, Has: []string{"data.success=true"}},
			{Name: "one that an ad uses", Args: `{"creative_id":"3400000000000001"}`, Error: "meta_refused"},
		},
	},
}

var creativeCases = []tool.Case{
	{
		Name: "a link ad",
		Args: `{"ad_account_id":"act_3000000000000001","name":"Scarf","page_id":"4000000000000001","body":"Warm.","title":"Scarf","link_url":"https://shop.example.com/scarf","image_hash":"5f1a1e0000000000000000000000aa01","call_to_action_type":"SHOP_NOW","instagram_user_id":"5000000000000001"}`,
		Asks: []string{`POST /act_3000000000000001/adcreatives name=Scarf object_story_spec={"instagram_user_id":"5000000000000001","link_data":{"call_to_action":{"type":"SHOP_NOW","value":{"link":"https://shop.example.com/scarf"}},"image_hash":"5f1a1e0000000000000000000000aa01","link":"https://shop.example.com/scarf","message":"Warm.","name":"Scarf"},"page_id":"4000000000000001"}`},
		Has:  []string{"data.id"},
	},
	{
		Name: "a video ad",
		Args: `{"ad_account_id":"act_3000000000000001","name":"Film","page_id":"4000000000000001","body":"See.","video_id":"3500000000000001","image_url":"https://cdn.example.com/still.jpg","link_url":"https://shop.example.com/","call_to_action_type":"LEARN_MORE"}`,
		Asks: []string{`POST /act_3000000000000001/adcreatives object_story_spec={"page_id":"4000000000000001","video_data":{"call_to_action":{"type":"LEARN_MORE","value":{"link":"https://shop.example.com/"}},"image_url":"https://cdn.example.com/still.jpg","message":"See.","video_id":"3500000000000001"}}`},
		Has:  []string{"data.id"},
	},
	{
		Name: "a post of the Page", Args: `{"ad_account_id":"act_3000000000000001","name":"Post","page_id":"4000000000000001","object_story_id":"4000000000000001_4100000000000001"}`,
		Asks: []string{"POST /act_3000000000000001/adcreatives name=Post object_story_id=4000000000000001_4100000000000001"}, Has: []string{"data.id"},
	},
	{
		Name: "only checked", Args: `{"ad_account_id":"act_3000000000000001","name":"Post","page_id":"4000000000000001","object_story_id":"4000000000000001_4100000000000001","validate_only":true}`,
		Asks: []string{`POST /act_3000000000000001/adcreatives execution_options=["validate_only"]`}, Has: []string{"data.success=true"},
	},
	{Name: "nothing to show", Args: `{"ad_account_id":"act_3000000000000001","name":"Empty","page_id":"4000000000000001","body":"Words"}`, Error: "argument_invalid", Says: []string{"link_url"}, Asks: []string{}},
	{
		Name: "an asset feed",
		Args: `{"ad_account_id":"act_3000000000000001","name":"Mix","page_id":"4000000000000001","asset_feed_spec":{"bodies":[{"text":"Warm."},{"text":"Soft."}],"ad_formats":["SINGLE_IMAGE"],"link_urls":[{"website_url":"https://shop.example.com/"}]}}`,
		Asks: []string{`POST /act_3000000000000001/adcreatives object_story_spec={"page_id":"4000000000000001"}`}, Has: []string{"data.id"},
	},
	{
		Name: "Meta's own form", Args: `{"ad_account_id":"act_3000000000000001","name":"Own","page_id":"4000000000000001","instagram_user_id":"5000000000000001","object_story_spec":{"link_data":{"link":"https://shop.example.com/"}}}`,
		Asks: []string{`POST /act_3000000000000001/adcreatives object_story_spec={"instagram_user_id":"5000000000000001","link_data":{"link":"https://shop.example.com/"},"page_id":"4000000000000001"}`}, Has: []string{"data.id"},
	},
	{Name: "own form for another Page", Args: `{"ad_account_id":"act_3000000000000001","name":"Own","page_id":"4000000000000001","object_story_spec":{"page_id":"4999999999999999","link_data":{"link":"https://shop.example.com/"}}}`, Error: "argument_invalid", Says: []string{"object_story_spec.page_id"}, Asks: []string{}},
	{Name: "own form and headline", Args: `{"ad_account_id":"act_3000000000000001","name":"Own","page_id":"4000000000000001","title":"T","object_story_spec":{"link_data":{"link":"https://shop.example.com/"}}}`, Error: "argument_invalid", Says: []string{"title"}, Asks: []string{}},
	{Name: "post and text", Args: `{"ad_account_id":"act_3000000000000001","name":"P","page_id":"4000000000000001","object_story_id":"4000000000000001_4100000000000001","body":"Words"}`, Error: "argument_invalid", Says: []string{"body"}, Asks: []string{}},
	{Name: "video without picture", Args: `{"ad_account_id":"act_3000000000000001","name":"F","page_id":"4000000000000001","video_id":"3500000000000001"}`, Error: "argument_invalid", Says: []string{"image_url"}, Asks: []string{}},
}
