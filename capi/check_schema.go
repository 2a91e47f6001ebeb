package capi

// wireKind is the form a value has on the wire.
type wireKind uint8

const (
	wireText       wireKind = iota
	wireEnum                // a text out of a list
	wireURL                 // http or https
	wireInt                 // integer of at most 2^53-1
	wireCount               // wireInt, not negative
	wireID                  // integer of any size
	wireDigits              // text of digits
	wireNumber              // plain decimal, at most four places
	wireAmount              // wireNumber, not negative
	wireBool                // true or false
	wireFlag                // 0 or 1
	wireUser                // customer information in clear
	wireTexts               // list of texts
	wireHashes              // list of SHA-256
	wireIDs                 // list of external ids
	wireLDU                 // [] or ["LDU"]
	wireObjectKind          // an object with its own schema
	wireObjects             // a list of them
	wireAny                 // any value but null
)

// wireMember describes a member of an object.
type wireMember struct {
	name   string
	kind   wireKind
	object *wireObject
	enum   []string
	fact   wireFact // what its presence establishes
	user   KeySet   // the customer-information key it is
}

// wireObject is the schema of an object. An open one takes further members.
type wireObject struct {
	members map[string]wireMember
	open    bool
}

func schemaOf(members ...wireMember) wireObject {
	m := make(map[string]wireMember, len(members))
	for _, member := range members {
		m[member.name] = member
	}
	return wireObject{members: m}
}

// open lets an object take members the schema does not name.
func openSchema(members ...wireMember) wireObject {
	s := schemaOf(members...)
	s.open = true
	return s
}

// wireFact is something the rules across values ask for.
type wireFact uint32

const (
	hasEventName wireFact = 1 << iota
	hasEventTime
	hasActionSource
	hasUserData
	hasEventSourceURL
	hasValue
	hasCurrency
	hasTracking
	hasExtInfo
	hasChannel
	hasLDU
	hasLDUCountry
	hasLDUState
	hasEventSource
	hasLeadEventSource
	hasAttribution
	hasAdID
	hasTouchpoint
	hasShare
	hasAttributionValue
	hasOriginalName
	hasOriginalTime
	hasContentID
	hasQuantity
	hasAppData

	numFacts = iota
)

var contentSchema = schemaOf(
	wireMember{name: "brand", kind: wireText},
	wireMember{name: "category", kind: wireText},
	wireMember{name: "delivery_category", kind: wireEnum, enum: []string{"in_store", "curbside", "home_delivery"}},
	wireMember{name: "description", kind: wireText},
	wireMember{name: "id", kind: wireText, fact: hasContentID},
	wireMember{name: "item_price", kind: wireAmount},
	wireMember{name: "quantity", kind: wireInt, fact: hasQuantity},
	wireMember{name: "title", kind: wireText},
)

var customDataSchema = openSchema(
	wireMember{name: "content_category", kind: wireText},
	wireMember{name: "content_ids", kind: wireTexts},
	wireMember{name: "content_name", kind: wireText},
	wireMember{name: "content_type", kind: wireText},
	wireMember{name: "contents", kind: wireObjects, object: &contentSchema},
	wireMember{name: "currency", kind: wireText, fact: hasCurrency},
	wireMember{name: "customer_segmentation", kind: wireEnum, enum: []string{
		"new_customer_to_business", "new_customer_to_business_line", "new_customer_to_product_area", "new_customer_to_medium",
		"existing_customer_to_business", "existing_customer_to_business_line", "existing_customer_to_product_area",
		"existing_customer_to_medium", "customer_in_loyalty_program"}},
	wireMember{name: "delivery_category", kind: wireEnum, enum: []string{"in_store", "curbside", "home_delivery"}},
	wireMember{name: "event_source", kind: wireText, fact: hasEventSource},
	wireMember{name: "item_number", kind: wireText},
	wireMember{name: "lead_event_source", kind: wireText, fact: hasLeadEventSource},
	wireMember{name: "net_revenue", kind: wireNumber},
	wireMember{name: "num_items", kind: wireCount},
	wireMember{name: "order_id", kind: wireText},
	wireMember{name: "predicted_ltv", kind: wireAmount},
	wireMember{name: "search_string", kind: wireText},
	wireMember{name: "status", kind: wireText},
	wireMember{name: "value", kind: wireAmount, fact: hasValue},
)

var appDataSchema = schemaOf(
	wireMember{name: "advertiser_tracking_enabled", kind: wireFlag, fact: hasTracking},
	wireMember{name: "application_tracking_enabled", kind: wireFlag},
	wireMember{name: "campaign_ids", kind: wireText},
	wireMember{name: "consider_views", kind: wireBool},
	wireMember{name: "extinfo", kind: wireTexts, fact: hasExtInfo},
	wireMember{name: "include_dwell_data", kind: wireBool},
	wireMember{name: "include_video_data", kind: wireBool},
	wireMember{name: "install_referrer", kind: wireText},
	wireMember{name: "installer_package", kind: wireText},
	wireMember{name: "receipt_data", kind: wireText},
	wireMember{name: "url_schemes", kind: wireTexts},
	wireMember{name: "vendor_id", kind: wireText},
	wireMember{name: "windows_attribution_id", kind: wireText},
)

