package graphspec

// The types of exceptions that Meta names.
const (
	oauthException = "OAuthException"
	graphException = "GraphMethodException"
)

// row is a failure of the usual type.
func row(name string, http, code, subcode int, class Class, evidence Evidence, message, advice string) ErrorRow {
	return ErrorRow{
		Name: name, HTTP: http, Code: code, Subcode: subcode, Type: oauthException,
		Message: message, Class: class, Advice: advice, Evidence: evidence,
	}
}

// passing is a failure that Meta marks is_transient.
func passing(r ErrorRow) ErrorRow { r.Transient = true; return r }

// titled adds Meta's words for the user.
func titled(r ErrorRow, title, msg string) ErrorRow { r.Title, r.UserMsg = title, msg; return r }

const (
	adviceNewToken  = "Make a new token for the system user in Business settings, and set META_ACCESS_TOKEN (for Threads THREADS_ACCESS_TOKEN)."
	adviceGrant     = "Grant the permission to the app and make a new token; meta_debug_token lists what the token has."
	adviceAssign    = "Assign the token's user to the object in Business settings, with the task that is needed."
	adviceWait      = "Wait as long as retry_after says, and ask less often or for less."
	adviceAgain     = "Try again in a minute; if it stays, look at Meta's status page."
	adviceCorrect   = "Correct the argument that is named; the same call will fail again."
	adviceSmaller   = "Ask for fewer days, fields, breakdowns or rows, or start a report in the background."
	adviceNotSoon   = "Stop. A person has to look at Business Support Home; trying again makes it worse."
	adviceLookFirst = "Look whether it was done before doing it again."
	adviceWindow    = "Wait until the person writes again; outside the window only what meta_check_messaging_window lists is allowed."
)

