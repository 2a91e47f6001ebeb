package graphspec

// Catalogs, products, product sets and data feeds. The order API is gone since
// 2026-10-27 and has no record here.

const catalogScope = "catalog_management"

// productParams are what creating and updating one product share. price and sale_price
// are whole numbers in the currency's minor unit on these edges, and text ("9.99 GBP")
// in items_batch and in what is read back.
const productParams = " description url:url image_url:url additional_image_urls:list<url> availability brand category " +
	"condition:ProductCondition product_type fb_product_category color size material pattern gender:ProductGender age_group gtin " +
	"manufacturer_part_number inventory:int quantity_to_sell_on_facebook:int sale_price:int sale_price_start_date:time sale_price_end_date:time " +
	"start_date:time expiration_date:time custom_label_0 custom_label_1 custom_label_2 custom_label_3 custom_label_4 " +
	"visibility:ProductVisibility mobile_link:url custom_data:json"

var commerceNodes = []*Node{
	{
		Name: "ProductCatalog", ID: Digits, Evidence: Specified,
		Fields: "id* name* business:Business owner_business:Business product_count:int feed_count:int vertical:CatalogVertical " +
			"default_image_url:url fallback_image_url:list<url> store_catalog_settings:json commerce_merchant_settings:json is_catalog_segment:bool",
		Read: &Op{Returns: "ProductCatalog", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "name default_image_url:url fallback_image_url:url", Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{
			Params: "allow_delete_catalog_with_live_product_set:bool", Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Edges: []Edge{
			{
				Name: "products",
				Get: &Op{
					Params: "filter:json bulk_pagination:bool error_type error_priority:IssuePriority return_only_approved_products:bool", Returns: "ProductItem",
					Scopes: catalogScope, Token: UserToken, Evidence: Specified,
				},
				Post: &Op{
					Params:  "retailer_id! name! price:int! currency! allow_upsert:bool retailer_product_group_id" + productParams,
					Returns: "ProductItem", Scopes: catalogScope, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "product_sets",
				Get:  &Op{Params: "retailer_id", Returns: "ProductSet", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "name! filter:json retailer_id metadata:json", Returns: "ProductSet",
					Scopes: catalogScope, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "product_feeds",
				Get:  &Op{Returns: "ProductFeed", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "name! schedule:json update_schedule:json country default_currency encoding delimiter:FeedDelimiter file_name " +
						"feed_type ingestion_source_type:FeedSource deletion_enabled:bool",
					Returns: "ProductFeed", Scopes: catalogScope, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "items_batch",
				Post: &Op{
					Params: "item_type! requests:json! allow_upsert:bool item_sub_type version:int",
					Answer: "handles:list<string> validation_status:json", Scopes: catalogScope, Token: UserToken, Evidence: Documented,
					Note: "At most 5,000 requests. A handle is for check_batch_request_status; the work is done later.",
				},
			},
			{
				Name: "check_batch_request_status",
				Get: &Op{
					Params: "handle! load_ids_of_invalid_requests:bool error_priority:IssuePriority", Returns: "CheckBatchRequestStatus",
					Scopes: catalogScope, Token: UserToken, Evidence: Documented, Note: "A list of one.",
				},
			},
		},
	},
	{
		Name: "CheckBatchRequestStatus", ID: NoID, Evidence: Specified,
		Fields: "handle* status* errors*:json errors_total_count*:int warnings*:json warnings_total_count*:int ids_of_invalid_requests*:list<string>",
	},
	{
		Name: "ProductItem", ID: Digits, Evidence: Specified,
		Fields: "id* name:text description:text price sale_price currency availability condition:ProductCondition image_url:url " +
			"additional_image_urls:list<url> url:url brand:text category:text retailer_id* inventory:int product_type fb_product_category color size " +
			"material pattern gender:ProductGender age_group gtin manufacturer_part_number retailer_product_group_id quantity_to_sell_on_facebook:int " +
			"sale_price_start_date:time sale_price_end_date:time start_date:time expiration_date:time custom_label_0 custom_label_1 custom_label_2 " +
			"custom_label_3 custom_label_4 visibility:ProductVisibility review_status:ReviewStatus review_rejection_reasons:list<string> " +
			"errors:list<ProductItemError> image_fetch_status product_catalog:ProductCatalog product_feed:ProductFeed mobile_link:url custom_data:json",
		Read: &Op{
			Params:  "override_country override_language image_width:int image_height:int",
			Returns: "ProductItem", Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Update: &Op{
			Params: "name price:int currency retailer_id" + productParams,
			Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified},
	},
	{Name: "ProductItemError", ID: NoID, Evidence: Specified, Fields: "title* description* error_type* error_priority*:IssuePriority"},
	{
		Name: "ProductSet", ID: Digits, Evidence: Specified,
		Fields: "id* name* filter product_count:int retailer_id auto_creation_url:url product_catalog:ProductCatalog live_metadata:json",
		Read:   &Op{Returns: "ProductSet", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "name filter:json retailer_id metadata:json", Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{
			Params: "allow_live_product_set_deletion:bool", Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Edges: []Edge{{
			Name: "products",
			Get:  &Op{Params: "filter:json bulk_pagination:bool", Returns: "ProductItem", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
		}},
	},
	{
		Name: "ProductFeed", ID: Digits, Evidence: Specified,
		Fields: "id* name* created_time:time product_count:int country default_currency encoding delimiter:FeedDelimiter file_name " +
			"deletion_enabled:bool ingestion_source_type:FeedSource latest_upload:ProductFeedUpload schedule:ProductFeedSchedule " +
			"update_schedule:ProductFeedSchedule",
		Read: &Op{Returns: "ProductFeed", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "name schedule:json update_schedule:json default_currency encoding delimiter:FeedDelimiter deletion_enabled:bool",
			Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: catalogScope, Token: UserToken, Evidence: Specified},
		Edges: []Edge{{
			Name: "uploads",
			Get:  &Op{Returns: "ProductFeedUpload", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
			Post: &Op{
				Params: "url:url update_only:bool username password", Returns: "ProductFeedUpload",
				Scopes: catalogScope, Token: UserToken, Evidence: Specified,
			},
		}},
	},
	{
		Name: "ProductFeedSchedule", ID: NoID, Evidence: Specified,
		Fields: "interval*:FeedInterval interval_count:int hour*:int minute*:int day_of_week day_of_month:int timezone* url*:url username",
	},
	{
		Name: "ProductFeedUpload", ID: Digits, Evidence: Specified,
		Fields: "id* start_time*:time end_time*:time input_method url:url filename error_count:int warning_count:int num_detected_items:int " +
			"num_persisted_items:int num_invalid_items:int num_deleted_items:int",
		Read: &Op{Returns: "ProductFeedUpload", Scopes: catalogScope, Token: UserToken, Evidence: Specified},
	},
}

var commerceEnums = map[string]string{
	"CatalogVertical": "adoptable_pets apps_and_software articles_and_publications commerce destinations flights generic home_listings hotels " +
		"local_service_businesses media_titles offer_items offline_commerce professional_services transactable_items vehicles",
	"ProductCondition":  "cpo new open_box_new refurbished used used_fair used_good used_like_new",
	"ProductGender":     "female male unisex",
	"ProductVisibility": "published staging",
	"ReviewStatus":      "approved outdated pending rejected",
	"IssuePriority":     "HIGH LOW MEDIUM",
	"FeedInterval":      "DAILY HOURLY MONTHLY WEEKLY",
	"FeedDelimiter":     "AUTODETECT BAR COMMA SEMICOLON TAB TILDE",
	"FeedSource":        "primary_feed supplementary_feed",
}