var attributionSchema = schemaOf(
	wireMember{name: "ad_id", kind: wireText, fact: hasAdID},
	wireMember{name: "adset_id", kind: wireAny},
	wireMember{name: "attr_window", kind: wireAny},
	wireMember{name: "attribution_method", kind: wireEnum, enum: []string{"ard", "deeplink", "gpir", "invalid_response", "mir", "srn"}},
	wireMember{name: "attribution_model", kind: wireEnum, enum: []string{"first_touch", "last_touch", "linear", "position_based",
		"time_decay", "last_click", "customized_multi_touch", "unknown"}},
	wireMember{name: "attribution_setting", kind: wireAny},
	wireMember{name: "attribution_share", kind: wireAmount, fact: hasShare},
	wireMember{name: "attribution_source", kind: wireAny},
	wireMember{name: "attribution_value", kind: wireNumber, fact: hasAttributionValue},
	wireMember{name: "auditing_token", kind: wireAny},
	wireMember{name: "campaign_id", kind: wireAny},
	wireMember{name: "decline_reason", kind: wireAny},
	wireMember{name: "linkage_key", kind: wireAny},
	wireMember{name: "partner_client_id", kind: wireAny},
	wireMember{name: "scope", kind: wireAny},
	wireMember{name: "total_credit", kind: wireAny},
	wireMember{name: "touchpoint_id", kind: wireAny},
	wireMember{name: "touchpoint_ts", kind: wireInt, fact: hasTouchpoint},
	wireMember{name: "touchpoint_type", kind: wireAny},
	wireMember{name: "visit_time", kind: wireAny},
)

var originalEventSchema = schemaOf(
	wireMember{name: "event_id", kind: wireText},
	wireMember{name: "event_name", kind: wireText, fact: hasOriginalName},
	wireMember{name: "event_time", kind: wireInt, fact: hasOriginalTime},
	wireMember{name: "order_id", kind: wireText},
)

var storeSchema = schemaOf(
	wireMember{name: "brand_page_id", kind: wireDigits},
	wireMember{name: "store_code", kind: wireText},
	wireMember{name: "store_page_id", kind: wireDigits},
)

var userDataSchema = func() wireObject {
	var members []wireMember
	for f, name := range fieldNames {
		m := wireMember{name: name, user: 1 << f}
		switch Field(f) {
		case FieldExternalID:
			m.kind = wireIDs
		case FieldEmail, FieldPhone, FieldFirstName, FieldLastName, FieldBirthDate, FieldGender, FieldCity, FieldState,
			FieldZip, FieldCountry, FieldAppUserID, FieldBirthDay, FieldBirthMonth, FieldBirthYear, FieldFirstName5,
			FieldLastName5, FieldFirstInitial:
			m.kind = wireHashes
		case FieldLeadID, FieldFBLoginID:
			m.kind = wireID
		default:
			m.kind = wireUser
		}
		members = append(members, m)
	}
	return schemaOf(members...)
}()

var eventSchema = schemaOf(
	wireMember{name: "action_source", kind: wireEnum, fact: hasActionSource, enum: []string{"website", "app", "physical_store",
		"phone_call", "chat", "email", "system_generated", "business_messaging", "other"}},
	wireMember{name: "advanced_measurement_table", kind: wireText},
	wireMember{name: "app_data", kind: wireObjectKind, object: &appDataSchema, fact: hasAppData},
	wireMember{name: "attribution_data", kind: wireObjectKind, object: &attributionSchema, fact: hasAttribution},
	wireMember{name: "custom_data", kind: wireObjectKind, object: &customDataSchema},
	wireMember{name: "data_processing_options", kind: wireLDU},
	wireMember{name: "data_processing_options_country", kind: wireInt, fact: hasLDUCountry},
	wireMember{name: "data_processing_options_state", kind: wireInt, fact: hasLDUState},
	wireMember{name: "event_id", kind: wireText},
	wireMember{name: "event_name", kind: wireText, fact: hasEventName},
	wireMember{name: "event_source_url", kind: wireURL, fact: hasEventSourceURL},
	wireMember{name: "event_time", kind: wireInt, fact: hasEventTime},
	wireMember{name: "messaging_channel", kind: wireEnum, fact: hasChannel, enum: []string{"messenger", "instagram", "whatsapp"}},
	wireMember{name: "opt_out", kind: wireBool},
	wireMember{name: "original_event_data", kind: wireObjectKind, object: &originalEventSchema},
	wireMember{name: "referrer_url", kind: wireURL},
	wireMember{name: "store_data", kind: wireObjectKind, object: &storeSchema},
	wireMember{name: "user_data", kind: wireObjectKind, object: &userDataSchema, fact: hasUserData},
)
