package mcpwire

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Parse checks a message that came from a client and finds its parts. raw is kept.
// Its errors are *SyntaxError or ErrBatch.
func Parse(raw []byte, lim Limits) (Message, error) { return parse(raw, lim, everywhere) }

// ParseReply does the same for a message of an upstream. It is checked as strictly in
// the envelope; members further in may come twice, since nothing is decided on them
// and a client reads the very bytes.
func ParseReply(raw []byte, lim Limits) (Message, error) { return parse(raw, lim, inEnvelope) }

func parse(raw []byte, lim Limits, c check) (Message, error) {
	lim = lim.orDefault()
	m := Message{Raw: raw}
	if len(raw) > lim.Size {
		return m, &SyntaxError{Code: CodeInvalidRequest, Problem: "the message is larger than the limit", Offset: lim.Size}
	}
	if !utf8.Valid(raw) {
		return m, &SyntaxError{Code: CodeParse, Problem: "the message is not valid UTF-8"}
	}
	s := scannerPool.Get().(*scanner)
	defer s.release()
	s.reset(raw, lim.Depth, c)
	s.space()
	if s.i < len(raw) && raw[s.i] == '[' {
		return m, ErrBatch
	}
	s.envelope(&m)
	s.space()
	if s.err == nil && s.i < len(raw) {
		s.fail(CodeParse, "something follows the message")
	}
	if s.err == nil {
		s.complete(&m)
	}
	if s.err != nil {
		s.err.ID = bytes.Clone(m.Bytes(m.ID))
		return m, s.err
	}
	return m, nil
}

// envelope reads the members of the message itself.
func (s *scanner) envelope(m *Message) {
	var version Span
	var method Span
	for o := s.object(); s.next(&o); {
		switch s.known(envelopeNames) {
		case "jsonrpc":
			version = s.value()
		case "id":
			// The id is taken as soon as it is known to be one: an error found later
			// is answered with it.
			if id := s.value(); s.err == nil && s.goodID(id) {
				m.ID = id
			}
		case "method":
			method = s.value()
		case "params":
			m.Params = s.params(m)
		case "result":
			m.Result = s.value()
		case "error":
			m.Error = s.value()
		default:
			s.value()
		}
	}
	if s.err != nil {
		return
	}
	if string(m.Bytes(version)) != `"2.0"` {
		s.fail(CodeInvalidRequest, `jsonrpc is not "2.0"`)
		return
	}
	if method.Present() {
		text, ok := methodText(m.Bytes(method))
		if !ok || text == "" || strings.IndexByte(text, 0) >= 0 {
			s.fail(CodeInvalidRequest, "method is not a string")
			return
		}
		m.Method = text
	}
}

// params reads the members of params that the relay looks at.
func (s *scanner) params(m *Message) Span {
	start := s.i
	if s.peek() != '{' {
		return s.value()
	}
	for o := s.object(); s.next(&o); {
		switch s.known(paramsNames) {
		case "_meta":
			m.Meta = s.meta(m)
		case "name":
			m.Name = s.value()
		case "taskId":
			m.TaskID = s.value()
		case "uri":
			m.URI = s.value()
		case "arguments":
			m.Arguments = s.value()
		case "inputResponses":
			m.InputResponses = s.value()
		case "requestState":
			m.RequestState = s.value()
		case "cursor":
			m.Cursor = s.value()
		default:
			s.value()
		}
	}
	return Span{start, s.i}
}

func (s *scanner) meta(m *Message) Span {
	start := s.i
	if s.peek() != '{' {
		return s.value()
	}
	for o := s.object(); s.next(&o); {
		switch s.known(metaNames) {
		case MetaProtocolVersion:
			m.Version = s.value()
		case MetaCapabilities:
			m.Capabilities = s.value()
		case MetaClientInfo:
			m.ClientInfo = s.value()
		case MetaLogLevel:
			m.LogLevel = s.value()
		case MetaProgressToken:
			m.ProgressToken = s.value()
		case MetaSubscription:
			m.Subscription = s.value()
		case "traceparent":
			m.TraceParent = s.value()
		default:
			s.value()
		}
	}
	return Span{start, s.i}
}

