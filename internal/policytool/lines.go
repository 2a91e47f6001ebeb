package policytool

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/strictjson"
	"sluice/policy"
)

// Case is one call to be judged, as a line of `policy test` has it.
type Case struct {
	Tool      string
	Arguments []byte // nil: none
	Grant     string
	Session   string
	At        time.Time // zero: now
}

// localGrant is the grant of lines that name none, as it is the one of `sluice proxy`.
const localGrant = "local"

// BadLine is a line that is no call.
type BadLine struct {
	Code    string // invalid_json, invalid_call
	Problem string
}

func (e *BadLine) Error() string { return e.Problem }

// ReadCase reads one line. Arguments are read as the wire reads them: what it would
// refuse, such as a member that comes twice, is refused here.
func ReadCase(line []byte) (Case, error) {
	var l struct {
		Tool      string          `json:"tool"`
		Arguments json.RawMessage `json:"arguments"`
		Grant     string          `json:"grant"`
		Session   string          `json:"session"`
		At        json.RawMessage `json:"at"`
	}
	if err := strictjson.Unmarshal(line, &l); err != nil {
		return Case{}, &BadLine{"invalid_json", lineProblem(err)}
	}
	c := Case{Tool: l.Tool, Grant: l.Grant, Session: l.Session}
	if c.Grant == "" {
		c.Grant = localGrant
	}
	var err error
	if c.Arguments, err = CheckArguments(l.Tool, l.Arguments); err != nil {
		return Case{}, err
	}
	if c.At, err = moment(l.At); err != nil {
		return Case{}, err
	}
	return c, nil
}

// lineProblem says what a line should have been, where its form is wrong.
func lineProblem(err error) string {
	var e *strictjson.Error
	switch {
	case !errors.As(err, &e):
	case e.Pointer == "":
		return e.Problem + `; a line is an object such as {"tool":"send","arguments":{"to":"anna"}}`
	case !strings.Contains(e.Pointer[1:], "/"):
		return e.Error() + "; a line has tool, arguments, grant, session, at"
	}
	return err.Error()
}

// CheckArguments reads arguments as the wire does, and returns them; nil: there are
// none.
func CheckArguments(tool string, arguments []byte) ([]byte, error) {
	if tool == "" {
		return nil, &BadLine{"invalid_call", "the call names no tool"}
	}
	arguments = bytes.TrimSpace(arguments)
	if len(arguments) > 0 && !json.Valid(arguments) {
		return nil, &BadLine{"invalid_json", "the arguments are not one JSON value"}
	}
	params := append([]byte(`{"name":`), mcpwire.Quote(tool)...)
	if len(arguments) > 0 {
		params = append(append(params, `,"arguments":`...), arguments...)
	}
	m, err := mcpwire.Parse(mcpwire.BuildRequest("1", mcpwire.MethodToolsCall, append(params, '}')), mcpwire.Limits{})
	var syntax *mcpwire.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, &BadLine{"invalid_call", "the arguments would be refused: " + syntax.Problem}
	case err != nil:
		return nil, &BadLine{"invalid_call", "the arguments would be refused"}
	case len(arguments) == 0:
		return nil, nil
	case arguments[0] != '{':
		return nil, &BadLine{"invalid_call", "the arguments are not an object"}
	}
	return m.Bytes(m.Arguments), nil
}

// moment reads RFC 3339, or seconds since 1970.
func moment(raw []byte) (time.Time, error) {
	if len(raw) == 0 {
		return time.Time{}, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return at, nil
		}
	} else if s, err := strconv.ParseInt(string(raw), 10, 64); err == nil && s >= 0 && s < 1<<35 {
		return time.Unix(s, 0), nil
	}
	return time.Time{}, &BadLine{"invalid_call", "at is neither a time in RFC 3339 nor seconds since 1970"}
}

// Answer judges the case.
func (c *Case) Answer(j *Judge, now time.Time) Answer {
	at := c.At
	if at.IsZero() {
		at = now
	}
	return j.Decide(Who{Workspace: "default", Server: "default", Grant: c.Grant, Session: c.Session}, at, policy.Call{Tool: c.Tool, Arguments: c.Arguments})
}
