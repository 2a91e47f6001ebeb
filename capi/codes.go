package capi

// Codes of faults. A code never changes its meaning.
const (

	// Customer information: the value is dropped, the event goes on without it.
	CodeEmpty                   = "empty"
	CodeInvalidUTF8             = "invalid_utf8"
	CodeTooLong                 = "too_long"
	CodeMD5NotSupported         = "md5_not_supported"
	CodeHashOfEmpty             = "hash_of_empty"
	CodeDoubleHashed            = "double_hashed"
	CodeNotHashed               = "not_hashed"
	CodeHashedNotAllowed        = "hashed_not_allowed"
	CodeUnknownUserKey          = "unknown_user_key"
	CodeTooManyValues           = "too_many_values"
	CodeInvalidEmail            = "invalid_email"
	CodePhoneNoDigits           = "phone_no_digits"
	CodePhoneMissingCountryCode = "phone_missing_country_code"
	CodePhoneLength             = "phone_length"
	CodeDOBTwoDigitYear         = "dob_two_digit_year"
	CodeDOBInvalid              = "dob_invalid"
	CodeDOBOutOfRange           = "dob_out_of_range"
	CodeGenderUnsupported       = "gender_unsupported"
	CodeUSStateUnknown          = "us_state_unknown"
	CodeZipInvalid              = "zip_invalid"
	CodeUSZipInvalid            = "us_zip_invalid"
	CodeCountryUnknown          = "country_unknown"
	CodeIPInvalid               = "ip_invalid"
	CodeFBCInvalid              = "fbc_invalid"
	CodeFBPInvalid              = "fbp_invalid"
	CodeMadIDInvalid            = "madid_invalid"
	CodeMadIDZero               = "madid_zero"
	CodeLeadIDInvalid           = "lead_id_invalid"
	CodeNotNumeric              = "not_numeric"

	// Customer information: doubts that change nothing.
	CodePhoneAssumedInternational = "phone_assumed_international"
	CodePhoneAmbiguous            = "phone_ambiguous"
	CodePhoneTrunkZero            = "phone_trunk_zero"
	CodePhoneCountryUnknown       = "phone_country_unknown"
	CodeDOBAmbiguous              = "dob_ambiguous"
	CodeIPPrivate                 = "ip_private"
	CodeCookieAfterEvent          = "cookie_after_event"

	// Sufficiency.
	CodeNoIdentifiers           = "no_identifiers"
	CodeInsufficientIdentifiers = "insufficient_identifiers"

	// Name, time and source of the event.
	CodeMissingEventName      = "missing_event_name"
	CodeEventNameTooLong      = "event_name_too_long"
	CodeEventNameCharacters   = "event_name_characters"
	CodeEventNameNearMiss     = "event_name_near_miss"
	CodeMissingEventTime      = "missing_event_time"
	CodeEventTimeMilliseconds = "event_time_milliseconds"
	CodeTooOld                = "too_old"
	CodeFutureTime            = "future_time"
	CodeLateEvent             = "late_event"
	CodeOfflineOver7Days      = "offline_over_7_days"
	CodeMissingEventID        = "missing_event_id"
	CodeMissingOrderID        = "missing_order_id"
	CodeMissingActionSource   = "missing_action_source"
	CodeBadActionSource       = "bad_action_source"
	CodeMissingEventSourceURL = "missing_event_source_url"
	CodeBadEventSourceURL     = "bad_event_source_url"
	CodeBadReferrerURL        = "bad_referrer_url"
	CodeMissingUserAgent      = "missing_user_agent"
	CodeBadText               = "bad_text"
	CodeTextTooLong           = "text_too_long"
	CodeEventTooLarge         = "event_too_large"

	// Business data.
	CodeMissingValue            = "missing_value"
	CodeMissingCurrency         = "missing_currency"
	CodeBadCurrency             = "bad_currency"
	CodeNegativeValue           = "negative_value"
	CodeZeroValue               = "zero_value"
	CodeNumberTooLarge          = "number_too_large"
	CodeBadNumItems             = "bad_num_items"
	CodeMissingContentID        = "missing_content_id"
	CodeMissingQuantity         = "missing_quantity"
	CodeBadQuantity             = "bad_quantity"
	CodeNegativeItemPrice       = "negative_item_price"
	CodeContentsValueMismatch   = "contents_value_mismatch"
	CodeUnknownContentType      = "unknown_content_type"
	CodeBadDeliveryCategory     = "bad_delivery_category"
	CodeBadCustomerSegmentation = "bad_customer_segmentation"
	CodeEmptyListItem           = "empty_list_item"
	CodePropertyEmptyKey        = "property_empty_key"
	CodePropertyRepeatsKey      = "property_repeats_key"
	CodePropertyDuplicate       = "property_duplicate"
	CodePropertyNotJSON         = "property_not_json"
	CodePropertyInexactNumber   = "property_inexact_number"

	// Limited Data Use.
	CodeBadLDUOption           = "bad_ldu_option"
	CodeBadLDUCountry          = "bad_ldu_country"
	CodeBadLDUState            = "bad_ldu_state"
	CodeLDUStateMissing        = "ldu_state_missing"
	CodeLDUStateWithoutCountry = "ldu_state_without_country"
	CodeLDUNeedsIP             = "ldu_needs_ip"
	CodeLDUNoLocation          = "ldu_no_location"
	CodeLDUWithoutOption       = "ldu_without_option"

	// App events.
	CodeMissingAppData            = "missing_app_data"
	CodeMissingAdvertiserTracking = "missing_advertiser_tracking"
	CodeMissingExtinfo            = "missing_extinfo"
	CodeBadExtinfo                = "bad_extinfo"

	// Business messaging.
	CodeMissingMessagingChannel = "missing_messaging_channel"
	CodeBadMessagingChannel     = "bad_messaging_channel"
	CodeMessagingChannelUnused  = "messaging_channel_unused"
	CodeMissingMessagingKeys    = "missing_messaging_keys"
	CodeMissingPageID           = "missing_page_id"
	CodeBadMessagingEventName   = "bad_messaging_event_name"

	// Lead stages of a CRM.
	CodeMissingLeadEventSource = "missing_lead_event_source"
	CodeCRMActionSource        = "crm_action_source"
	CodeCRMIdentifiers         = "crm_identifiers"
	CodeUnknownEventSource     = "unknown_event_source"

	// Links to earlier events.
	CodeOriginalEventRequired    = "original_event_required"
	CodeOriginalEventTime        = "original_event_time"
	CodeOriginalEventTooOld      = "original_event_too_old"
	CodeOriginalEventLate        = "original_event_late"
	CodeMissingAttributionData   = "missing_attribution_data"
	CodeAttributionEventName     = "attribution_event_name"
	CodeAttributionRequired      = "attribution_required"
	CodeBadTouchpoint            = "bad_touchpoint"
	CodeBadAttributionShare      = "bad_attribution_share"
	CodeAttributionValueMismatch = "attribution_value_mismatch"
	CodeBadAttributionProperty   = "bad_attribution_property"
	CodeBadStoreID               = "bad_store_id"
	CodeBadStoreCode             = "bad_store_code"

	// Wire form: found by the parsers and by CheckWire.
	CodeNotJSON          = "not_json"
	CodeDuplicateKey     = "duplicate_key"
	CodeUnknownKey       = "unknown_key"
	CodeWrongType        = "wrong_type"
	CodeNullValue        = "null_value"
	CodeMissingUserData  = "missing_user_data"
	CodeMissingData      = "missing_data"
	CodeEmptyData        = "empty_data"
	CodeTooManyEvents    = "too_many_events"
	CodeBodyTooLarge     = "body_too_large"
	CodeTooDeep          = "too_deep"
	CodeBadNumber        = "bad_number"
	CodeLegacyPayload    = "legacy_payload"
	CodeLegacyUnknownKey = "legacy_unknown_key"
)

