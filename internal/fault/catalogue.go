package fault

// Code names a fault. Codes are part of the contract and never change meaning.
type Code string

// Row is what the catalogue knows about a code.
type Row struct {
	Code      Code
	HTTP      int
	Exit      int
	Retryable bool
	When      string
	Fix       string
}

// Exit codes: 0 ok or nothing to do, 1 runtime, 2 validation, 3 environment,
// 4 refused by a gate, 5 finished with rejects or unknown.
const (
	ExitOK         = 0
	ExitRuntime    = 1
	ExitValidation = 2
	ExitEnv        = 3
	ExitGate       = 4
	ExitPartial    = 5
)

// The codes.
const (
	Internal              Code = "internal"
	Usage                 Code = "usage"
	AuthRequired          Code = "auth_required"
	ConnectorExpired      Code = "connector_expired"
	ConnectionInactive    Code = "connection_inactive"
	MappingInvalid        Code = "mapping_invalid"
	SourceUnavailable     Code = "source_unavailable"
	SourceInvalid         Code = "source_invalid"
	SourceEmpty           Code = "source_empty"
	PlanRequired          Code = "plan_required"
	PlanNotFound          Code = "plan_not_found"
	PlanExpired           Code = "plan_expired"
	PlanStale             Code = "plan_stale"
	PlanHashMismatch      Code = "plan_hash_mismatch"
	UnmappedOutcome       Code = "unmapped_outcome"
	RejectThreshold       Code = "reject_threshold"
	IdempotencyInvalid    Code = "idempotency_key_invalid"
	IdempotencyMismatch   Code = "idempotency_mismatch"
	IdempotencyInProgress Code = "idempotency_in_progress"
	Partial               Code = "partial"
	DestinationRejected   Code = "destination_rejected"
	DestinationUnreached  Code = "destination_unreachable"
	OutcomeUnknown        Code = "outcome_unknown"
	StoreUnavailable      Code = "store_unavailable"
	RateLimited           Code = "rate_limited"
	ConfirmationNeeded    Code = "confirmation_needed"
	Cancelled             Code = "cancelled"
	DryRunFailed          Code = "dry_run_failed"
	AuditBroken           Code = "audit_broken"
	PortUnavailable       Code = "port_unavailable"
	PayloadInvalid        Code = "payload_invalid"
	DestinationMismatch   Code = "destination_mismatch"
	LedgerForked          Code = "ledger_forked"
	FirstUploadRequired   Code = "first_upload_required"

	// Of the gates before a confirm.
	IdempotencyRequired Code = "idempotency_key_required"
	CapExceeded         Code = "cap_exceeded"
	ApprovalRequired    Code = "approval_required"
	ApprovalDecided     Code = "approval_decided"
	CircuitOpen         Code = "circuit_open"
	DryRunRequired      Code = "dry_run_required"
	LiveTestUnsupported Code = "live_test_unsupported"
	NothingToSend       Code = "nothing_to_send"
	RunPaused           Code = "run_paused"
	NothingToResolve    Code = "nothing_to_resolve"
	AuditUnavailable    Code = "audit_unavailable"
	DoubleCount         Code = "possible_double_count"

	// Of those who call from outside.
	TokenExpired      Code = "token_expired"
	ProfileRequired   Code = "profile_required"
	NotFound          Code = "not_found"
	PolicyInvalid     Code = "policy_invalid"
	TooLarge          Code = "body_too_large"
	OriginRefused     Code = "origin_refused"
	SignatureInvalid  Code = "signature_invalid"
	DeliveryChanged   Code = "delivery_changed"
	InboxFull         Code = "inbox_full"
	InsufficientScope Code = "insufficient_scope"
	WritebackDisabled Code = "writeback_disabled"
	ErasureIncomplete Code = "erasure_incomplete"
	PlanShredded      Code = "plan_shredded"
	RoleRequired      Code = "role_required"
	ChannelFailed     Code = "channel_failed"

	// Of MCP servers behind the gateway.
	UpstreamAuth   Code = "upstream_auth_failed"
	UpstreamFailed Code = "upstream_failed"

	// Of the registry: servers, policies and grants.
	ChangeStale    Code = "change_stale"
	ManagedByFiles Code = "managed_by_files"
	InUse          Code = "in_use"
	NameTaken      Code = "name_taken"

	// Tools for Meta's platform.
	ArgumentInvalid Code = "argument_invalid"
	ToolUnknown     Code = "tool_unknown"
	Unsupported     Code = "unsupported"
	ScopeMissing    Code = "scope_missing"
	ObjectNotFound  Code = "object_not_found"
	WindowClosed    Code = "window_closed"
	BudgetCeiling   Code = "budget_ceiling"
	NotReady        Code = "not_ready"
	UploadRefused   Code = "upload_refused"
	TooMuchData     Code = "too_much_data"
	MetaRefused     Code = "meta_refused"
	MetaUnavailable Code = "meta_unavailable"
	MetaPolicy      Code = "meta_policy"
	VersionEnded    Code = "version_ended"
	DoneAlready     Code = "done_already"
	CallUnknown     Code = "call_outcome_unknown"
)

