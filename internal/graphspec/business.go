package graphspec

// Businesses and what they own, and the forms and leads of lead ads.

var businessNodes = []*Node{
	{
		Name: "Business", ID: Digits, Evidence: Specified,
		Fields: "id* name* primary_page:Page verification_status:VerificationStatus created_time:time updated_time:time timezone_id:int " +
			"vertical link:url profile_picture_uri:url two_factor_type is_hidden:bool",
		Read: &Op{Returns: "Business", Scopes: "business_management", Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			ownedEdge("owned_pages", "Page", ""),
			ownedEdge("client_pages", "Page", ""),
			ownedEdge("owned_ad_accounts", "AdAccount", "search_query"),
			ownedEdge("client_ad_accounts", "AdAccount", "search_query"),
			ownedEdge("owned_instagram_accounts", "IGUser", ""),
			{
				Name: "adspixels",
				Get: &Op{
					Params: "id_filter:id name_filter sort_by:DatasetSort", Returns: "AdsPixel",
					Scopes: datasetRead, Token: UserToken, Evidence: Specified,
				},
			},
			{Name: "owned_pixels", Get: &Op{Returns: "AdsPixel", Scopes: datasetRead, Token: UserToken, Evidence: Specified}},
			{Name: "client_pixels", Get: &Op{Returns: "AdsPixel", Scopes: datasetRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "ads_dataset",
				Get: &Op{
					Params: "id_filter:id name_filter sort_by:DatasetSort", Returns: "AdsPixel",
					Scopes: datasetRead, Token: UserToken, Evidence: Specified,
					Note: "Meta's type is AdsDataset: the fields of AdsPixel and some more.",
				},
				Post: &Op{
					Params: "name! ad_account_id:id app_id:id is_crm:bool", Returns: "AdsPixel",
					Scopes: datasetWrite, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "owned_product_catalogs",
				Get: &Op{
					Returns: "ProductCatalog", Scopes: "catalog_management|business_management", Token: UserToken, Evidence: Specified,
				},
				Post: &Op{
					Params: "name! vertical:CatalogVertical", Returns: "ProductCatalog",
					Scopes: "catalog_management", Token: UserToken, Evidence: Specified,
				},
			},
			{Name: "client_product_catalogs", Get: &Op{
				Returns: "ProductCatalog", Scopes: "catalog_management|business_management", Token: UserToken, Evidence: Specified,
			}},
			ownedEdge("business_users", "BusinessUser", ""),
			ownedEdge("system_users", "SystemUser", ""),
		},
	},
	{
		Name: "BusinessUser", ID: Digits, Evidence: Specified,
		Fields: "id* name:text email first_name:text last_name:text role:BusinessRole title:text tasks:list<string> two_fac_status pending_email " +
			"business:Business finance_permission ip_permission",
		Read: &Op{Returns: "BusinessUser", Scopes: "business_management", Token: UserToken, Evidence: Specified},
	},
	{
		Name: "SystemUser", ID: Digits, Evidence: Specified,
		Fields: "id* name created_by:User created_time:time finance_permission ip_permission",
		Read:   &Op{Returns: "SystemUser", Scopes: "business_management", Token: UserToken, Evidence: Specified},
	},
	{
		Name: "LeadgenForm", ID: Digits, Evidence: Specified,
		Fields: "id* name* status*:LeadFormStatus locale* created_time:time leads_count:int expired_leads_count:int organic_leads_count:int " +
			"page_id:id page:Page questions:list<LeadGenQuestion> privacy_policy_url:url follow_up_action_url:url follow_up_action_text " +
			"question_page_custom_headline is_optimized_for_quality:bool allow_organic_lead:bool block_display_for_non_targeted_viewer:bool " +
			"context_card:json legal_content:json thank_you_page:json tracking_parameters:json creator:User",
		Read: &Op{Returns: "LeadgenForm", Scopes: leadFormRead, Token: PageToken, Evidence: Specified},
		Update: &Op{
			Params: "status:LeadFormStatus", Answer: Success, Scopes: "pages_manage_ads", Token: PageToken, Evidence: Specified,
		},
		Edges: []Edge{{Name: "leads", Get: leadsOp(PageToken)}},
	},
	{
		Name: "LeadGenQuestion", ID: Digits, Evidence: Specified,
		Fields: "id* key* label* type* options:json conditional_questions_group_id:id inline_context",
	},
	{
		Name: "Lead", ID: Digits, Evidence: Specified,
		Fields: "id* created_time*:time field_data*:list<UserLeadGenFieldData> ad_id:id ad_name adset_id:id adset_name campaign_id:id campaign_name " +
			"form_id:id is_organic:bool platform partner_name retailer_item_id custom_disclaimer_responses:json",
		Read:   &Op{Returns: "Lead", Scopes: leadsScopes, Token: PageToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: leadsScopes, Token: PageToken, Evidence: Specified},
	},
	{Name: "UserLeadGenFieldData", ID: NoID, Evidence: Specified, Fields: "name* values*:list<text>"},
}

const (
	leadsScopes  = "leads_retrieval"
	leadFormRead = "leads_retrieval|pages_manage_ads"
)

// leadsOp reads leads of a form or an ad. They are personal data, and Meta keeps them 90 days.
func leadsOp(t Token) *Op {
	return &Op{
		Params: "filtering:json", Returns: "Lead", Scopes: leadsScopes, Token: t, Evidence: Documented,
		Note: "filtering on time_created: GREATER_THAN, LESS_THAN and their _OR_EQUAL forms, Unix seconds.",
	}
}

// leadAdEdges and leadPageEdges are the edges of an ad and of a Page that belong here.
var (
	leadAdEdges   = []Edge{{Name: "leads", Get: leadsOp(PageToken)}}
	leadPageEdges = []Edge{{
		Name: "leadgen_forms",
		Get:  &Op{Returns: "LeadgenForm", Scopes: leadFormRead, Token: PageToken, Evidence: Specified},
	}}
)

func ownedEdge(name, of, params string) Edge {
	return Edge{Name: name, Get: &Op{Params: params, Returns: of, Scopes: "business_management", Token: UserToken, Evidence: Specified}}
}

var businessEnums = map[string]string{
	"VerificationStatus": "expired failed ineligible not_verified pending pending_need_more_info pending_submission rejected revoked verified",
	"BusinessRole": "ADMIN ADS_RIGHTS_REVIEWER DEFAULT DEVELOPER EMPLOYEE FINANCE_ANALYST FINANCE_EDIT FINANCE_EDITOR FINANCE_VIEW MANAGE " +
		"PARTNER_CENTER_ADMIN PARTNER_CENTER_ANALYST PARTNER_CENTER_EDUCATION PARTNER_CENTER_MARKETING PARTNER_CENTER_OPERATIONS",
	"LeadFormStatus": "ACTIVE ARCHIVED DELETED DRAFT",
}