// coreErrors are the failures that belong to no part of the API in particular. The
// first row of a code without subcode is what the client takes the code to mean.
var coreErrors = []ErrorRow{
	row("parameter", 400, 100, 0, ClassInput, Documented, "(#100) {what}", adviceCorrect),
	{
		Name: "no_object", HTTP: 400, Code: 100, Subcode: 33, Type: graphException,
		Message: "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
		Class:   ClassInput, Advice: "Check the id, and that the token has access to the object (meta_debug_token).", Evidence: Documented,
	},
	row("no_field", 400, 100, 0, ClassInput, Known, "(#100) Tried accessing nonexisting field ({field}) on node type ({type})", "Leave out the field that is named, or look up its name."),
	row("unknown_path", 400, 2500, 0, ClassInput, Documented, "Unknown path components: {path}", "Check the id and the edge."),
	row("alias", 404, 803, 0, ClassInput, Known, "(#803) Some of the aliases you requested do not exist: {id}", "Use the numeric id."),
	row("no_link", 400, 1609005, 0, ClassInput, Documented, "(#1609005) The link could not be scraped", "Check that the address is public and answers without signing in."),
	row("dynamic_creative", 400, 100, 1885553, ClassInput, Documented, "Invalid parameter", "An ad set for dynamic creative takes one ad, with an asset feed."),
	titled(row("budget_twice", 400, 100, 1885621, ClassInput, Documented, "Invalid parameter", "Give the budget on the campaign or on its ad sets, not on both."),
		"Budget on two levels", "The budget can be set on the campaign or on the ad set."),
	row("no_metric", 400, 3001, 1504028, ClassInput, Documented, "(#3001) No metric was specified to be fetched", "Name at least one metric."),
	row("insights_breakdown", 400, 2, 1504041, ClassInput, Documented, "The combination of breakdowns is not supported", "Ask with fewer or other breakdowns."),
	row("insights_custom_metric", 400, 2, 1504042, ClassInput, Documented, "The combination of custom metrics is not supported", "Ask without the custom metrics, or one at a time."),
	row("media_fetch", 400, 9004, 0, ClassInput, Known, "The media could not be fetched from this URI: {url}", "The address has to be public, direct and on https until the media is published."),

	row("token_invalid", 401, 190, 0, ClassAuth, Documented, "Invalid OAuth access token - Cannot parse access token", adviceNewToken),
	row("app_removed", 401, 190, 458, ClassAuth, Documented, "Error validating access token: The user has not authorized application {app}.", "The app was removed from the account: give it access again, then make a new token."),
	row("checkpoint", 401, 190, 459, ClassAuth, Documented, "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the instructions given.", "The token's person has to sign in on facebook.com and follow what it asks."),
	row("password_changed", 401, 190, 460, ClassAuth, Documented, "Error validating access token: The session has been invalidated because the user changed the password.", adviceNewToken),
	row("token_expired", 401, 190, 463, ClassAuth, Documented, "Error validating access token: Session has expired on {expired}. The current time is {now}.", adviceNewToken),
	row("user_unconfirmed", 401, 190, 464, ClassAuth, Documented, "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.", "The token's person has to confirm the account on facebook.com."),
	row("token_revoked", 401, 190, 467, ClassAuth, Documented, "Error validating access token: This is either due to a user logging out explicitly or revoking the permissions.", adviceNewToken),
	row("session_role", 401, 190, 492, ClassAuth, Documented, "Error validating access token: Session does not match current stored session.", "The token's person has lost the role on the Page: give it back, or make a new token."),
	row("session", 401, 102, 0, ClassAuth, Documented, "(#102) Session key invalid or no longer valid", adviceNewToken),
	{
		Name: "proof_missing", HTTP: 400, Code: 104, Type: graphException, Message: "API calls from the server require an appsecret_proof argument",
		Class: ClassAuth, Advice: "Set META_APP_SECRET to the secret of the token's app.", Evidence: Known,
	},

	row("capability", 400, 3, 0, ClassPermission, Documented, "(#3) Application does not have the capability to make this API call.", "The app needs the feature in App Review before Meta allows this."),
	row("permission", 403, 10, 0, ClassPermission, Documented, "(#10) Application does not have permission for this action", adviceGrant),
	row("not_assigned", 403, 200, 0, ClassPermission, Documented, "(#200) Permissions error", adviceAssign),
	row("ads_management", 400, 294, 0, ClassPermission, Documented, "(#294) Managing advertisements requires the extended permission ads_management", adviceGrant),

	passing(row("app_limit", 400, 4, 0, ClassAppRate, Documented, "(#4) Application request limit reached", adviceWait)),
	passing(row("insights_limit", 400, 4, 1504022, ClassAppRate, Documented, "(#4) There have been too many calls from this app. Wait a bit and try again.", adviceWait)),
	passing(row("insights_limit_app", 400, 4, 1504039, ClassAppRate, Documented, "(#4) There have been too many insights calls from this app.", adviceWait)),
	passing(row("temporary_limit", 400, 341, 0, ClassAppRate, Documented, "(#341) Feed action request limit reached", adviceWait)),
	passing(row("user_limit", 400, 17, 0, ClassUserRate, Documented, "(#17) User request limit reached", adviceWait)),
	passing(row("account_limit", 400, 17, 2446079, ClassAssetRate, Documented, "(#17) User request limit reached", adviceWait)),
	passing(row("page_limit", 400, 32, 0, ClassUserRate, Documented, "(#32) Page request limit reached", adviceWait)),
	passing(row("custom_limit", 400, 613, 0, ClassAssetRate, Documented, "(#613) Calls to this api have exceeded the rate limit.", adviceWait)),
	passing(row("custom_limit_account", 400, 613, 1487742, ClassAssetRate, Documented, "(#613) There have been too many calls from this ad-account. Wait a bit and try again.", adviceWait)),
	passing(row("custom_limit_mutations", 400, 613, 5044001, ClassAssetRate, Known, "(#613) Too many changes to this ad account. Wait a bit and try again.", adviceWait)),
	passing(row("custom_limit_volume", 400, 613, 1996, ClassAssetRate, Documented, "(#613) The volume of calls is unusual. Wait a bit and try again.", adviceWait)),
	useCase("ads_insights", 80000, "There have been too many calls from this ad-account"),
	useCase("pages", 80001, "There have been too many calls to this Page account"),
	useCase("instagram", 80002, "There have been too many calls to this Instagram account"),
	useCase("custom_audience", 80003, "There have been too many calls from this ad-account"),
	useCase("ads_management", 80004, "There have been too many calls to this ad-account"),
	useCase("leadgen", 80005, "There have been too many leadgen api calls"),
	useCase("messenger", 80006, "There have been too many calls to this Page account"),
	useCase("whatsapp", 80008, "There have been too many calls to this WhatsApp Business account"),
	useCase("catalog_management", 80009, "There have been too many calls to this catalog account"),
	useCase("catalog_batch", 80014, "There have been too many calls for the batch uploads to this catalog account"),

	passing(row("unknown", 500, 1, 0, ClassTransient, Documented, "An unknown error occurred", adviceAgain)),
	passing(row("unavailable", 503, 2, 0, ClassTransient, Documented, "Service temporarily unavailable", adviceAgain)),
	passing(row("insights_fault", 500, 2, 1504043, ClassTransient, Documented, "The insights service failed for the moment", adviceAgain)),
	row("report_failed", 400, -2, 2490547, ClassTransient, Documented, "The report could not be made", "Start a new report, for less."),

	row("too_much_data", 400, 100, 1487534, ClassTooBig, Known, "(#100) Please reduce the amount of data you're asking for, then retry your request", adviceSmaller),
	row("insights_slow", 400, 100, 1504018, ClassTooBig, Documented, "The request has timed out. Try using a smaller date range, fetching less data, or async jobs", adviceSmaller),
	row("insights_timeout", 500, 2, 1504038, ClassTooBig, Documented, "The query has timed out", adviceSmaller),

	row("media_not_ready", 400, 9007, 2207027, ClassNotReady, Reported, "Media ID is not available", "Ask for the container's status until it is FINISHED, then publish."),
	row("container_not_visible", 400, 24, 4279009, ClassNotReady, Documented, "The requested resource does not exist", "Wait a few seconds, then publish the same container again."),

	row("deprecated", 400, 12, 0, ClassGone, Known, "(#12) {what} is deprecated for versions {version} and higher", "Use what took its place; the reference of the tool names it."),
	row("version_ended", 400, 2635, 0, ClassVersion, Documented, "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {version}.", "Raise graph_version in sluice.yaml."),

	row("policy", 400, 368, 0, ClassPolicy, Documented, "(#368) The action attempted has been deemed abusive or is otherwise disallowed", adviceNotSoon),
	row("audience_blocked", 400, 100, 1713230, ClassPolicy, Documented, "Invalid parameter", adviceNotSoon),

	row("window_closed", 400, 10, 2018278, ClassWindow, Documented, "(#10) This message is sent outside of allowed window.", adviceWindow),
	row("window_closed_instagram", 400, 10, 2534022, ClassWindow, Documented, "(#10) This message is sent outside of allowed window.", adviceWindow),
	row("person_unavailable", 400, 551, 0, ClassWindow, Known, "(#551) This person isn't available right now.", "The person can't be messaged: blocked, gone, or never wrote."),

	titled(row("duplicate", 400, 506, 0, ClassDuplicate, Documented, "(#506) Duplicate status message", adviceLookFirst),
		"Duplicate post", "This post is identical to the last one."),
}

// useCase is the limit of one use case for one asset.
func useCase(name string, code int, words string) ErrorRow {
	return passing(row("limit_"+name, 400, code, 0, ClassAssetRate, Documented, useCaseMessage(code, words), adviceWait))
}