// CodeInfo is what is known of a code.
type CodeInfo struct {
	Code    string
	Effect  Effect
	Message string // what is wrong, as a sentence without full stop
	Fix     string // what to do
}

// Codes returns every code once, in the order of the documentation.
func Codes() []CodeInfo { return append([]CodeInfo(nil), catalogue[:]...) }

var catalogue = [...]CodeInfo{
	{CodeEmpty, Drop, "nothing is left of the value after normalising", "leave the value out"},
	{CodeInvalidUTF8, Drop, "the value is not valid UTF-8", "export the file as UTF-8"},
	{CodeTooLong, Drop, "the value is longer than 4096 bytes", "check which column is mapped to this key"},
	{CodeMD5NotSupported, Drop, "the value is an MD5 hash; Meta takes SHA-256 only", "send the plain value, or its SHA-256"},
	{CodeHashOfEmpty, Drop, "the value is the SHA-256 of the empty string", "leave missing values out before hashing"},
	{CodeDoubleHashed, Drop, "the value is a hash already, though the field is declared as text", "declare the field as hashed: yes or auto"},
	{CodeNotHashed, Drop, "the value is not a SHA-256 hash, though it has to be one here", "declare the field as hashed: no or auto, or hash it"},
	{CodeHashedNotAllowed, Drop, "the value is a hash; this key is sent in clear or not at all", "send the plain value"},
	{CodeUnknownUserKey, Drop, "Meta knows no such customer-information key", "remove the key"},
	{CodeTooManyValues, Drop, "the key has more than 100 values; those beyond are left out", "check the mapping; nobody has that many"},
	{CodeInvalidEmail, Drop, "the value is not one e-mail address", "check the column; write one address per value"},
	{CodePhoneNoDigits, Drop, "the value has no digits of a phone number", "check the column"},
	{CodePhoneMissingCountryCode, Drop, "the number is national and no country is known to complete it", "map a country column or set default_country, or write it as +<country code>…"},
	{CodePhoneLength, Drop, "the number has too few or too many digits", "check the number and its country"},
	{CodeDOBTwoDigitYear, Drop, "the year has two digits", "write the year with four digits"},
	{CodeDOBInvalid, Drop, "the value is not a date in digits", "write it as YYYY-MM-DD"},
	{CodeDOBOutOfRange, Drop, "the date lies before 1900 or in the future", "check the column"},
	{CodeGenderUnsupported, Drop, "the value is neither f nor m, and Meta takes no other", "leave the value out"},
	{CodeUSStateUnknown, Drop, "the value is no state of the United States", "write the two-letter code"},
	{CodeZipInvalid, Drop, "the value is not a postal code", "check the column"},
	{CodeUSZipInvalid, Drop, "the value has neither five nor nine digits", "write leading zeros; spreadsheets remove them"},
	{CodeCountryUnknown, Drop, "the value is not a country", "write the ISO 3166-1 alpha-2 code"},
	{CodeIPInvalid, Drop, "the value is not one IP address", "send one address without port or brackets: the first of X-Forwarded-For"},
	{CodeFBCInvalid, Drop, "the value is not an fbc", "send the _fbc cookie as it is; from a bare fbclid build fb.1.<first seen, milliseconds>.<fbclid>"},
	{CodeFBPInvalid, Drop, "the value is not an fbp", "send the _fbp cookie as it is; its time is in milliseconds"},
	{CodeMadIDInvalid, Drop, "the value is not an advertising id", "write the UUID with its dashes"},
	{CodeMadIDZero, Drop, "the advertising id is all zeros: tracking is off on the device", "leave the value out"},
	{CodeLeadIDInvalid, Drop, "the value is not a lead id of 15 to 17 digits", "write the digits only; CSV exports put l: before them, and spreadsheets round them"},
	{CodeNotNumeric, Drop, "the value is not an id in digits", "check which column is mapped to this key"},
	{CodePhoneAssumedInternational, Warn, "the number has no + and no country is known; its digits are sent as they are", "map a country column, or set default_country"},
	{CodePhoneAmbiguous, Warn, "the number may have its country code already; it is taken as national", "write it as +<country code>…"},
	{CodePhoneTrunkZero, Warn, "a zero follows the country code that is not dialled from abroad; such a number will not match", "leave the zero out, or write it as (0)"},
	{CodePhoneCountryUnknown, Warn, "the country of the telephone numbers is not a country; the person's own or the default is used", "write the ISO 3166-1 alpha-2 code"},
	{CodeDOBAmbiguous, Warn, "day and month can't be told apart; the month is taken to come first", "write it as YYYY-MM-DD"},
	{CodeIPPrivate, Warn, "the address is not a public one", "send the visitor's address, not a proxy's"},
	{CodeCookieAfterEvent, Warn, "the click or browser id is younger than the event", "send the id the visitor had at the time of the event"},
	{CodeNoIdentifiers, Refuse, "the event has no customer information at all", "map at least an e-mail address, a phone number or an external id"},
	{CodeInsufficientIdentifiers, Refuse, "the customer information is a combination Meta refuses", "add one of em, ph, external_id, fbp, fbc or client_ip_address, or both names"},
	{CodeMissingEventName, Refuse, "the event has no name", "set event_name, for a sale Purchase"},
	{CodeEventNameTooLong, Refuse, "the event name has more than 50 characters", "shorten it"},
	{CodeEventNameCharacters, Refuse, "the event name has control characters, or blanks or invisible characters at its ends", "remove them"},
	{CodeEventNameNearMiss, Warn, "the name differs from one of Meta's only in case or spacing; Meta takes it for a custom event", "write it exactly as Meta does"},
	{CodeMissingEventTime, Refuse, "the event has no time", "map the column that says when it happened"},
	{CodeEventTimeMilliseconds, Refuse, "the time is in milliseconds", "send seconds"},
	{CodeTooOld, Refuse, "the event is older than Meta accepts", "send events sooner; nothing can be done for this one"},
	{CodeFutureTime, Refuse, "the event lies in the future", "check the clock and the time zone of the time column"},
	{CodeLateEvent, Warn, "the event is more than a day old, which weakens measurement", "send daily or more often"},
	{CodeOfflineOver7Days, Warn, "the shop sale is more than 7 days old; Meta's pages name both 7 and 62 days as the limit", "send weekly or more often; OfflineStrict7 (`--strict-window`) holds shop sales to seven days as well"},
	{CodeMissingEventID, Warn, "the event has no event_id, so Meta can't recognise a second copy", "set event_id to something that never changes, like the order number"},
	{CodeMissingOrderID, Warn, "the shop sale has no order_id; Meta merges such sales of one customer at one time", "map custom_data.order_id"},
	{CodeMissingActionSource, Refuse, "the event does not say where it happened", "set action_source, for a shop sale physical_store"},
	{CodeBadActionSource, Refuse, "the action source is none of Meta's", "use website, app, physical_store, phone_call, chat, email, system_generated, business_messaging or other"},
	{CodeMissingEventSourceURL, Refuse, "a website event needs the address of its page", "map event_source_url, or use another action_source if it did not happen on a website"},
	{CodeBadEventSourceURL, Refuse, "the page address is not an http or https URL", "send the whole address, with https://"},
	{CodeBadReferrerURL, Drop, "the referrer is not an http or https URL", "send the whole address, or leave it out"},
	{CodeMissingUserAgent, Refuse, "a website event needs client_user_agent", "record the browser's User-Agent with the order, or allow events without it"},
	{CodeBadText, Refuse, "the value is not valid UTF-8", "export the file as UTF-8"},
	{CodeTextTooLong, Refuse, "the value is longer than 8192 bytes", "shorten it"},
	{CodeEventTooLarge, Refuse, "the event is larger than 256 KiB", "send fewer contents and properties"},
	{CodeMissingValue, Refuse, "a Purchase needs a value", "map custom_data.value"},
	{CodeMissingCurrency, Refuse, "a value needs a currency", "map custom_data.currency, or set a constant"},
	{CodeBadCurrency, Refuse, "the currency is not an ISO 4217 code in use", "write three letters, like EUR"},
	{CodeNegativeValue, Refuse, "the amount is negative", "leave refunds out; Meta has no way to take a sale back"},
	{CodeZeroValue, Warn, "the value is 0", "check that the right column is mapped"},
	{CodeNumberTooLarge, Refuse, "the number is too large to be read back exactly", "check the column"},
	{CodeBadNumItems, Refuse, "num_items is negative", "send the number of items"},
	{CodeMissingContentID, Refuse, "a content has no id", "send the SKU, as in the catalogue"},
	{CodeMissingQuantity, Warn, "a content has no quantity, which Meta's offline page requires", "map the quantity"},
	{CodeBadQuantity, Refuse, "the quantity is not a whole number of 1 or more", "leave returned lines out of contents"},
	{CodeNegativeItemPrice, Refuse, "the price of a content is negative", "leave discounts out of contents, or lower the price"},
	{CodeContentsValueMismatch, Warn, "the contents add up to something else than the value", "check whether tax, shipping or discounts explain it"},
	{CodeUnknownContentType, Warn, "the content type is neither product nor product_group nor one of the catalogue verticals", "use product when ids are SKUs, product_group when they are groups"},
	{CodeBadDeliveryCategory, Refuse, "the delivery category is none of Meta's", "use in_store, curbside or home_delivery"},
	{CodeBadCustomerSegmentation, Refuse, "the customer segmentation is none of Meta's", "use one of the nine documented values, for example new_customer_to_business"},
	{CodeEmptyListItem, Drop, "the list has an empty item", "leave it out"},
	{CodePropertyEmptyKey, Refuse, "a custom property has no name", "name it"},
	{CodePropertyRepeatsKey, Refuse, "a custom property repeats a standard key", "map the standard key itself"},
	{CodePropertyDuplicate, Refuse, "a custom property is there twice", "remove one"},
	{CodePropertyNotJSON, Refuse, "a custom property is not one JSON value", "write text in double quotes"},
	{CodePropertyInexactNumber, Refuse, "a custom property holds a number that JSON readers round", "write it as text in double quotes"},
	{CodeBadLDUOption, Refuse, "the data processing option is none of Meta's", "use [] or [\"LDU\"]"},
	{CodeBadLDUCountry, Refuse, "the data processing country is neither 0 nor 1", "use 1 for the United States, 0 to let Meta locate the person"},
	{CodeBadLDUState, Refuse, "the data processing state is neither 0 nor one of 1000 to 1013", "see the list of states on Meta's page about data processing options"},
	{CodeLDUStateMissing, Refuse, "the country is set, the state is not", "set the state, or 0 and 0"},
	{CodeLDUStateWithoutCountry, Refuse, "the state is set, the country is not the United States", "set the country to 1"},
	{CodeLDUNeedsIP, Refuse, "Meta is to locate the state but gets no client_ip_address", "set the state, or send the address"},
	{CodeLDUNoLocation, Warn, "Meta is to locate the person but gets no client_ip_address", "set country and state from the address of the order"},
	{CodeLDUWithoutOption, Drop, "country and state mean nothing while Limited Data Use is off", "set the option LDU, or remove both"},
	{CodeMissingAppData, Refuse, "an app event needs app_data", "send app_data with advertiser_tracking_enabled and extinfo"},
	{CodeMissingAdvertiserTracking, Refuse, "app_data needs advertiser_tracking_enabled", "send what the device reports"},
	{CodeMissingExtinfo, Refuse, "app_data needs extinfo", "send the array of 16 strings"},
	{CodeBadExtinfo, Refuse, "extinfo needs 16 strings, with a2 or i2 first and the OS version fifth", "fill what is unknown with empty strings"},
	{CodeMissingMessagingChannel, Refuse, "a business_messaging event needs messaging_channel", "use messenger, instagram or whatsapp"},
	{CodeBadMessagingChannel, Refuse, "the messaging channel is none of Meta's", "use messenger, instagram or whatsapp"},
	{CodeMessagingChannelUnused, Warn, "messaging_channel means nothing with this action source", "set action_source to business_messaging, or remove it"},
	{CodeMissingMessagingKeys, Refuse, "the channel needs other customer information", "messenger: page_id and page_scoped_user_id; whatsapp: whatsapp_business_account_id and ctwa_clid; instagram: instagram_business_account_id and ig_sid"},
	{CodeMissingPageID, Warn, "Meta has been seen to refuse whatsapp events without page_id", "send page_id"},
	{CodeBadMessagingEventName, Refuse, "Meta takes no event of this name from business messaging", "use one of the fourteen documented names, for example Purchase or LeadSubmitted"},
	{CodeMissingLeadEventSource, Refuse, "a CRM event needs lead_event_source", "set custom_data.lead_event_source to the name of the CRM"},
	{CodeCRMActionSource, Refuse, "a CRM event needs the action source system_generated", "set it, or remove event_source"},
	{CodeCRMIdentifiers, Warn, "a CRM event without lead id, click id, e-mail address and phone number will hardly match", "map lead_id"},
	{CodeUnknownEventSource, Warn, "event_source has no documented meaning but crm", "remove it, or use a custom property"},
	{CodeOriginalEventRequired, Refuse, "AppendAttribution needs the name and time of the original event", "fill original_event_data"},
	{CodeOriginalEventTime, Refuse, "the time of the original event is in milliseconds, in the future, or after this event", "send seconds"},
	{CodeOriginalEventTooOld, Refuse, "the original event is more than 7 days old", "nothing can be done for this one"},
	{CodeOriginalEventLate, Refuse, "an attribution must arrive within 48 hours of the original event", "send attributions daily"},
	{CodeMissingAttributionData, Refuse, "AppendAttribution needs attribution_data", "fill it, or use another event name"},
	{CodeAttributionEventName, Refuse, "attribution_data belongs to the event AppendAttribution only", "use that name, or remove it"},
	{CodeAttributionRequired, Refuse, "attribution_data needs ad_id, touchpoint_ts, attribution_share and attribution_value", "fill them"},
	{CodeBadTouchpoint, Refuse, "the touchpoint is in milliseconds, in the future, or after the original event", "send seconds"},
	{CodeBadAttributionShare, Refuse, "the attribution share is not between 0 and 1", "send 0.5 for one half"},
	{CodeAttributionValueMismatch, Warn, "the attribution value is not share times value", "check both"},
	{CodeBadAttributionProperty, Refuse, "attribution_data has a key or value Meta does not know", "see Meta's specification of attribution_data"},
	{CodeBadStoreID, Refuse, "a Page id of store_data is not an id in digits", "copy the id from the Page"},
	{CodeBadStoreCode, Refuse, "the store code is not 1 to 64 letters and digits", "use the store code of the Page, without spaces and dashes"},
	{CodeNotJSON, Refuse, "the text is not JSON, or names a key twice", "send one JSON document in UTF-8"},
	{CodeDuplicateKey, Refuse, "the key is there twice, and readers disagree about which one counts", "send it once"},
	{CodeUnknownKey, Refuse, "Meta knows no such key here", "remove it, or move it into custom_data"},
	{CodeWrongType, Refuse, "the value has another type than Meta wants here", "see the type in Meta's reference"},
	{CodeNullValue, Refuse, "the value is null", "leave the key out"},
	{CodeMissingUserData, Refuse, "the event has no user_data", "send customer information"},
	{CodeMissingData, Refuse, "the request has no list of events", "send {\"data\": […]}"},
	{CodeEmptyData, Refuse, "the list of events is empty", "send at least one event"},
	{CodeTooManyEvents, Refuse, "the request has more than 1000 events", "split it"},
	{CodeBodyTooLarge, Refuse, "the request is larger than 2 MiB", "split it"},
	{CodeTooDeep, Refuse, "the JSON is nested too deeply", "flatten it"},
	{CodeBadNumber, Refuse, "the number is not plain decimal text with at most four decimals", "round it"},
	{CodeLegacyPayload, Warn, "this is the shape of the offline API that Meta discontinued on 2025-05-14", "send the migrated events; set action_source where it was not a shop"},
	{CodeLegacyUnknownKey, Warn, "the retired offline API had no such key; it was left out", "map it to custom_data if it matters"},
}

var catalogueIndex = func() map[string]int {
	index := make(map[string]int, len(catalogue))
	for i := range catalogue {
		index[catalogue[i].Code] = i
	}
	return index
}()

// faultOf returns a code's fault at a path.
func faultOf(code, path string) Fault {
	row := &catalogue[catalogueIndex[code]]
	return Fault{Code: row.Code, Path: path, Message: row.Message, Fix: row.Fix, Effect: row.Effect}
}
