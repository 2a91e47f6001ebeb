package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// cut says how a connection is broken on purpose.
type cut uint8

const (
	cutNone cut = iota
	cutDrop     // closed before the first byte of the reply
	cutHalf     // closed in the middle of the reply's body
)

// reply is what goes back to the caller.
type reply struct {
	status int
	header http.Header
	body   []byte
	cut    cut
	err    *ErrorRow // the row it was made from, for the request log
}

// errorBody is Graph's error envelope. Token errors carry fewer members.
type errorBody struct {
	Message   string `json:"message"`
	Type      string `json:"type"`
	Code      int    `json:"code"`
	Subcode   int    `json:"error_subcode,omitempty"`
	Transient *bool  `json:"is_transient,omitempty"`
	Title     string `json:"error_user_title,omitempty"`
	UserMsg   string `json:"error_user_msg,omitempty"`
	Trace     string `json:"fbtrace_id"`
}

// refusal makes the reply of an error.
func (e *apiError) reply(trace string) *reply {
	row := e.row
	body := errorBody{
		Message: e.fill(row.Message), Type: row.Type, Code: row.Code, Subcode: row.Subcode,
		Title: row.Title, UserMsg: e.fill(row.UserMsg), Trace: trace,
	}
	if !row.Bare {
		body.Transient = &row.Transient
	}
	rep := jsonReply(row.HTTP, map[string]errorBody{"error": body})
	rep.err = row
	kind := "invalid_request"
	if row.Code == 190 || row.Code == 102 {
		kind = "invalid_token"
	}
	rep.header.Set("WWW-Authenticate", `OAuth "Facebook Platform" "`+kind+`" `+headerQuote(body.Message))
	return rep
}

// headerQuote makes text fit for a quoted header value.
func headerQuote(s string) string {
	return strconv.QuoteToASCII(strings.ReplaceAll(s, `"`, "'"))
}

// jsonReply encodes a value. HTML characters stay as they are, as Graph sends them.
func jsonReply(status int, v any) *reply {
	body, done := v.(encoded)
	if !done {
		body = encode(v)
	}
	return &reply{status: status, header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, body: body}
}

// encoded is JSON text.
type encoded []byte

// encode writes JSON. Every value is built here from what JSON can hold, so a failure is a
// defect.
func encode(v any) encoded {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("sandbox: " + err.Error())
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// traceID makes the nth trace id of a seed: 23 characters that start with A.
func traceID(seed int64, n uint64) string {
	var in [16]byte
	binary.BigEndian.PutUint64(in[:], uint64(seed))
	binary.BigEndian.PutUint64(in[8:], n)
	sum := sha256.Sum256(in[:])
	return "A" + base64.RawURLEncoding.EncodeToString(sum[:])[:22]
}

// write sends the reply, or breaks the connection the way it says.
func (rep *reply) write(w http.ResponseWriter) {
	if rep.cut == cutDrop {
		panic(http.ErrAbortHandler)
	}
	for name, values := range rep.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	if rep.cut == cutHalf {
		_, _ = w.Write(rep.body[:len(rep.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(rep.body) // a caller that went away is no concern of ours
}

// response turns the reply into what an http.RoundTripper returns.
func (rep *reply) response(hr *http.Request) (*http.Response, error) {
	if rep.cut == cutDrop {
		return nil, io.EOF
	}
	var body io.Reader = bytes.NewReader(rep.body)
	if rep.cut == cutHalf {
		body = io.MultiReader(bytes.NewReader(rep.body[:len(rep.body)/2]), brokenReader{})
	}
	return &http.Response{
		Status: strconv.Itoa(rep.status) + " " + http.StatusText(rep.status), StatusCode: rep.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rep.header, Body: io.NopCloser(body), ContentLength: int64(len(rep.body)), Request: hr,
	}, nil
}

// brokenReader fails as a closed connection does.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
