package tool

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// resumed is how often the upload of a file goes on after a break.
const resumed = 3

// arrivals are, by node type, the field that tells how much of a video has arrived.
var arrivals = map[string]string{"Video": "status", "IGContainer": "video_status"}

// uploadFile sends the bytes of a file. After a break it goes on where Meta says that it
// stopped: a long film isn't begun again for a moment without a network.
func (e *Env) uploadFile(ctx context.Context, r graph.Request, t Target, file *File) (map[string]any, error) {
	r.Repeat = false // what arrived of it moves the place to go on from
	for offset, again := int64(0), 0; ; again++ {
		r.Header = http.Header{}
		r.Header.Set("offset", strconv.FormatInt(offset, 10))
		r.Header.Set("file_size", strconv.FormatInt(file.Size, 10))
		r.Body, r.BodySize = io.NewSectionReader(file, offset, file.Size-offset), file.Size-offset
		r.Timeout = patience + time.Duration(r.BodySize/slowest)*time.Second
		answer, err := e.Object(ctx, r)
		if code := fault.CodeOf(err); err == nil || code != fault.CallUnknown && code != fault.MetaUnavailable {
			return answer, err
		}
		broken := fault.New(fault.MetaUnavailable, "the upload broke off %d times, the last time behind byte %d of %d", again+1, offset, file.Size).
			WithFix("Begin again from the start when the line is steady.").Wrap(err)
		if again == resumed || e.Sleep(ctx, time.Second<<again) != nil {
			return nil, broken
		}
		var known bool
		if offset, known = e.arrived(ctx, t, file.Size); !known {
			return nil, broken
		}
		if offset == file.Size {
			return map[string]any{"success": true}, nil
		}
	}
}

// arrived asks how many bytes of a video Meta has.
func (e *Env) arrived(ctx context.Context, t Target, size int64) (int64, bool) {
	field := arrivals[t.On]
	t.Verb, t.Edge = http.MethodGet, ""
	answer, err := e.Ask(ctx, t, map[string]any{"fields": field})
	if field == "" || err != nil {
		return 0, false
	}
	status, _ := answer[field].(map[string]any)
	phase, _ := status["uploading_phase"].(map[string]any)
	n, there := phase["bytes_transferred"].(json.Number)
	if !there {
		return 0, true // not begun
	}
	have, err := n.Int64()
	return have, err == nil && have >= 0 && have <= size
}
