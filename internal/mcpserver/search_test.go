package mcpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/internal/graphtool"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpserver"
	"sluice/internal/tenant"
	"sluice/internal/writetool"
)

// tasks are what people want, in their words, and the tools that do it, joined by |.
var tasks = []struct{ query, tools string }{
	{"stop my campaign", "meta_update_campaign"},
	{"pause an ad", "meta_update_ad"},
	{"turn the ad set back on", "meta_update_adset"},
	{"who liked my post", "meta_get_post_reactions"},
	{"reply to a review", "meta_get_page_ratings"},
	{"read reviews of our page", "meta_get_page_ratings"},
	{"answer a comment on Facebook", "meta_reply_post_comment"},
	{"answer a comment on Instagram", "meta_reply_instagram_comment"},
	{"delete a comment", "meta_delete_comment"},
	{"hide a rude comment on instagram", "meta_hide_instagram_comment"},
	{"ban a troll from the page", "meta_block_user"},
	{"post a photo to Instagram", "meta_publish_instagram_photo"},
	{"post a story on instagram", "meta_publish_instagram_story"},
	{"publish several pictures in one Instagram post", "meta_publish_instagram_carousel"},
	{"schedule a Facebook post for tomorrow", "meta_create_post"},
	{"which posts are scheduled", "meta_get_scheduled_posts"},
	{"delete a post on the page", "meta_delete_post"},
	{"change the text of a post", "meta_update_post"},
	{"send a DM on Instagram", "meta_send_instagram_message"},
	{"message a customer on Messenger", "meta_send_page_message"},
	{"may I still write to this person", "meta_check_messaging_window"},
	{"read the inbox", "meta_get_page_conversations"},
	{"upload a customer list", "meta_add_audience_members|meta_create_custom_audience"},
	{"remove someone from an audience", "meta_remove_audience_members"},
	{"find people similar to my customers", "meta_create_lookalike_audience"},
	{"lookalike audience", "meta_create_lookalike_audience"},
	{"how much did I spend last week", "meta_get_account_insights"},
	{"campaign performance", "meta_get_campaign_insights"},
	{"which ad works best", "meta_get_ad_insights|meta_list_ads"},
	{"ad results by age and gender", "meta_get_account_insights|meta_get_ad_insights|meta_get_adset_insights|meta_get_campaign_insights"},
	{"big report in the background", "meta_start_insights_report"},
	{"draw a chart", "meta_generate_chart"},
	{"compare two months in a picture", "meta_generate_comparison_chart"},
	{"raise the daily budget", "meta_update_adset|meta_update_campaign|meta_create_budget_schedule"},
	{"smallest budget allowed", "meta_get_minimum_budgets"},
	{"copy a campaign", "meta_duplicate_campaign"},
	{"who changed the budget", "meta_get_ad_account_activity"},
	{"upload a picture for an ad", "meta_upload_ad_image"},
	{"upload a video for an ad", "meta_upload_ad_video"},
	{"preview an ad", "meta_get_ad_preview"},
	{"ads of my competitors", "meta_search_ad_library"},
	{"target people interested in hiking", "meta_search_targeting_interests"},
	{"find the key of a city for targeting", "meta_search_targeting_geolocations"},
	{"how many people would the targeting reach", "meta_get_reach_estimate|meta_get_delivery_estimate"},
	{"send offline sales of our shop", "meta_send_offline_event|send_meta_conversions"},
	{"event match quality", "meta_get_dataset_quality"},
	{"did the pixel receive events", "meta_get_pixel_events|meta_get_pixel_stats|meta_get_pixel"},
	{"download leads of a form", "meta_get_leadgen_leads"},
	{"add a product to the catalog", "meta_create_product"},
	{"change the price of many products", "meta_batch_products"},
	{"post on Threads", "threads_publish_text"},
	{"poll on Threads", "threads_publish_text"},
	{"who mentioned us on Threads", "threads_get_mentions"},
	{"posts with a hashtag on instagram", "meta_search_instagram_hashtag"},
	{"how many followers does my instagram account have", "meta_get_instagram_profile|meta_list_instagram_accounts|meta_get_instagram_account_insights"},
	{"what permissions does my token have", "meta_debug_token"},
	{"am I near the rate limit", "meta_get_api_usage|meta_check_instagram_publishing_limit|threads_check_rate_limits"},
	{"start a live stream", "meta_create_live_video"},
	{"A/B test two ad sets", "meta_create_ad_study"},
	{"pause ads automatically when they get too expensive", "meta_create_ad_rule"},
	{"change the cover picture of the page", "meta_update_page_cover"},
	{"opening hours", "meta_update_page|meta_get_page"},
	{"rehearse a plan before sending", "wb_dry_run"},
	{"why were rows rejected", "wb_rejects"},
	{"list all campaigns", "meta_list_campaigns"},
	{"delete an ad set", "meta_delete_adset"},
	{"create a campaign", "meta_create_campaign"},
	{"make a carousel ad", "meta_create_carousel_creative"},
	{"advertise an instagram post", "meta_create_creative_from_instagram_post"},
	{"insights of a reel", "meta_get_instagram_media_insights|meta_get_video_insights"},
	{"upload a reel to Facebook", "meta_publish_page_reel"},
	{"same post on facebook and instagram", "meta_cross_post"},
	{"how many views did my Threads post get", "threads_get_post_insights"},
	{"repost something on Threads", "threads_repost"},
	{"hide a reply on Threads", "threads_hide_reply"},
	{"private message to somebody who commented", "meta_send_private_reply"},
	{"who are the followers of my page", "meta_get_page_fan_demographics|meta_get_page_insights"},
	{"switch off comments on an instagram post", "meta_toggle_instagram_comments"},
	{"delete a custom audience", "meta_delete_custom_audience"},
	{"size of an audience", "meta_get_custom_audience|meta_list_custom_audiences|meta_get_reach_estimate"},
	{"connect a product feed", "meta_create_product_feed"},
	{"people who work in our business manager", "meta_list_business_users"},
	{"webhook subscriptions of a page", "meta_get_page_webhooks"},
	{"why was my ad rejected", "meta_get_ad"},
	{"is my ad set still learning", "meta_get_adset"},
	{"tag products in an instagram post", "meta_tag_instagram_products"},
	{"greeting text in messenger", "meta_set_greeting|meta_set_messenger_profile"},
	{"unblock a user", "meta_block_user"},
	{"read several objects in one request", "meta_batch_read"},
	{"is the connection to meta healthy", "meta_health_check"},
	{"publish a video on our page", "meta_create_video_post"},
	{"read the comments under an instagram reel", "meta_get_instagram_comments"},
	{"unsubscribe from page notifications", "meta_unsubscribe_page_webhooks"},
	{"list my ad accounts", "meta_list_ad_accounts"},
	{"change the bid of an ad set", "meta_update_adset"},
	{"headline and image for a link ad", "meta_create_ad_creative"},
	{"clicks and impressions per day", "meta_get_account_insights|meta_get_campaign_insights|meta_get_ad_insights|meta_get_adset_insights"},
	{"delete a Threads post", "threads_delete_post"},
	{"search threads for a keyword", "threads_search"},
	{"instagram stories that are online now", "meta_get_instagram_stories"},
	{"instagram posts that mention us", "meta_get_instagram_mentioned_media"},
	{"test the conversions api", "meta_test_conversion_events"},
	{"send a purchase from the website", "meta_send_conversion_event"},
	{"confirm the plan", "wb_confirm|send_meta_conversions"},
	{"share the pixel with another account", "meta_share_pixel"},
	{"profile of a business on instagram", "meta_get_instagram_user|meta_get_instagram_profile"},
	{"save an automatic rule for the budget", "meta_create_ad_rule|meta_update_ad_rule"},
	{"catalog of the shop", "meta_list_product_catalogs|meta_get_product_catalog"},
	{"dms on instagram", "meta_get_instagram_conversations|meta_get_instagram_messages|meta_send_instagram_message"},
}

