package graph

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// Source is a file to be uploaded.
type Source struct {
	Name, Type string
	Size       int64
	Content    io.ReaderAt
}

// Resumed is how often an upload goes on after a break before it gives up.
const Resumed = 3

// UploadResumable hands a file to an app and returns the handle that other calls take
// for it. After a break it goes on where Meta says that it stopped.
func UploadResumable(ctx context.Context, d Doer, app string, s Source, token TokenRef) (handle string, err error) {
	res, err := d.Do(ctx, Request{
		Method: http.MethodPost, Path: []string{app, "uploads"}, Token: token,
		Form:   url.Values{"file_name": {s.Name}, "file_length": {strconv.FormatInt(s.Size, 10)}, "file_type": {s.Type}},
		Repeat: true, // a session that nobody uses ends by itself
	})
	if err != nil {
		return "", err
	}
	var session struct {
		ID string `json:"id"`
	}
	if err := readAnswer(res.Body, &session); err != nil {
		return "", err
	}
	at, err := sessionOf(session.ID)
	if err != nil {
		return "", err
	}
	at.Token = token
	var offset int64
	for again := 0; ; again++ {
		handle, err = sendFrom(ctx, d, at, s, offset)
		if err == nil || again == Resumed || ctx.Err() != nil || !broken(err) {
			return handle, err
		}
		if offset, err = uploaded(ctx, d, at); err != nil {
			return "", err
		}
		if offset < 0 || offset > s.Size {
			return "", fault.New(fault.MetaRefused, "Meta names an offset that lies outside the file")
		}
	}
}

// broken reports whether an upload ended without a word from Meta about the file.
func broken(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.CallUnknown || code == fault.MetaUnavailable
}

// sessionOf is the request of an upload session, whose id looks like upload:…?sig=….
func sessionOf(id string) (Request, error) {
	segment, sig, signed := strings.Cut(id, "?sig=")
	if !strings.HasPrefix(segment, "upload:") || !validSegment(segment) || signed && !graphspec.MadeOf(sig, "_-", 512) {
		return Request{}, fault.New(fault.MetaRefused, "Meta named an upload session that can't be called")
	}
	r := Request{Method: http.MethodGet, Path: []string{segment}}
	if signed {
		r.Query = url.Values{"sig": {sig}}
	}
	return r, nil
}

func sendFrom(ctx context.Context, d Doer, at Request, s Source, offset int64) (string, error) {
	at.Method = http.MethodPost
	at.Body, at.BodySize = io.NewSectionReader(s.Content, offset, s.Size-offset), s.Size-offset
	at.Header = http.Header{"File_offset": {strconv.FormatInt(offset, 10)}}
	res, err := d.Do(ctx, at)
	if err != nil {
		return "", err
	}
	var answer struct {
		Handle string `json:"h"`
	}
	if err := readAnswer(res.Body, &answer); err != nil {
		return "", err
	}
	if answer.Handle == "" {
		return "", fault.New(fault.MetaRefused, "Meta gave no handle for the file")
	}
	return answer.Handle, nil
}

// uploaded asks how much of the file has arrived.
func uploaded(ctx context.Context, d Doer, at Request) (int64, error) {
	res, err := d.Do(ctx, at)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Offset json.Number `json:"file_offset"`
	}
	if err := readAnswer(res.Body, &answer); err != nil {
		return 0, err
	}
	offset, err := answer.Offset.Int64()
	if err != nil {
		return 0, fault.New(fault.MetaRefused, "Meta does not say how much of the file has arrived").Wrap(err)
	}
	return offset, nil
}

// The first segments of the upload host.
const (
	PageVideos      = "video-upload"  // reels and video stories of Pages
	InstagramVideos = "ig-api-upload" // containers of Instagram
)

// UploadVideo hands a video to the upload host: its bytes, or the public address that
// Meta fetches it from when fileURL is set.
func UploadVideo(ctx context.Context, d Doer, kind, id string, s Source, fileURL string, token TokenRef) (*Response, error) {
	r := Request{
		Method: http.MethodPost, Host: UploadHost, Path: []string{kind, id}, Token: token,
		Repeat: true, // the same bytes to the same place
	}
	if fileURL != "" {
		r.Header = http.Header{"File_url": {fileURL}}
		return d.Do(ctx, r)
	}
	r.Header = http.Header{"Offset": {"0"}, "File_size": {strconv.FormatInt(s.Size, 10)}}
	r.Body, r.BodySize = io.NewSectionReader(s.Content, 0, s.Size), s.Size
	return d.Do(ctx, r)
}
