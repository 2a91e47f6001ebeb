package graphtool

import (
	"context"
	"io"
	"strconv"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphtool/tool"
)

// adVideoFlow puts a video into an ad account's library: by address in one call, or a
// local file in pieces. Each answer says which bytes Meta wants next; the upload is over
// when both offsets are the same.
type adVideoFlow struct{}

// Calls documents the course.
func (adVideoFlow) Calls() []tool.Call {
	return []tool.Call{
		{Verb: "POST", On: "AdAccount", Edge: "advideos", Note: "file_url; or upload_phase start, transfer for each piece, finish"},
		{Verb: "GET", On: "AdVideo", Note: "with wait: until it is ready, for up to 5 minutes"},
	}
}

// videoPiece bounds what is held in memory of a file, whatever Meta asks for.
const videoPiece = 8 << 20

// Run uploads.
func (f adVideoFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	to := tool.Target{Verb: "POST", On: "AdAccount", ID: e.Args.Str("ad_account_id"), Edge: "advideos"}
	id := ""
	if e.Args.Has("file_url") {
		params, err := e.Params("ad_account_id")
		if err != nil {
			return nil, err
		}
		made, err := e.Ask(ctx, to, params)
		if err != nil {
			return nil, err
		}
		id = text(made, "id")
	} else {
		params, err := e.Params("ad_account_id", "file_url")
		if err != nil {
			return nil, err
		}
		if id, err = videoPieces(ctx, e, to, params); err != nil {
			return nil, err
		}
	}
	data := map[string]any{"id": id}
	if e.Args.Bool("wait") {
		state, err := f.ready(ctx, e, id)
		if err != nil {
			return nil, err
		}
		data["video_status"] = state
	}
	return &tool.Answer{Data: data}, nil
}

// videoPieces uploads the file that video_path names in pieces, as videos of ad accounts
// and of Pages are; params go with the last phase.
func videoPieces(ctx context.Context, e *tool.Env, to tool.Target, params map[string]any) (string, error) {
	file, err := e.Open("video_path", "video/mp4", "video/quicktime")
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	started, err := e.Ask(ctx, to, map[string]any{"upload_phase": "start", "file_size": file.Size})
	if err != nil {
		return "", err
	}
	id, session := text(started, "video_id"), text(started, "upload_session_id")
	at := started
	for {
		from, upTo, err := offsets(at, file.Size)
		if err != nil {
			return "", err
		}
		if from == upTo {
			break
		}
		piece := make([]byte, min(upTo-from, videoPiece))
		if _, err := io.ReadFull(io.NewSectionReader(file, from, int64(len(piece))), piece); err != nil {
			return "", fault.New(fault.UploadRefused, "video_path: the file can't be read").Wrap(err)
		}
		e.Progress(float64(from), float64(file.Size), "sending the video")
		next, err := e.AskFiles(ctx, to, map[string]any{
			"upload_phase": "transfer", "upload_session_id": session, "start_offset": from,
		}, graph.File{Field: "video_file_chunk", Name: file.Name, Type: "application/octet-stream", Body: piece})
		if err != nil {
			return "", named(prefixed(err, "the upload broke off, there is no video: "), "video_id", id)
		}
		if again, _, err := offsets(next, file.Size); err == nil && again <= from {
			return "", fault.New(fault.MetaRefused, "the upload does not go on: Meta asks for the same bytes again").With("video_id", id)
		}
		at = next
	}
	params["upload_phase"], params["upload_session_id"] = "finish", session
	if _, err := e.Ask(ctx, to, params); err != nil {
		return "", named(err, "video_id", id)
	}
	return id, nil
}

func offsets(answer map[string]any, size int64) (from, upTo int64, err error) {
	from, err1 := strconv.ParseInt(text(answer, "start_offset"), 10, 64)
	upTo, err2 := strconv.ParseInt(text(answer, "end_offset"), 10, 64)
	if err1 != nil || err2 != nil || from < 0 || upTo < from || upTo > size {
		return 0, 0, fault.New(fault.MetaRefused, "the answer to the upload names no usable offsets")
	}
	return from, upTo, nil
}

// ready looks at a video until Meta has processed it.
func (adVideoFlow) ready(ctx context.Context, e *tool.Env, id string) (string, error) {
	waited := time.Duration(0)
	for turn := 0; ; turn++ {
		got, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "AdVideo", ID: id}, map[string]any{"fields": "id,status{video_status,processing_progress}"})
		if err != nil {
			return "", err
		}
		status, _ := got["status"].(map[string]any)
		switch state := text(status, "video_status"); state {
		case "ready":
			return state, nil
		case "error":
			return "", fault.New(fault.UploadRefused, "Meta could not process video %s", id).WithFix("check format, length and size, and upload it again").With("video_id", id)
		}
		pause := pauses[min(turn, len(pauses)-1)]
		if waited += pause; waited > patience {
			return "", fault.New(fault.NotReady, "Meta is still processing video %s", id).
				WithFix("look at it in some minutes with meta_get_ad_video; don't upload it again").With("video_id", id)
		}
		e.Progress(waited.Seconds(), patience.Seconds(), "Meta is processing the video")
		if err := e.Wait(ctx, pause); err != nil {
			return "", err
		}
	}
}
