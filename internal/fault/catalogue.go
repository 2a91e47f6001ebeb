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
	{PayloadInvalid, 422, ExitValidation, false, "an event would be refused", "mend what is listed"},
	{PortUnavailable, 503, ExitEnv, true, "an address can't be listened on", "choose another port, or 0 for a free one"},
	{Cancelled, 499, 130, false, "interrupted", "run the same command again, it resumes"},
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
