// Package mcpwire reads and edits messages of the Model Context Protocol without
// rebuilding them: a message stays the bytes that were received, an edit cuts and
// inserts, and everything else arrives as it was sent.
//
// Its guarantee: of a message that Parse accepts from a client, no two JSON parsers
// read different methods, names, arguments or metadata. Whatever they could disagree
// on (a member twice, a second spelling of a known member, half a surrogate pair,
// bytes after the value) is refused. Its limit: it knows the envelope and where
// things stand in it, not what they mean; it does no I/O and holds no policy.
package mcpwire

// Protocol revisions, oldest first. They compare as strings.
const (
	Version20241105 = "2024-11-05"
	Version20250326 = "2025-03-26" // to be assumed of a legacy HTTP request that names none
	Version20250618 = "2025-06-18"
	Version20251125 = "2025-11-25" // the last with a handshake
	Version20260728 = "2026-07-28" // the first without
)

// ModernVersions and LegacyVersions are what Sluice speaks, newest first.
var (
	ModernVersions = []string{Version20260728}
	LegacyVersions = []string{Version20251125, Version20250618, Version20250326, Version20241105}
)

// Era is one of the two ways of holding a conversation.
type Era uint8

// Legacy conversations open with a handshake and keep a session; modern ones carry
// everything in each request.
const (
	Legacy Era = iota + 1
	Modern
)

func (e Era) String() string {
	switch e {
	case Legacy:
		return "legacy"
	case Modern:
		return "modern"
	default:
		return "unknown era"
	}
}

// EraOf is the era that a revision belongs to.
func EraOf(version string) Era {
	if version >= Version20260728 {
		return Modern
	}
	return Legacy
}

// Methods that the relay itself treats in some way; every other one passes.
const (
	MethodInitialize    = "initialize"
	MethodInitialized   = "notifications/initialized"
	MethodPing          = "ping"
	MethodDiscover      = "server/discover"
	MethodListen        = "subscriptions/listen"
	MethodAcknowledged  = "notifications/subscriptions/acknowledged"
	MethodCancelled     = "notifications/cancelled"
	MethodProgress      = "notifications/progress"
	MethodLog           = "notifications/message"
	MethodSetLevel      = "logging/setLevel"
	MethodToolsList     = "tools/list"
	MethodToolsCall     = "tools/call"
	MethodPromptsList   = "prompts/list"
	MethodPromptsGet    = "prompts/get"
	MethodResourcesList = "resources/list"
	MethodTemplatesList = "resources/templates/list"
	MethodResourcesRead = "resources/read"
	MethodSubscribe     = "resources/subscribe"
	MethodUnsubscribe   = "resources/unsubscribe"
	MethodComplete      = "completion/complete"
	MethodElicit        = "elicitation/create"
	MethodSample        = "sampling/createMessage"
	MethodRoots         = "roots/list"
	MethodTaskGet       = "tasks/get"
	MethodTaskUpdate    = "tasks/update"
	MethodTaskCancel    = "tasks/cancel"
)

// Keys of `_meta` that the protocol reserves.
const (
	MetaProtocolVersion = "io.modelcontextprotocol/protocolVersion"
	MetaClientInfo      = "io.modelcontextprotocol/clientInfo"
	MetaCapabilities    = "io.modelcontextprotocol/clientCapabilities"
	MetaLogLevel        = "io.modelcontextprotocol/logLevel"
	MetaServerInfo      = "io.modelcontextprotocol/serverInfo"
	MetaSubscription    = "io.modelcontextprotocol/subscriptionId"
	MetaProgressToken   = "progressToken"
)

// HTTP headers of the protocol.
const (
	HeaderVersion     = "Mcp-Protocol-Version"
	HeaderMethod      = "Mcp-Method"
	HeaderName        = "Mcp-Name"
	HeaderParamPrefix = "Mcp-Param-"
	HeaderSession     = "Mcp-Session-Id"
	HeaderLastEvent   = "Last-Event-Id"
)

// Error codes of JSON-RPC and of the protocol. Sluice's own lie outside the range
// that JSON-RPC reserves (-32768 to -32000); see package exchange.
const (
	CodeParse              = -32700
	CodeInvalidRequest     = -32600
	CodeMethodNotFound     = -32601
	CodeInvalidParams      = -32602
	CodeInternal           = -32603
	CodeHeaderMismatch     = -32020 // modern, HTTP 400
	CodeMissingCapability  = -32021 // modern, HTTP 400
	CodeUnsupportedVersion = -32022 // modern, HTTP 400
	CodeResourceNotFound   = -32002 // legacy only
	CodeURLElicitation     = -32042 // legacy only
)
