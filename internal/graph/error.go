package graph

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Class says what a failure allows us to conclude and who has to act.
type Class string

// The classes.
const (
	NotSent   Class = "not_sent"  // no byte reached Meta: free to retry
	Auth      Class = "auth"      // the token is refused: stop
	Config    Class = "config"    // the dataset or a permission is wrong: stop
	Blocked   Class = "blocked"   // a policy block: stop and tell a person
	Content   Class = "content"   // an event is refused, and so the whole request: split
	Throttle  Class = "throttle"  // refused for now: wait
	Transient Class = "transient" // refused for now with a parsed 4xx: retry
	Ambiguous Class = "ambiguous" // may have been processed
)

// Error is a failed call. Its text holds nothing of what was sent.
type Error struct {
	Class      Class
	HTTP       int
	Code       int
	Subcode    int
	Title      string // error_user_title, Meta's words about the kind of fault
	Message    string
	TraceID    string
	Index      int // event the answer names, -1 when none
	RetryAfter time.Duration
	cause      error
}

func (e *Error) Error() string {
	if e.Code != 0 {
		if e.Title != "" {
			return fmt.Sprintf("%s: %s", describe(e.Code, e.Subcode), e.Title)
		}
		return describe(e.Code, e.Subcode)
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// payload is the error member of an answer.
type payload struct {
	Message     string `json:"message"`
	Type        string `json:"type"`
	Code        int    `json:"code"`
	Subcode     int    `json:"error_subcode"`
	IsTransient bool   `json:"is_transient"`
	UserTitle   string `json:"error_user_title"`
	UserMessage string `json:"error_user_msg"`
	TraceID     string `json:"fbtrace_id"`
}

// classify maps Meta's code to a class. The order matters: what says "wait" wins
// over what says "wrong", and an answer with a 5xx proves nothing.
func (p *payload) classify(http int, usage Usage) *Error {
	e := &Error{HTTP: http, Code: p.Code, Subcode: p.Subcode, Title: p.UserTitle, TraceID: p.TraceID, Index: -1, Message: describe(p.Code, p.Subcode)}
	switch {
	case http >= 500 || http < 400: // only a 4xx proves that nothing was processed
		e.Class = Ambiguous
	case throttling[p.Code] || http == 429:
		e.Class, e.RetryAfter = Throttle, usage.RegainAccess
	case p.Code == 190 || p.Code == 102 || (http == 401 && p.Code != 100):
		e.Class = Auth
	case p.Code == 368:
		e.Class = Blocked
	case p.IsTransient || transient[p.Code]:
		e.Class = Transient
	case p.Code == 100 && p.Subcode == 33, p.Code == 3, p.Code == 10, p.Code == 104, p.Code == 294,
		p.Code >= 200 && p.Code <= 299, p.Code == 803, p.Code == 2500, http == 403:
		e.Class = Config
	case p.Code == 100 && p.Type == "GraphMethodException":
		e.Class = Config
	default:
		e.Class = Content
		e.Index = indexIn(p.UserMessage)
		if e.Index < 0 {
			e.Index = indexIn(p.Message)
		}
	}
	return e
}

var throttling = map[int]bool{4: true, 17: true, 32: true, 341: true, 613: true, 80000: true, 80003: true, 80004: true, 80014: true}

var transient = map[int]bool{1: true, 2: true, 5000: true, 21009: true}

// eventIndex finds the $['data'][7] that some refusals name.
var eventIndex = regexp.MustCompile(`\$\['data'\]\[(\d{1,4})\]`)

func indexIn(text string) int {
	m := eventIndex.FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	i, err := strconv.Atoi(m[1])
	if err != nil {
		return -1
	}
	return i
}
