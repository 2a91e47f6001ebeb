package tool

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/fault"
)

// File is a local file that a call uploads. Close it.
type File struct {
	*os.File
	Name string // without folders
	Size int64
	Type string // by its first bytes: image/jpeg
}

// maxUpload is the largest file where nothing else is configured.
const maxUpload = 1 << 30

// Open opens the file that an argument names, inside the allowed folder and nowhere
// else: links that lead out of it are refused by the system's own check. Types are the
// content types that are taken.
func (e *Env) Open(argument string, types ...string) (*File, error) {
	refuse := func(format string, args ...any) (*File, error) {
		return nil, fault.New(fault.UploadRefused, argument+": "+format, args...)
	}
	outside := func() (*File, error) {
		f := fault.New(fault.UploadRefused, "%s: the file is outside the allowed folder", argument)
		return nil, f.WithFix("give a path inside it, such as picture.png; whoever started the server named it with --upload-dir or meta.upload_dir")
	}
	if e.Settings.UploadDir == "" {
		f := fault.New(fault.UploadRefused, "%s: no folder for uploads is configured", argument)
		return nil, f.WithFix("set meta.upload_dir in sluice.yaml, or start with --upload-dir")
	}
	name := filepath.Clean(e.Args.Str(argument))
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(e.Settings.UploadDir, name)
		if err != nil {
			return outside()
		}
		name = rel
	}
	if !filepath.IsLocal(name) {
		return outside()
	}
	root, err := os.OpenRoot(e.Settings.UploadDir)
	if err != nil {
		return refuse("the folder for uploads can't be opened")
	}
	defer func() { _ = root.Close() }()
	// A look first: opening a pipe that nobody writes to would wait for ever.
	if info, err := root.Stat(name); err == nil && !info.Mode().IsRegular() {
		return refuse("it is no regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return refuse("there is no such file in the allowed folder, or it can't be read")
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return refuse("it is no regular file")
	}
	limit := e.Settings.MaxUpload
	if limit == 0 {
		limit = maxUpload
	}
	if info.Size() == 0 || info.Size() > limit {
		_ = f.Close()
		return refuse("it has %d bytes; allowed are 1 to %d", info.Size(), limit)
	}
	kind, err := sniff(f, name)
	if err != nil || len(types) > 0 && !slices.Contains(types, kind) {
		_ = f.Close()
		return refuse("it is none of %s", strings.Join(types, ", "))
	}
	return &File{File: f, Name: filepath.Base(name), Size: info.Size(), Type: kind}, nil
}

// sniff finds the content type by the first bytes, and for what has no mark of its own
// by the name.
func sniff(f *os.File, name string) (string, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	kind, _, err := mime.ParseMediaType(http.DetectContentType(head[:n]))
	if err != nil {
		return "", err
	}
	if kind == "application/octet-stream" && n > 12 && string(head[4:8]) == "ftyp" {
		kind = "video/mp4"
		if string(head[8:10]) == "qt" {
			kind = "video/quicktime"
		}
	}
	if kind == "text/plain" || kind == "application/octet-stream" {
		if byName, _, err := mime.ParseMediaType(mime.TypeByExtension(filepath.Ext(name))); err == nil && strings.HasPrefix(byName, "text/") {
			kind = byName
		}
	}
	return kind, nil
}

// Page is the Page a call is about: the argument page_id, or the one configured.
func (e *Env) Page() string {
	if e.Args.Has("page_id") {
		return e.Args.Str("page_id")
	}
	return e.Settings.Page
}