// complete decides what kind of message it is, and refuses what is none.
func (s *scanner) complete(m *Message) {
	switch {
	case m.Method != "" && (m.Result.Present() || m.Error.Present()):
		s.fail(CodeInvalidRequest, "the message is a request and a response at once")
	case m.Result.Present() && m.Error.Present():
		s.fail(CodeInvalidRequest, "the response has a result and an error")
	case m.Method != "" && m.ID.Present():
		m.Kind = Request
	case m.Method != "":
		m.Kind = Notification
	case m.Result.Present() && m.ID.Present():
		m.Kind = Result
	case m.Error.Present(): // an error without an id answers what could not be read
		m.Kind = Failure
	default:
		s.fail(CodeInvalidRequest, "the message has neither a method nor a result nor an error")
	}
	if member, ok := Mirror(m.Method); ok && member == "taskId" {
		m.Name = m.TaskID
	}
	if s.err == nil {
		s.named(m)
	}
	if s.err == nil && m.Params.Present() && m.Raw[m.Params.Start] != '{' {
		s.fail(CodeInvalidParams, "params is not an object")
	}
	if s.err == nil && m.Meta.Present() && m.Raw[m.Meta.Start] != '{' {
		s.fail(CodeInvalidParams, "_meta is not an object")
	}
}

// named refuses a NUL in what a call names: for some the name ends there.
func (s *scanner) named(m *Message) {
	for _, at := range [...]Span{m.Name, m.URI} {
		if b := m.Bytes(at); bytes.IndexByte(b, '\\') >= 0 {
			if text, ok := Unquote(b); ok && strings.IndexByte(text, 0) >= 0 {
				s.fail(CodeInvalidParams, "what the call names has a NUL")
			}
		}
	}
}

// goodID accepts what every parser reads alike: a string, or an integer as JSON's
// shortest form writes it. null is an id in replies only, where it is dropped.
func (s *scanner) goodID(id Span) bool {
	text := s.b[id.Start:id.End]
	switch {
	case text[0] == '"':
		if bytes.IndexByte(text, '\\') >= 0 && s.check == everywhere {
			s.fail(CodeInvalidRequest, "the id is written with escapes")
			return false
		}
		return true
	case string(text) == "null" && s.check != everywhere:
		return false
	case !integer(text):
		s.fail(CodeInvalidRequest, "the id is neither a string nor an integer")
		return false
	}
	return true
}

func integer(text []byte) bool {
	if len(text) > 1 && text[0] == '-' {
		text = text[1:]
		if text[0] == '0' {
			return false
		}
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}

// methodText is the method without an allocation for those that are known.
func methodText(quoted []byte) (string, bool) {
	if len(quoted) > 2 {
		if known, ok := methods[string(quoted[1:len(quoted)-1])]; ok {
			return known, true
		}
	}
	return Unquote(quoted)
}

var methods = func() map[string]string {
	all := map[string]string{}
	for _, m := range []string{MethodInitialize, MethodInitialized, MethodPing, MethodDiscover, MethodListen,
		MethodAcknowledged, MethodCancelled, MethodProgress, MethodLog, MethodSetLevel, MethodToolsList,
		MethodToolsCall, MethodPromptsList, MethodPromptsGet, MethodResourcesList, MethodTemplatesList,
		MethodResourcesRead, MethodSubscribe, MethodUnsubscribe, MethodComplete, MethodElicit, MethodSample,
		MethodRoots, MethodTaskGet, MethodTaskUpdate, MethodTaskCancel} {
		all[m] = m
	}
	return all
}()

// Names that the relay or its peers decide on. A member whose name differs from one
// of them in case only is refused: one parser takes it for the real one, another not.
var (
	envelopeNames = names{"jsonrpc", "id", "method", "params", "result", "error"}
	paramsNames   = names{"_meta", "name", "arguments", "uri", "cursor", "taskId", "inputResponses", "requestState",
		"protocolVersion", "capabilities", "clientInfo", "requestId", "level", "ref"}
	metaNames = names{MetaProtocolVersion, MetaCapabilities, MetaClientInfo, MetaLogLevel,
		MetaProgressToken, MetaSubscription, "traceparent"}
)
