package sandbox

import (
	"slices"
	"strings"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox/world"
)

// ErrorRow is one failure the sandbox can answer with. Message and UserMsg may
// hold {placeholders} that the reply fills in.
type ErrorRow struct {
	Name      string `json:"name"`
	HTTP      int    `json:"http"`
	Code      int    `json:"code"`
	Subcode   int    `json:"error_subcode,omitempty"`
	Type      string `json:"type"`
	Message   string `json:"message"`
	Title     string `json:"error_user_title,omitempty"`
	UserMsg   string `json:"error_user_msg,omitempty"`
	Transient bool   `json:"is_transient"`
	// Evidence is D, S, L, C or R, see the package comment; several letters when
	// code and text come from different places.
	Evidence string `json:"evidence"`
	// When says what provokes it.
	When string `json:"when"`
	// Injected rows appear only when a fault asks for them.
	Injected bool `json:"injected_only,omitempty"`
	// Bare replies leave out is_transient, as token errors do.
	Bare bool `json:"-"`
}

const (
	oauthException = "OAuthException"
	graphException = "GraphMethodException"
	invalidParam   = "Invalid parameter"
)

// Subcodes of failures for which Meta has published neither number nor text.
const (
	subTooMany          = 9990001
	subEmpty            = 9990002
	subFuture           = 9990003
	subActionSource     = 9990004
	subCurrency         = 9990005
	subValue            = 9990006
	subLDU              = 9990007
	subExtInfo          = 9990008
	subEmptyUserValue   = 9990009
	subIP               = 9990010
	subClickID          = 9990011
	subLeadID           = 9990012
	subUserAgent        = 9990013
	subNotConsolidated  = 9990014
	subBodyTooLarge     = 9990015
	subUnreadableBody   = 9990016
	subOriginalEventAge = 9990017
	subRange            = 9990018
)

// parameter makes a row of the "Invalid parameter" family.
func parameter(name string, subcode int, title, msg, evidence, when string) *ErrorRow {
	return &ErrorRow{
		Name: name, HTTP: 400, Code: 100, Subcode: subcode, Type: oauthException,
		Message: invalidParam, Title: title, UserMsg: msg, Evidence: evidence, When: when,
	}
}

// synthetic makes a row for a failure Meta documents without a text, or not at all.
func synthetic(name string, subcode int, title, msg, when string) *ErrorRow {
	return parameter(name, subcode, "[emulator] "+title, msg, "R", when)
}

// tokenError makes a row of the family that answers before anything else is looked at.
func tokenError(name string, subcode int, msg, evidence, when string) *ErrorRow {
	return &ErrorRow{
		Name: name, HTTP: 401, Code: 190, Subcode: subcode, Type: oauthException,
		Message: msg, Evidence: evidence, When: when, Bare: true,
	}
}

// injected makes a row that only a fault produces.
func injected(name string, status, code, subcode int, transient bool, msg, evidence, when string) *ErrorRow {
	return &ErrorRow{
		Name: name, HTTP: status, Code: code, Subcode: subcode, Type: oauthException, Transient: transient,
		Message: msg, Evidence: evidence, When: when, Injected: true,
	}
}

