package httpserve

import (
	"context"
	"net/http"

	"sluice/internal/mcpwire"
)

// modern takes a message of the era without sessions.
func (h *Handler) modern(w http.ResponseWriter, r *http.Request, in *inbound) {
	m := &in.message
	in.call.Era = mcpwire.Modern
	if p := h.checkModern(r, in); p != nil {
		p.id = m.Bytes(m.ID)
		h.refuse(w, *p)
		return
	}
	var ambiguous bool
	if in.call.Header, ambiguous = passing(r.Header, m.Method == mcpwire.MethodToolsCall); ambiguous {
		p := mismatch("a header " + mcpwire.HeaderParamPrefix + "* comes twice")
		p.id = m.Bytes(m.ID)
		h.refuse(w, *p)
		return
	}
	ctx, cancel := context.WithCancelCause(trace(r.Context(), r.Header))
	defer cancel(nil)
	if m.Kind == mcpwire.Notification {
		h.notify(ctx, w, in, h.o.Upstream.Notify)
		return
	}
	f := &flight{caller: in.call.Caller.ID, listens: m.Method == mcpwire.MethodListen, cancel: cancel}
	_ = h.run(ctx, w, r, f, in, h.o.Upstream.Call) // it is answered
}

func mismatch(text string) *problem {
	return &problem{status: http.StatusBadRequest, code: mcpwire.CodeHeaderMismatch, text: text}
}

func invalid(code int, text string) *problem {
	return &problem{status: http.StatusBadRequest, code: code, text: text}
}

// checkModern checks that the message says what a modern one has to say, and that the
// headers say the same.
func (h *Handler) checkModern(r *http.Request, in *inbound) *problem {
	m := &in.message
	if m.Kind.Response() {
		return invalid(mcpwire.CodeInvalidRequest, "a client of this version sends no responses")
	}
	request := m.Kind == mcpwire.Request
	if request {
		if json, stream := accepts(r.Header); !json || !stream {
			p := invalid(mcpwire.CodeInvalidRequest, "Accept must list application/json and text/event-stream")
			p.status = http.StatusNotAcceptable
			return p
		}
	}
	version, ok := knownVersion(m)
	if !ok {
		version, ok = m.Text(m.Version)
	}
	switch {
	case m.Version.Present() && !ok:
		return invalid(mcpwire.CodeInvalidParams, mcpwire.MetaProtocolVersion+" in _meta is not a string")
	case request && !ok:
		return invalid(mcpwire.CodeInvalidParams, "_meta lacks "+mcpwire.MetaProtocolVersion)
	case request && !m.Capabilities.Present():
		return invalid(mcpwire.CodeInvalidParams, "_meta lacks "+mcpwire.MetaCapabilities)
	case m.Capabilities.Present() && m.Raw[m.Capabilities.Start] != '{':
		return invalid(mcpwire.CodeInvalidParams, mcpwire.MetaCapabilities+" in _meta is not an object")
	}
	if p := h.checkMirrored(r, in, version, request); p != nil {
		return p
	}
	if version == "" { // a notification says it in the header alone
		version = r.Header[mcpwire.HeaderVersion][0]
	}
	for _, known := range mcpwire.ModernVersions {
		if version == known {
			in.call.Version = known
			return nil
		}
	}
	p := invalid(mcpwire.CodeUnsupportedVersion, "this version of the protocol is not supported")
	p.data = append(append([]byte(`{"supported":`), h.versions...), `,"requested":`...)
	p.data = append(mcpwire.AppendQuote(p.data, version), '}')
	return p
}

// knownVersion is the version of the message, where it is the one that nearly all have.
func knownVersion(m *mcpwire.Message) (string, bool) {
	quoted := m.Bytes(m.Version)
	if len(quoted) == len(mcpwire.Version20260728)+2 && string(quoted[1:len(quoted)-1]) == mcpwire.Version20260728 {
		return mcpwire.Version20260728, true
	}
	return "", false
}

