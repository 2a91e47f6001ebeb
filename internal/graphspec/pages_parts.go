package graphspec

// What a Page is described with, and small things that hang on it.

var pageParts = []*Node{
	{Name: "PageCategory", Evidence: Specified, Fields: "id* name*"},
	{Name: "CoverPhoto", Evidence: Specified, Fields: "id* cover_id:id source*:url offset_x*:float offset_y*:float"},
	{Name: "ProfilePictureSource", Evidence: Specified, Fields: "url*:url width*:int height*:int is_silhouette*:bool cache_key"},
	{Name: "Location", Evidence: Specified, Fields: "street* city* state* region country* country_code zip* latitude*:float longitude*:float located_in:id name"},
	{Name: "MailingAddress", Evidence: Specified, Fields: "street1 street2 street city region state postal_code zip country"},
	{Name: "Place", ID: Digits, Evidence: Specified, Fields: "id* name*:text location*:Location overall_rating:float", Read: &Op{Scopes: pageReads, Token: UserToken, Evidence: Specified}},
	{
		Name: "Profile", ID: Digits, Evidence: Specified,
		Fields: "id* name*:text link:url username:text pic:url profile_type can_post:bool",
		Read:   &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
	},
	{Name: "SubscribedApp", ID: Digits, Evidence: Specified, Fields: "id* name* link*:url category* subscribed_fields*:list<string>"},
	{
		Name: "Tab", ID: Opaque, Evidence: Specified,
		Fields: "id* name* link*:url application:json custom_name custom_image_url:url image_url:url is_permanent*:bool is_non_connection_landing_tab:bool position*:int",
	},
	{
		Name: "PageCallToAction", ID: Digits, Evidence: Specified,
		Fields: "id* type* status* created_time:time updated_time:time from:Page web_url:url web_destination_type email_address " +
			"intl_number_with_plus android_url:url iphone_url:url",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
	},
	{
		Name: "Recommendation", Evidence: Specified,
		Fields: "created_time*:time recommendation_type*:RecommendationType review_text*:text reviewer*:Profile rating:int has_rating:bool has_review:bool open_graph_story:json",
	},
	{
		Name: "Event", ID: Digits, Evidence: Specified,
		Fields: "id* name*:text description*:text start_time*:time end_time*:time timezone place*:Place cover:CoverPhoto category type is_canceled:bool is_draft:bool " +
			"is_online:bool is_page_owned:bool online_event_format online_event_third_party_url:url owner:Profile attending_count:int interested_count:int " +
			"maybe_count:int declined_count:int noreply_count:int ticket_uri:url scheduled_publish_time:time created_time:time updated_time:time",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
	},
}