// The failures the sandbox finds by itself.
var (
	errUnknownPath = &ErrorRow{
		Name: "unknown_path", HTTP: 400, Code: 2500, Type: oauthException, Message: "Unknown path components: {path}",
		Evidence: "D", When: "the path has a version that never existed, or too many segments",
	}
	errTokenInvalid = tokenError("token_invalid", 0, "Invalid OAuth access token - Cannot parse access token",
		"L", "no token, or one this sandbox does not know")
	errTokenExpired = tokenError("token_expired", 463,
		"Error validating access token: Session has expired on {expired}. The current time is {now}.",
		"DC", "the token's last second has passed")
	errPermission = &ErrorRow{
		Name: "permission", HTTP: 403, Code: 10, Type: oauthException,
		Message:  "(#10) Application does not have permission for this action",
		Evidence: "D", When: "the token lacks a scope the edge needs",
	}
	errAssignment = &ErrorRow{
		Name: "not_assigned", HTTP: 403, Code: 200, Type: oauthException, Message: "(#200) Permissions error",
		Evidence: "D", When: "the token's user is not assigned to the object",
	}
	errProofMissing = &ErrorRow{
		Name: "proof_missing", HTTP: 400, Code: 100, Type: graphException,
		Message:  "API calls from the server require an appsecret_proof argument",
		Evidence: "C", When: "the app requires proofs and the call has none",
	}
	errProofInvalid = &ErrorRow{
		Name: "proof_invalid", HTTP: 400, Code: 100, Type: graphException,
		Message:  "Invalid appsecret_proof provided in the API argument",
		Evidence: "C", When: "appsecret_proof is not the HMAC-SHA256 of the token under the app secret",
	}
	errNoObject = &ErrorRow{
		Name: "no_object", HTTP: 400, Code: 100, Subcode: 33, Type: graphException,
		Message: "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, " +
			"or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
		Evidence: "DC", When: "the id is unknown, or has no such operation",
	}
	errNoField = &ErrorRow{
		Name: "no_field", HTTP: 400, Code: 100, Type: oauthException,
		Message:  "(#100) Tried accessing nonexisting field ({field}) on node type ({type})",
		Evidence: "C", When: "a field or edge the node does not have is read",
	}
	errParam = &ErrorRow{
		Name: "parameter", HTTP: 400, Code: 100, Type: oauthException, Message: "(#100) {what}",
		Evidence: "D", When: "a parameter is missing or has the wrong type; the text names it",
	}
	errInvalidParameter = &ErrorRow{
		Name: "invalid_parameter", HTTP: 400, Code: 100, Type: oauthException, Message: invalidParam,
		Evidence: "D", When: "test_event_code was not issued by Events Manager (TEST and digits)",
	}
	errQualityDataset = &ErrorRow{
		Name: "quality_dataset", HTTP: 400, Code: 100, Subcode: 2044055, Type: oauthException, Message: invalidParam,
		Evidence: "D", When: "dataset_quality is asked for a dataset the token can't see",
	}
	errPixelExists = &ErrorRow{
		Name: "pixel_exists", HTTP: 400, Code: 6200, Type: oauthException, Message: "(#6200) A pixel already exists for this account",
		Evidence: "D", When: "a second pixel is created on an ad account",
	}
	errTooManyEvents = synthetic("too_many_events", subTooMany, "Too many events",
		"A request holds at most 1000 events.", "data has more than 1000 elements")
	errNoEvents = synthetic("no_events", subEmpty, "No events",
		"The data parameter is an empty list.", "data is []")
	errBodyTooLarge = func() *ErrorRow {
		r := synthetic("body_too_large", subBodyTooLarge, "Body too large",
			"The request body is larger than this sandbox reads.", "the body, plain or unpacked, exceeds 16 MiB")
		r.HTTP = 413
		return r
	}()
	errUnreadableBody = synthetic("unreadable_body", subUnreadableBody, "Unreadable body",
		"The request body can't be read: {what}.", "the body is cut off, not in the encoding it claims, or not strict JSON")

	errSchema = parameter("schema", 2804019, "Server Side Api Parameter Error", "{what}",
		"C", "an event has an unexpected key, a value of the wrong type, or lacks a required key; texts other than “Unexpected key” are ours")
	errTooOld = parameter("too_old", 2804003, "Event Timestamp Too Old",
		"The timestamp for this event is too far in the past. Events need to be sent from your server within 7 days of when they occurred. "+
			"Enter a timestamp that has occurred within the last 7 days.",
		"LC", "event_time is more than 7 days ago, 62 for physical_store")
	errFuture = synthetic("future", subFuture, "Event Timestamp In The Future",
		"The timestamp for this event is in the future. Timestamps are Unix seconds, not milliseconds.", "event_time is more than 60 s ahead")
	errOriginalAge = synthetic("original_event_age", subOriginalEventAge, "Original Event Out Of Range",
		"An AppendAttribution event must arrive within 48 hours of the event it belongs to.",
		"original_event_data.event_time of AppendAttribution is 48 hours old or older, or before touchpoint_ts")
	errActionSource = synthetic("action_source", subActionSource, "Unknown Action Source",
		"The action_source is not one of the documented values.", "action_source is not in Meta's list")
	errUserAgent = synthetic("web_parameters", subUserAgent, "Missing Web Parameters",
		"A website event needs event_source_url and user_data.client_user_agent.",
		"a website event lacks one of the two; only with strict user agent, as the live API accepts it")
	errNotConsolidated = synthetic("not_consolidated", subNotConsolidated, "Dataset Takes No Offline Events",
		"This dataset is not a consolidated container, so it takes no physical_store events.",
		"physical_store sent to a dataset with is_consolidated_container false")
	errLDU = synthetic("ldu", subLDU, "Bad Limited Data Use Options",
		"The data_processing_options, country and state do not go together.", "a combination outside Meta's tables")
	errExtInfo = synthetic("extinfo", subExtInfo, "Bad extinfo",
		"app_data.extinfo must be a list of 16 strings that starts with a2 or i2 and names the OS version.", "extinfo has another shape")
	errNotHashed = parameter("not_hashed", 2804016, "User Parameter Not Hashed",
		"The {key} parameter isn’t hashed. Hash all user parameters as SHA256, except for client user agent, click ID, and browser ID. "+
			"Any other user parameters that are not hashed are automatically rejected by Facebook.",
		"C", "em ph fn ln db ge ct st zp or country is not 64 hex digits")
	errEmptyUserValue = synthetic("empty_user_value", subEmptyUserValue, "Empty User Value",
		"The {key} parameter holds null or an empty value.", "a user_data value is null, \"\" or []")
	errIP = synthetic("ip", subIP, "Bad IP Address",
		"The client_ip_address parameter is not an IPv4 or IPv6 address.", "client_ip_address does not parse")
	errClickID = synthetic("click_id", subClickID, "Bad Click Or Browser ID",
		"The {key} parameter does not have the form fb.<index>.<milliseconds>.<id>.", "fbc or fbp has another form")
	errLeadID = synthetic("lead_id", subLeadID, "Bad Lead ID",
		"The lead_id parameter must have 15 to 17 digits.", "lead_id is not 15–17 digits")
	errInsufficient = parameter("insufficient", 2804050,
		"You haven't added sufficient customer information parameter data for this event",
		"This event has no customer information parameters, or a combination of them that is too broad to match anyone.",
		"C", "the user_data keys are none or a subset of a combination Meta lists as too broad; second half of the text is ours")
	errNoValue = parameter("purchase_value", 2804009, "Missing Value for Purchase Event",
		"Your purchase event doesn’t include a value parameter. Enter a value. For example: 1.99",
		"LC", "Purchase without custom_data.value")
	errNoCurrency = parameter("purchase_currency", 2804010, "Missing Currency for Purchase Event",
		"Your purchase event doesn’t include a currency parameter. Enter a currency parameter. For example: USD",
		"C", "Purchase without custom_data.currency")
	errValue = synthetic("value", subValue, "Bad Value",
		"The value parameter must be a number that is not negative.", "custom_data.value is negative or text that is not a number")
	errCurrency = synthetic("currency", subCurrency, "Bad Currency",
		"The currency parameter must be an ISO 4217 code.", "custom_data.currency is not on the ISO 4217 list")
	errRange = synthetic("range", subRange, "Value Outside The Documented Range", "{what}",
		"a number, word, code or name Meta documents limits for lies outside them: quantity, num_items, attribution_share, item_price and the like "+
			"not finite, delivery_category, customer_segmentation, store_code, event_name over 50 characters or not allowed for business_messaging")
	errPageID = parameter("messaging_page_id", 2804069, "[emulator] Missing Page ID",
		"A WhatsApp event needs user_data.page_id.",
		"C", "a WhatsApp event names no Page; only with strict page id, as Meta's own sample names none; number from one report, text ours")
)