// Catalogue holds every code once, in the order docs/errors.md prints it.
var Catalogue = []Row{
	{Internal, 500, ExitRuntime, false, "a defect in Sluice", "report it with the command and the log"},
	{Usage, 400, ExitValidation, false, "a command was called wrongly", "see `--help` of the command"},
	{AuthRequired, 401, ExitEnv, false, "no Meta access token is set", "set META_ACCESS_TOKEN, or point --graph-url at `sluice sandbox`"},
	{ConnectorExpired, 424, ExitEnv, false, "Meta refuses the access token", "create a new system-user token in Business settings and set META_ACCESS_TOKEN"},
	{ConnectionInactive, 424, ExitEnv, false, "the dataset can't be used with this token", "check the dataset id and that the system user is assigned to it"},
	{MappingInvalid, 422, ExitValidation, false, "the mapping has faults, or does not fit the input", "run `sluice mapping check`"},
	{SourceUnavailable, 424, ExitEnv, true, "an input can't be opened", "check the path and its permissions"},
	{SourceInvalid, 422, ExitValidation, false, "an input is not what it claims to be", "export it again; the message names file and line"},
	{SourceEmpty, 422, ExitValidation, false, "there is no record to read", "check the export; an empty day needs no send"},
	{UnmappedOutcome, 422, ExitValidation, false, "an outcome was asked for that was never stored and has no Meta event", "list what is stored with `sluice outcomes stats`; a profile's policy names events for outcomes of your own"},
	{PlanRequired, 400, ExitValidation, false, "confirm came without a plan", "run `sluice preview` first"},
	{PlanNotFound, 404, ExitValidation, false, "no such plan in this state directory", "list plans with `sluice runs`, or preview again"},
	{PlanExpired, 410, ExitValidation, false, "the plan is too old to be confirmed", "preview again"},
	{PlanStale, 409, ExitValidation, false, "too much of the plan can't be sent any more", "preview again"},
	{PlanHashMismatch, 409, ExitValidation, false, "the hash is not that of the plan", "copy plan id and hash from one preview"},
	{RejectThreshold, 409, ExitGate, false, "more rows were rejected than the limit allows", "look at `sluice rejects`, or confirm with --accept-rejects"},
	{IdempotencyInvalid, 400, ExitValidation, false, "the idempotency key is not 1-255 visible ASCII characters", "use the default, `plan:<id>`"},
	{IdempotencyMismatch, 422, ExitValidation, false, "the key was used for another request", "use a new key"},
	{IdempotencyInProgress, 409, ExitGate, true, "the same confirm is running", "wait for it; `sluice runs` shows its progress"},
	{Partial, 200, ExitPartial, false, "finished, with rejected or unknown events", "see `sluice rejects`"},
	{DestinationRejected, 502, ExitRuntime, false, "Meta refused the request", "see code and subcode"},
	{DestinationUnreached, 503, ExitEnv, true, "the Graph API can't be reached", "check the network and --graph-url; confirm again, it resumes"},
	{OutcomeUnknown, 504, ExitPartial, true, "events may have arrived but no answer was read", "confirm again: inside the guard window the same bytes are sent again"},
	{StoreUnavailable, 503, ExitEnv, true, "the ledger can't be read or written; nothing was sent", "check disk space and the state directory"},
	{RateLimited, 429, ExitGate, true, "too many calls", "wait as long as retry_after says"},
	{ConfirmationNeeded, 400, ExitGate, false, "sending needs a yes, and nobody can be asked here", "pass --yes, or run it on a terminal"},
	{DryRunFailed, 422, ExitValidation, false, "a dry run found what Meta would refuse; nothing was sent", "mend the rows or the mapping it names and preview again"},
	{AuditBroken, 409, ExitRuntime, false, "the audit chain does not verify", "keep the state directory as it is, and compare it with a backup"},
	{DestinationMismatch, 409, ExitValidation, false, "a plan was previewed for another destination", "confirm it where it belongs, or preview again"},
	{IdempotencyRequired, 400, ExitValidation, false, "a confirm from outside names no idempotency key", "send an Idempotency-Key of your own, such as a UUID, and keep it for retries"},
	{CapExceeded, 403, ExitGate, false, "the profile's policy caps events or value, and this would go beyond", "send less, wait for the next day, or have the policy changed"},
	{ApprovalRequired, 202, ExitGate, true, "somebody else has to approve this confirm", "after `sluice approvals approve ID` the same confirm goes through, once"},
	{ApprovalDecided, 409, ExitGate, false, "an approval was decided already, or its time is over", "see `sluice approvals list`"},
	{CircuitOpen, 503, ExitGate, true, "too many confirms of this profile failed; nothing is sent for a while", "mend what failed; wait for retry_after, or `sluice circuit reset --reason TEXT`"},
	{DryRunRequired, 409, ExitGate, false, "the policy wants a dry run of the plan first", "run `sluice dry-run` on it"},
	{LiveTestUnsupported, 422, ExitValidation, false, "a live test can't be done with this plan, or was not acknowledged", "use level offline, sandbox or test_dataset"},
	{NothingToSend, 200, ExitOK, false, "nothing of the plan is left to be sent", "none needed; the receipt says why"},
	{RunPaused, 409, ExitGate, false, "a canary was sent and the rest waits for a yes", "look at its trace ids in Events Manager, then confirm with --continue, or `sluice runs cancel`"},
	{NothingToResolve, 409, ExitValidation, false, "no such event is unknown", "see `sluice events PLAN`"},
	{DoubleCount, 409, ExitGate, false, "several outcomes of one sale would be sent as purchases", "name the sale with sale_key in the mapping, or confirm with --accept-double-count"},
	{AuditUnavailable, 503, ExitEnv, true, "the audit log can't be written; nothing was sent", "check disk space and the state directory, then repeat the command"},
	{LedgerForked, 409, ExitGate, false, "this ledger is not the only one that knows what was sent to the dataset; nothing was sent", "bring back the newer ledger, or have an admin accept the other one: docs/audit.md"},
	{FirstUploadRequired, 409, ExitGate, false, "an empty ledger would send events that somebody else may have sent before", "record earlier uploads with `sluice adopt`, or confirm with --first-upload"},
	{PayloadInvalid, 422, ExitValidation, false, "an event would be refused", "mend what is listed"},
	{PortUnavailable, 503, ExitEnv, true, "an address can't be listened on", "choose another port, or 0 for a free one"},
	{TokenExpired, 401, ExitEnv, false, "an API token was revoked, or its time is over", "ask an admin of the workspace for a new one: `sluice token add`"},
	{ProfileRequired, 400, ExitValidation, false, "the workspace has several profiles and none is named", "name one of the listed profiles"},
	{NotFound, 404, ExitValidation, false, "what was named does not exist here", "list what there is"},
	{PolicyInvalid, 422, ExitValidation, false, "a policy has members or values that mean nothing", "mend the members it names; docs/api.md lists them"},
	{TooLarge, 413, ExitValidation, false, "a request body is larger than its route takes", "send less at a time"},
	{OriginRefused, 403, ExitGate, false, "a request came from a web page or under a host name that is not expected", "call the address that `sluice serve` printed, or name the host with --host"},
	{SignatureInvalid, 401, ExitGate, false, "a webhook has no valid signature, or its time is too far off", "check the secret and the sender's clock"},
	{DeliveryChanged, 409, ExitGate, false, "a webhook delivery came again with another body", "give a changed delivery an id of its own"},
	{InboxFull, 429, ExitGate, true, "the webhook inbox is above its high-water mark", "deliver again after retry_after seconds"},
	{InsufficientScope, 403, ExitGate, false, "the token lacks a scope", "use a token with the scope it names"},
	{WritebackDisabled, 403, ExitGate, false, "write-back is switched off in the workspace", "an owner or admin switches it on: `sluice workspace set --write-back on`"},
	{RoleRequired, 403, ExitGate, false, "the caller's role does not cover it", "ask somebody with the role it names"},
	{ChannelFailed, 502, ExitEnv, true, "an alert or a report could not be handed over", "check the webhook or the program; it is told again"},
	{ErasureIncomplete, 409, ExitGate, true, "events of the erased person are on their way right now", "run `sluice forget` again with the same arguments; it ends what is left"},
	{PlanShredded, 410, ExitValidation, false, "the payload of the plan was removed by retention", "preview again: what was delivered counts as a duplicate"},
	{Cancelled, 499, 130, false, "interrupted", "run the same command again, it resumes"},
	{UpstreamAuth, 502, ExitEnv, false, "an MCP server refuses Sluice's credential, or nobody agreed to its use", "sign in again: `sluice server login NAME`"},
	{UpstreamFailed, 502, ExitEnv, true, "an MCP server can't be reached or used", "see what `sluice server check` says of it"},
	{ChangeStale, 409, ExitGate, false, "what was previewed is not what would be done now", "preview again, and confirm with the hash it shows"},
	{ManagedByFiles, 409, ExitGate, false, "files own a server, policy or grant, so that it is read-only elsewhere", "change the files it names and apply them"},
	{InUse, 409, ExitGate, false, "something else still needs what would be removed", "detach what it names first"},
	{NameTaken, 409, ExitValidation, false, "there is one of that name already", "choose another name, or change the one that is there"},
	{ArgumentInvalid, 400, ExitValidation, false, "arguments of a tool are missing, wrong or unknown; Meta was not asked", "correct the arguments that are named"},
	{ToolUnknown, 404, ExitValidation, false, "there is no tool of that name", "find it with meta_search_tools"},
	{Unsupported, 501, ExitValidation, false, "Meta's API offers nothing for it", "take the way that the message names"},
	{ScopeMissing, 403, ExitEnv, false, "Meta says that the token lacks a permission, or access to the object", "grant the permission that is named; `sluice doctor` shows what the token has"},
	{ObjectNotFound, 404, ExitValidation, false, "Meta knows no such object, or hides it from this token", "check the id, and that the token's user is assigned to the object"},
	{WindowClosed, 409, ExitGate, false, "the time in which Meta lets the person be messaged is over", "wait until they write again; the message says what is allowed"},
	{BudgetCeiling, 403, ExitGate, false, "a budget is above the ceiling that was configured for the ad account", "choose a lower one, or have the ceiling raised in sluice.yaml"},
	{NotReady, 409, ExitRuntime, true, "Meta is still working on it", "ask again later with the tool and the id that are named"},
	{UploadRefused, 422, ExitValidation, false, "a file is outside the allowed folder, too large or of the wrong kind", "see what the message names"},
	{TooMuchData, 422, ExitValidation, false, "Meta can't answer so much at once", "ask for fewer days, fields or rows, or for a report in the background"},
	{MetaRefused, 422, ExitRuntime, false, "Meta refused the call", "read Meta's words in the message; the same call will fail again"},
	{MetaUnavailable, 503, ExitEnv, true, "Meta can't be reached, or fails for the moment", "try again in a minute"},
	{MetaPolicy, 403, ExitGate, false, "Meta has blocked the action for policy or abuse", "stop, and have a person look at Business Support Home"},
	{VersionEnded, 424, ExitEnv, false, "the Graph API version has ended for this endpoint", "raise graph_version in sluice.yaml"},
	{DoneAlready, 409, ExitGate, false, "Meta says that the same was done just now", "look before doing it again"},
	{CallUnknown, 504, ExitRuntime, false, "a call may have been done, but no answer came", "look whether it was done before you repeat it"},
}

// Lookup returns the catalogue's row of a code; an unknown code is Internal.
func Lookup(c Code) Row {
	for _, r := range Catalogue {
		if r.Code == c {
			return r
		}
	}
	return Catalogue[0]
}
