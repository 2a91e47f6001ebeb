package graphspec

// utilityRootEdges are the calls without object that belong to no part of the platform.
var utilityRootEdges = []Edge{
	{
		Name: "ads_archive",
		Get: &Op{
			Params: "ad_reached_countries:list<string>! search_terms search_page_ids:list<string> ad_type:AdLibraryType ad_active_status:AdLibraryStatus " +
				"ad_delivery_date_min:date ad_delivery_date_max:date search_type:AdLibrarySearch media_type:AdLibraryMedia " +
				"publisher_platforms:list<AdLibraryPlatform> languages:list<string> bylines:list<string> delivery_by_region:list<string> " +
				"estimated_audience_size_min:int estimated_audience_size_max:int unmask_removed_content:bool",
			Returns: "ArchivedAd", Token: UserToken, Evidence: Documented,
			Note: "The app's owner has to have confirmed their identity. Commercial ads are found only where they reached the EU or the UK. ad_snapshot_url holds the caller's token.",
		},
	},
	{
		Name: "debug_token",
		Get: &Op{
			Params: "input_token",
			Answer: "app_id:id application type is_valid:bool expires_at:unix data_access_expires_at:unix issued_at:unix scopes:list<string> " +
				"granular_scopes:json user_id:id profile_id:id error:map",
			One: true, Evidence: Documented, Note: "The answer is in data. expires_at 0 is a token without end.",
		},
	},
	{
		Name: "pages/search",
		Get: &Op{
			Params: "q!", Returns: "Page", Token: UserToken, Evidence: Documented,
			Note: "Needs the app feature Page Public Content Access, which is no permission of a token.",
		},
	},
}

var utilityNodes = []*Node{
	{
		Name: "User", ID: Digits, Evidence: Specified,
		Fields: "id* name*",
		Read:   &Op{Evidence: Specified, Note: "me is the person or system user of the token."},
	},
	{
		Name: "ArchivedAd", ID: Digits, Evidence: Documented,
		Fields: "id* ad_creation_time:date ad_creative_bodies:list<text> ad_creative_link_captions:list<text> ad_creative_link_descriptions:list<text> " +
			"ad_creative_link_titles:list<text> ad_delivery_start_time:date ad_delivery_stop_time:date ad_snapshot_url:url " +
			"age_country_gender_reach_breakdown:json beneficiary_payers:json bylines:text currency delivery_by_region:json " +
			"demographic_distribution:json estimated_audience_size:map eu_total_reach:int impressions:map languages:list<string> " +
			"page_id:id page_name:text publisher_platforms:list<string> spend:map target_ages:list<string> target_gender " +
			"target_locations:json total_reach_by_location:json br_total_reach:int uk_total_reach:int",
	},
}