// The failures that exist at Meta but that a double can't reach by itself.
var injectedErrors = []*ErrorRow{
	injected("unknown", 500, 1, 0, true, "An unknown error occurred", "D", "unknown error"),
	injected("unknown_99", 500, 1, 99, true, "An unknown error occurred", "D", "unknown error"),
	injected("unavailable", 503, 2, 0, true, "Service temporarily unavailable", "D", "service down or overloaded"),
	injected("method", 400, 3, 0, false, "(#3) Application does not have the capability to make this API call.", "D", "capability missing"),
	injected("app_limit", 400, 4, 0, true, "(#4) Application request limit reached", "D", "call limit of the app"),
	injected("user_limit", 400, 17, 0, true, "(#17) User request limit reached", "D", "call limit of the user"),
	injected("account_limit", 400, 17, 2446079, true, "(#17) User request limit reached", "D", "call limit of the ad account"),
	injected("page_limit", 400, 32, 0, true, "(#32) Page request limit reached", "D", "call limit of a Page"),
	injected("session", 401, 102, 0, false, "(#102) Session key invalid or no longer valid", "D", "session invalid"),
	injected("signature", 400, 104, 0, false, "(#104) Incorrect signature", "D", "proof does not fit"),
	injected("app_removed", 401, 190, 458, false, "Error validating access token: The user has not authorized application.", "D", "the app was removed"),
	injected("checkpoint", 401, 190, 459, false, "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the instructions given.", "D", "the user must pass a checkpoint"),
	injected("password", 401, 190, 460, false, "Error validating access token: The session has been invalidated because the user changed the password.", "D", "the password changed"),
	injected("unconfirmed", 401, 190, 464, false, "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.", "D", "the user is not confirmed"),
	injected("token_revoked", 401, 190, 467, false, "Error validating access token: The access token is invalid.", "D", "the token was revoked"),
	injected("session_role", 401, 190, 492, false, "Error validating access token: Session does not match current stored session.", "D", "the session's user lost the role"),
	injected("ads_management", 400, 294, 0, false, "(#294) Managing advertisements requires the extended permission ads_management", "D", "permission missing"),
	injected("temporary_limit", 400, 341, 0, true, "(#341) Feed action request limit reached", "D", "temporary limit of the app"),
	injected("policy", 400, 368, 0, false, "(#368) The action attempted has been deemed abusive or is otherwise disallowed", "D", "blocked for a policy violation"),
	injected("rate_613", 400, 613, 0, true, "(#613) Calls to this api have exceeded the rate limit.", "D", "rate limit of the edge"),
	injected("rate_613_account", 400, 613, 1487742, true, "(#613) There have been too many calls from this ad-account. Wait a bit and try again.", "D", "rate limit of the ad account"),
	{Name: "alias", HTTP: 404, Code: 803, Type: oauthException, Message: "(#803) Some of the aliases you requested do not exist", Evidence: "R", When: "an alias does not resolve", Injected: true},
	injected("not_ready", 400, 21009, 0, true, "The data set upload is temporarily not ready.", "C", "data set not ready"),
	injected("unknown_5000", 500, 5000, 0, true, "Unknown Error Code", "D", "unknown error code"),
	injected("account_80000", 400, 80000, 0, true, "(#80000) There have been too many calls from this ad-account. Wait a bit and try again.", "D", "too many insights calls"),
	injected("account_80003", 400, 80003, 0, true, "(#80003) There have been too many calls from this ad-account. Wait a bit and try again.", "D", "too many audience calls"),
	injected("account_80004", 400, 80004, 0, true, "(#80004) There have been too many calls to this ad-account. Wait a bit and try again.", "D", "too many ads-management calls"),
	injected("account_80014", 400, 80014, 0, true, "(#80014) There have been too many calls for the batch uploads to this catalog account. Wait a bit and try again.", "D", "too many catalog calls"),
	func() *ErrorRow {
		r := parameter("ldu_2020", 2804030, "Limited Data Use Selection Required", "", "C", "July and August 2020 only")
		r.Injected = true
		return r
	}(),
	opaque(2804001), opaque(2804007), opaque(2804014), opaque(2804017), opaque(2804048),
}