// checkMirrored compares the headers with the body. For notifications the protocol
// demands none; those that are there have to be true.
func (h *Handler) checkMirrored(r *http.Request, in *inbound, version string, request bool) *problem {
	m, header := &in.message, r.Header
	switch v := header[mcpwire.HeaderVersion]; {
	case len(v) == 0 && request:
		return mismatch("the header MCP-Protocol-Version is missing")
	case len(v) == 0 && version == "":
		return mismatch("neither _meta nor the header MCP-Protocol-Version names a version")
	case len(v) > 1:
		return mismatch("the header MCP-Protocol-Version comes twice")
	case len(v) == 1 && version != "" && v[0] != version:
		return mismatch("the header MCP-Protocol-Version differs from the body")
	}
	switch v := header[mcpwire.HeaderMethod]; {
	case len(v) == 0 && request:
		return mismatch("the header Mcp-Method is missing")
	case len(v) > 1:
		return mismatch("the header Mcp-Method comes twice")
	case len(v) == 1 && v[0] != m.Method:
		return mismatch("the header Mcp-Method differs from the body")
	}
	if !request {
		return nil
	}
	if p := checkName(header, m); p != nil {
		return p
	}
	if m.Method != mcpwire.MethodToolsCall {
		return nil
	}
	return h.checkParams(r, in)
}

// checkName compares Mcp-Name with what the call names.
func checkName(header http.Header, m *mcpwire.Message) *problem {
	v := header[mcpwire.HeaderName]
	member, mirrors := mcpwire.Mirror(m.Method)
	at := m.Name
	if member == "uri" {
		at = m.URI
	}
	switch {
	case len(v) > 1:
		return mismatch("the header Mcp-Name comes twice")
	case !mirrors && len(v) == 0:
		return nil
	case !mirrors: // of an extension: which member it repeats is not known here
		if same(v[0], m, m.Name) || same(v[0], m, m.URI) || !m.Name.Present() && !m.URI.Present() {
			return nil
		}
		return mismatch("the header Mcp-Name differs from the body")
	case len(v) == 0 && !at.Present(): // the upstream will miss it too
		return nil
	case len(v) == 0:
		return mismatch("the header Mcp-Name is missing")
	case !same(v[0], m, at):
		return mismatch("the header Mcp-Name differs from params." + member)
	}
	return nil
}

// same reports whether the decoded field is the string at span.
func same(field string, m *mcpwire.Message, at mcpwire.Span) bool {
	value, ok := mcpwire.DecodeHeader(field)
	if !ok {
		return false
	}
	if quoted := m.Bytes(at); len(quoted) == len(value)+2 && quoted[0] == '"' && string(quoted[1:len(quoted)-1]) == value {
		for i := range len(value) {
			if value[i] == '\\' {
				return false // escapes of the body, taken literally
			}
		}
		return true
	}
	text, ok := m.Text(at)
	return ok && text == value
}

// checkParams compares Mcp-Param-* with the arguments, where the tool's schema is known.
func (h *Handler) checkParams(r *http.Request, in *inbound) *problem {
	m := &in.message
	tool, ok := m.Text(m.Name)
	if !ok {
		return nil
	}
	var params []mcpwire.ParamHeader
	known := false
	if h.o.Schema != nil {
		params, known = h.o.Schema(r.Context(), in.call.Caller, tool)
	} else {
		params, known = h.schemas.of(in.call.Caller.ID, tool)
	}
	if !known {
		return nil
	}
	for _, p := range params {
		v := r.Header[http.CanonicalHeaderKey(mcpwire.HeaderParamPrefix+p.Name)]
		field := ""
		if len(v) > 0 {
			field = v[0]
		}
		if wrong := p.Check(m.Raw, m.Arguments, field, len(v) > 0); wrong != "" {
			return mismatch(wrong)
		}
	}
	return nil
}
