package mcpwire

import "strconv"

// BuildRequest builds a request of our own. id is the raw token; params is JSON or nil.
func BuildRequest(id, method string, params []byte) []byte {
	out := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
	out = AppendQuote(append(out, `,"method":`...), method)
	return closeWith(out, params)
}

// BuildNotification builds a notification of our own. params is JSON or nil.
func BuildNotification(method string, params []byte) []byte {
	return closeWith(AppendQuote([]byte(`{"jsonrpc":"2.0","method":`), method), params)
}

func closeWith(out, params []byte) []byte {
	if params != nil {
		out = append(append(out, `,"params":`...), params...)
	}
	return append(out, '}')
}

// BuildResult builds a response of our own to the request with this raw id.
func BuildResult(id, result []byte) []byte {
	out := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
	return append(append(append(out, `,"result":`...), result...), '}')
}

// BuildError builds an error response of our own. A nil id is null; data is JSON or nil.
func BuildError(id []byte, code int, message string, data []byte) []byte {
	if len(id) == 0 {
		id = []byte("null")
	}
	out := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
	out = strconv.AppendInt(append(out, `,"error":{"code":`...), int64(code), 10)
	out = AppendQuote(append(out, `,"message":`...), message)
	if data != nil {
		out = append(append(out, `,"data":`...), data...)
	}
	return append(out, "}}"...)
}