// opaque is a subcode known to exist while its text is not public.
func opaque(subcode int) *ErrorRow {
	r := parameter("opaque", subcode, "[emulator] Text not public", "Meta uses this subcode; its text is not public.", "C",
		"seen in the wild, cause unknown")
	r.Injected = true
	return r
}

// natural lists the rows that requests can provoke, in the order of the checks.
var natural = []*ErrorRow{
	errUnknownPath, errTokenInvalid, errTokenExpired, errPermission, errAssignment, errProofMissing, errProofInvalid,
	errNoObject, errNoField, errBodyTooLarge, errUnreadableBody, errParam, errInvalidParameter, errNoEvents, errTooManyEvents,
	errSchema, errTooOld, errFuture, errOriginalAge, errActionSource, errUserAgent, errNotConsolidated, errLDU, errExtInfo,
	errEmptyUserValue, errNotHashed, errIP, errClickID, errLeadID, errInsufficient, errNoValue, errNoCurrency, errValue, errCurrency,
	errRange, errPageID, errQualityDataset, errPixelExists,
}

// Errors returns the whole catalogue: first the rows requests can provoke, in the
// order of the checks, then those only a fault produces.
func Errors() []ErrorRow {
	rows := make([]ErrorRow, 0, len(natural)+len(injectedErrors))
	for _, r := range slices.Concat(natural, injectedErrors) {
		rows = append(rows, *r)
	}
	return rows
}

