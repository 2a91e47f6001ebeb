package era

import (
	"strconv"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// cacheable methods are those whose modern result has to say how long it is good for.
func cacheable(method string) bool {
	switch method {
	case mcpwire.MethodDiscover, mcpwire.MethodToolsList, mcpwire.MethodPromptsList, mcpwire.MethodResourcesList,
		mcpwire.MethodTemplatesList, mcpwire.MethodResourcesRead:
		return true
	}
	return false
}

// modernResult is a legacy server's result as a modern client expects it, under the
// client's id: complete, with cache hints that allow no caching where hints are
// required, and with the server's name. What is there already stays.
func modernResult(m *mcpwire.Message, id []byte, method string, serverInfo []byte) ([]byte, error) {
	edits := []mcpwire.Edit{setID(m, id)}
	if isObject(m.Raw, m.Result) {
		var add []mcpwire.Field
		var meta mcpwire.Span
		missing := map[string]bool{"resultType": true, "ttlMs": cacheable(method), "cacheScope": cacheable(method)}
		for key, value := range mcpwire.Members(m.Raw, m.Result) {
			name, _ := mcpwire.Unquote(m.Raw[key.Start:key.End])
			delete(missing, name)
			if name == "_meta" {
				meta = value
			}
		}
		for _, f := range []mcpwire.Field{{Name: "resultType", Value: []byte(`"complete"`)}, {Name: "ttlMs", Value: []byte("0")},
			{Name: "cacheScope", Value: []byte(`"private"`)}} {
			if missing[f.Name] {
				add = append(add, f)
			}
		}
		if len(serverInfo) > 0 {
			info := mcpwire.Field{Name: mcpwire.MetaServerInfo, Value: serverInfo}
			switch {
			case !meta.Present():
				add = append(add, mcpwire.Field{Name: "_meta", Value: object(info)})
			case isObject(m.Raw, meta) && !mcpwire.Member(m.Raw, meta, mcpwire.MetaServerInfo).Present():
				edits = append(edits, mcpwire.AddMembers(m.Raw, meta, info))
			}
		}
		if len(add) > 0 {
			edits = append(edits, mcpwire.AddMembers(m.Raw, m.Result, add...))
		}
	}
	return mcpwire.Splice(m.Raw, edits...)
}

// legacyResult is a modern server's complete result as a legacy client knows it.
func legacyResult(m *mcpwire.Message, id []byte) ([]byte, error) {
	edits := []mcpwire.Edit{setID(m, id)}
	if isObject(m.Raw, m.Result) {
		edits = append(edits, mcpwire.RemoveMembers(m.Raw, m.Result, func(name string) bool {
			return name == "resultType" || name == "ttlMs" || name == "cacheScope"
		})...)
	}
	return mcpwire.Splice(m.Raw, edits...)
}

// errorCode is error.code as a number; 0 when it is none.
func errorCode(m *mcpwire.Message) int {
	n, err := strconv.Atoi(string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))))
	if err != nil {
		return 0
	}
	return n
}

// cannotCarry is the number of errors that the other era has no word for.
var cannotCarry = (&exchange.Error{Code: exchange.CannotCarry}).RPCCode()

// modernError is a legacy server's error for a modern client: the codes that the
// modern era dropped are replaced, message and data stay. uri is that of the request,
// as a JSON string, for errors that have to name it.
func modernError(m *mcpwire.Message, id, uri []byte) ([]byte, int, error) {
	edits := []mcpwire.Edit{setID(m, id)}
	status := 0
	switch errorCode(m) {
	case mcpwire.CodeResourceNotFound:
		edits = append(edits, setCode(m, mcpwire.CodeInvalidParams))
		data := mcpwire.Member(m.Raw, m.Error, "data")
		switch {
		case len(uri) == 0:
		case !data.Present():
			edits = append(edits, mcpwire.AddMembers(m.Raw, m.Error,
				mcpwire.Field{Name: "data", Value: object(mcpwire.Field{Name: "uri", Value: uri})}))
		case isObject(m.Raw, data) && !mcpwire.Member(m.Raw, data, "uri").Present():
			edits = append(edits, mcpwire.AddMembers(m.Raw, data, mcpwire.Field{Name: "uri", Value: uri}))
		}
	case mcpwire.CodeURLElicitation:
		edits = append(edits, setCode(m, cannotCarry))
	case mcpwire.CodeMethodNotFound:
		status = 404
	}
	raw, err := mcpwire.Splice(m.Raw, edits...)
	return raw, status, err
}

// legacyError is a modern server's error for a legacy client. Codes that the modern
// era reserves become those that JSON-RPC always had; message and data stay.
func legacyError(m *mcpwire.Message, id []byte, method string) ([]byte, error) {
	edits := []mcpwire.Edit{setID(m, id)}
	switch errorCode(m) {
	case mcpwire.CodeInvalidParams:
		data := mcpwire.Member(m.Raw, m.Error, "data")
		if method == mcpwire.MethodResourcesRead && isObject(m.Raw, data) && mcpwire.Member(m.Raw, data, "uri").Present() {
			edits = append(edits, setCode(m, mcpwire.CodeResourceNotFound))
		}
	case mcpwire.CodeMissingCapability:
		edits = append(edits, setCode(m, mcpwire.CodeInvalidRequest))
	case mcpwire.CodeHeaderMismatch, mcpwire.CodeUnsupportedVersion:
		// Between Sluice and the upstream: nothing that the client could mend.
		edits = append(edits, setCode(m, mcpwire.CodeInternal))
	}
	return mcpwire.Splice(m.Raw, edits...)
}

func setCode(m *mcpwire.Message, code int) mcpwire.Edit {
	return mcpwire.SetMember(m.Raw, m.Error, "code", strconv.AppendInt(nil, int64(code), 10))
}
