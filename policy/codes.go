package policy

// The codes of faults. E_… keeps a document from being used, W_… is worth a look, N_…
// tells what was rewritten.
const (
	codeJSON       = "E_JSON"
	codeDupKey     = "E_DUP_KEY"
	codeSize       = "E_SIZE"
	codeVersion    = "E_VERSION"
	codeDefault    = "E_DEFAULT"
	codeUnknown    = "E_UNKNOWN_FIELD"
	codeType       = "E_TYPE"
	codeHideEmpty  = "E_HIDE_EMPTY"
	codeHideDup    = "E_HIDE_DUP"
	codeToolName   = "E_TOOL_NAME"
	codeConditions = "E_CONDITIONS"
	codePath       = "E_PATH"
	codeOp         = "E_OP"
	codeValue      = "E_VALUE"
	codeRegex      = "E_REGEX"
	codeID         = "E_ID"
	codeApprove    = "E_APPROVE"
	codeCounter    = "E_COUNTER"
	codeWindow     = "E_WINDOW"
	codeMax        = "E_MAX"
	codeScope      = "E_SCOPE"
	codeAlgorithm  = "E_ALGORITHM"
	codeIncrement  = "E_INCREMENT"
	codeKey        = "E_KEY"
	codeAfter      = "E_AFTER"
	codeDupCounter = "E_DUP_COUNTER"
	codeAction     = "E_ACTION"
	codeRateLimit  = "E_RATE_LIMIT"

	warnHiddenRuled = "W_HIDDEN_RULED"
	warnUnknownTool = "W_UNKNOWN_TOOL"
	warnOrder       = "W_ORDER_NO_REQUIRE"
	warnMaxZero     = "W_MAX_ZERO"
	warnRegex       = "W_REGEX_UNANCHORED"
	warnSessionOnly = "W_SESSION_ONLY"
	warnNeverTrue   = "W_NEVER_TRUE"
	warnAfterNever  = "W_AFTER_NEVER"
	noticeAction    = "N_ACTION"
	noticeRateLimit = "N_RATE_LIMIT"
	noticeCondition = "N_CONDITION"
	noticeWindow    = "N_WINDOW"
	noticeAfter     = "N_AFTER"
)

// CodeInfo explains the code of a fault.
type CodeInfo struct {
	Code    string
	Meaning string
}

// Codes are all codes of faults, as the reference lists them.
func Codes() []CodeInfo { return codes[:] }

var codes = [...]CodeInfo{
	{codeJSON, "The document is not one JSON object in UTF-8; the message says where reading stopped."},
	{codeDupKey, "A member comes twice in one object. Readers of JSON disagree about which one counts."},
	{codeSize, "Too large: more than 256 KiB, 2 000 tools, 100 rules or limits in a tool, 100 conditions in a rule, or 32 levels of nesting."},
	{codeVersion, "`version` is not the string `\"1\"`."},
	{codeDefault, "`default` is missing or neither `\"allow\"` nor `\"deny\"`."},
	{codeUnknown, "A member that version 1 and its extensions do not have. A misspelt rule would otherwise be no rule."},
	{codeType, "A member is of another JSON type than the format says."},
	{codeHideEmpty, "A blank entry in `hide`."},
	{codeHideDup, "An entry of `hide` comes twice."},
	{codeToolName, "The name of a tool is empty, has control characters, or is `*`."},
	{codeConditions, "A rule has no `conditions`, has both the long and the short form, or has an empty list where it would mean nothing (`require`)."},
	{codePath, "A path is not `args.` and names, nor one of the extensions."},
	{codeOp, "An operator that does not exist."},
	{codeValue, "The operand is missing or of the wrong type for its operator."},
	{codeRegex, "A pattern is longer than 1 000 bytes or not RE2."},
	{codeID, "The `id` of a rule is empty, longer than 64 characters, a number, or taken by another rule of the list."},
	{codeApprove, "A member of an `approve_if` rule is out of its range: `ttl_seconds` 1 to 604 800, `wait_seconds` 0 to 25, `approvers` a list of names."},
	{codeCounter, "The name of a counter is missing, blank, longer than 64 characters or has control characters."},
	{codeWindow, "A window is missing, unknown, given twice, or `window_seconds` is not 1 to 2 678 400."},
	{codeMax, "`max` is not a whole number from 0 to 10^12."},
	{codeScope, "`scope` is none of grant, session, server, org."},
	{codeAlgorithm, "`algorithm` is neither `\"fixed\"` nor `\"sliding\"`."},
	{codeIncrement, "`increment_from` is not a path, or stands in `all_tools`, whose limits are static."},
	{codeKey, "`key` is not the path of one value, or stands in `all_tools`."},
	{codeAfter, "`after` does not name another tool, does not fit its `key`, stands beside members that count, or in `all_tools`."},
	{codeDupCounter, "Counter, window and scope come twice in one list of limits."},
	{codeAction, "The shorthand `action` is none of allow, deny, require_approval, or `reason` has no action to explain."},
	{codeRateLimit, "The shorthand `rate_limit` is not `{\"max\": 10, \"window\": 60}`, in calls and seconds."},
	{warnHiddenRuled, "A tool is hidden and has rules, which then never decide."},
	{warnUnknownTool, "The server has no tool of this name now."},
	{warnOrder, "`deny_if` compares a size, and no `require` asks for the argument: a call without it is denied as well."},
	{warnMaxZero, "`max: 0` admits no call."},
	{warnRegex, "A pattern without `^` and `$` is found anywhere in the text: `main` matches `domain`."},
	{warnSessionOnly, "All limits are per session: a client that connects anew starts from zero."},
	{warnNeverTrue, "A condition that can never be true."},
	{warnAfterNever, "The tool that has to be called before can't be called under this document."},
	{noticeAction, "The shorthand `action` was written out."},
	{noticeRateLimit, "The shorthand `rate_limit` was written out as a limit."},
	{noticeCondition, "A condition in place of a rule was written out as a rule with one condition."},
	{noticeWindow, "`window_seconds` of 60, 3 600 or 86 400 was written as minute, hour or day."},
	{noticeAfter, "`after` was written in its plain form."},
}