// rowFor finds the catalogue's row of a code and subcode; without one it makes a
// plain row, so that a fault can ask for any number.
func rowFor(code, subcode int) *ErrorRow {
	// Several rows share 100 without subcode; the generic one speaks for them.
	for _, r := range slices.Concat(injectedErrors, []*ErrorRow{errInvalidParameter}, natural) {
		if r.Code == code && r.Subcode == subcode {
			return r
		}
	}
	for i := range graphspec.ErrorRows {
		if r := &graphspec.ErrorRows[i]; r.Code == code && r.Subcode == subcode {
			return rowOf(r)
		}
	}
	status := 400
	switch {
	case code == 190 || code == 102:
		status = 401
	case code == 10 || code >= 200 && code <= 299:
		status = 403
	case code == 1 || code == 2:
		status = 500
	}
	return &ErrorRow{
		Name: "requested", HTTP: status, Code: code, Subcode: subcode, Type: oauthException,
		Message: "[emulator] error requested by a fault", Evidence: "R", Injected: true,
	}
}

// rowNamed finds a row of either catalogue by its name, nil when there is none.
func rowNamed(name string) *ErrorRow {
	for i := range graphspec.ErrorRows {
		if r := &graphspec.ErrorRows[i]; r.Name == name {
			return rowOf(r)
		}
	}
	for _, r := range slices.Concat(natural, injectedErrors) {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// apiError is a reply that refuses: a row and what fills its placeholders.
type apiError struct {
	row  *ErrorRow
	args []string // name, value, name, value …
}

// with fills placeholders. Values come from the request, so they are bounded.
func (r *ErrorRow) with(args ...string) *apiError {
	for i := 1; i < len(args); i += 2 {
		args[i] = clip(args[i])
	}
	return &apiError{row: r, args: args}
}

// clip bounds text that is echoed from a request.
func clip(s string) string { return clipTo(s, 400) }

func clipTo(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

// fill puts the arguments into a template. A placeholder without argument, as
// when a fault asks for the row, becomes an ellipsis.
func (e *apiError) fill(template string) string {
	for i := 0; i+1 < len(e.args); i += 2 {
		template = strings.ReplaceAll(template, "{"+e.args[i]+"}", e.args[i+1])
	}
	if e.args != nil {
		return template
	}
	for {
		before, rest, found := strings.Cut(template, "{")
		_, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return template
		}
		template = before + "…" + after
	}
}

// fromWorld makes a refusal of the world one of ours; nil stays nil.
func fromWorld(err *world.Error) *apiError {
	if err == nil {
		return nil
	}
	for _, r := range natural {
		if r.Name == err.Row.Name && r.Code == err.Row.Code && r.Subcode == err.Row.Subcode {
			return r.with(slices.Clone(err.Args)...)
		}
	}
	return rowOf(err.Row).with(slices.Clone(err.Args)...)
}

// rowOf is a row of graphspec's catalogue as one of ours.
func rowOf(r *graphspec.ErrorRow) *ErrorRow {
	return &ErrorRow{
		Name: r.Name, HTTP: r.HTTP, Code: r.Code, Subcode: r.Subcode, Type: r.Type, Message: r.Message, Title: r.Title, UserMsg: r.UserMsg,
		Transient: r.Transient, Evidence: string(r.Evidence), When: r.Advice, Bare: r.Code == 190,
	}
}
