package deliver

import (
	"errors"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// stop turns the end of a run into a typed fault.
func stop(err *graph.Error) *fault.Error {
	var f *fault.Error
	switch err.Class {
	case graph.Auth:
		f = fault.New(fault.ConnectorExpired, "Meta refuses the access token (%v)", err)
	case graph.Config:
		f = fault.New(fault.ConnectionInactive, "the dataset can't be used with this token (%v)", err)
	case graph.Blocked:
		f = fault.New(fault.DestinationRejected, "Meta has blocked this app or account for a policy violation (%v)", err).
			WithFix("stop every send to this dataset and look at Account Quality in Business settings")
	case graph.NotSent:
		f = fault.New(fault.DestinationUnreached, "the Graph API can't be reached: %v", err)
	case graph.Throttle:
		f = fault.New(fault.RateLimited, "Meta keeps refusing calls for their rate (%v)", err)
		f.RetryAfter = int(err.RetryAfter / time.Second)
	case graph.Transient:
		f = fault.New(fault.DestinationUnreached, "Meta keeps answering with a passing error (%v)", err).WithFix("confirm again later, it resumes")
	case graph.Ambiguous:
		f = fault.New(fault.OutcomeUnknown, "requests were sent but no answer was read (%v)", err)
	default:
		f = fault.New(fault.DestinationRejected, "Meta refuses the request (%v)", err)
	}
	if err.Code != 0 {
		f.With("graph_code", err.Code).With("graph_subcode", err.Subcode)
	}
	if err.TraceID != "" {
		f.With("fbtrace_id", err.TraceID)
	}
	return f.Wrap(err)
}

// asGraph makes every failure of a Sender a graph.Error; what is not one proves
// nothing.
func asGraph(err error) *graph.Error {
	var e *graph.Error
	if errors.As(err, &e) {
		return e
	}
	return &graph.Error{Class: graph.Ambiguous, Index: -1, Message: "the request failed"}
}

// Stopped is the typed fault of a failed read: nothing was sent, whatever the
// answer was.
func Stopped(err error) error {
	e := asGraph(err)
	if e.Class == graph.Ambiguous || e.Class == graph.Content {
		return fault.New(fault.DestinationUnreached, "the Graph API gave no usable answer: %v", e).Wrap(err)
	}
	return stop(e)
}