// everything is a server with all tools there are.
func everything(t *testing.T) *mcpserver.Server {
	t.Helper()
	runner := &tool.Runner{}
	closed := func(context.Context, tenant.Need) (*writetool.Session, error) { return nil, errors.New("closed") }
	list := writetool.Handlers(closed, runner)
	for _, r := range graphtool.All() {
		list = append(list, runner.Handler(r))
	}
	s, err := mcpserver.New(mcpserver.Options{Name: "test", Version: "1", Tools: list, Search: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// found are the names that a search answers, in their order.
func found(t *testing.T, s *mcpserver.Server, query string) []string {
	t.Helper()
	in := newInbox()
	call := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{%s,"name":%q,"arguments":{"query":%q}}}`, modernMeta, mcpserver.SearchTool, query)
	if err := s.Call(t.Context(), ask(t, message(t, call), "a"), in); err != nil {
		t.Fatal(err)
	}
	var m struct {
		Result struct {
			StructuredContent struct {
				Data []struct{ Name string } `json:"data"`
			} `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(in.last()), &m); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range m.Result.StructuredContent.Data {
		names = append(names, d.Name)
	}
	return names
}

func TestASearchFindsTheToolOfATask(t *testing.T) {
	t.Parallel()
	s := everything(t)
	for _, task := range tasks {
		names := found(t, s, task.query)
		first := names[:min(3, len(names))]
		if !slices.ContainsFunc(strings.Split(task.tools, "|"), func(want string) bool { return slices.Contains(first, want) }) {
			t.Errorf("%s: %s is not among the first three: %s", task.query, task.tools, strings.Join(names, " "))
		}
	}
}

func TestASearchForNothingThatThereIs(t *testing.T) {
	t.Parallel()
	if names := found(t, everything(t), "xylophone quux"); len(names) != 0 {
		t.Errorf("found %s", strings.Join(names, " "))
	}
}
