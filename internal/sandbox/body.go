package sandbox

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// maxBody bounds a request body, packed and unpacked. A full request of 1000
// heavy events weighs about 1 MB.
const maxBody = 16 << 20

var errTooLarge = errors.New("body too large")

// buffers hold bodies while their events are looked at.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody reads and unpacks the body. The bytes belong to the returned buffer,
// which the caller puts back.
func readBody(hr *http.Request) (*bytes.Buffer, int, *apiError) {
	buf := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	if hr.Body == nil {
		return buf, 0, nil
	}
	if hr.ContentLength > maxBody {
		return buf, 0, errBodyTooLarge.with()
	}
	if hr.ContentLength > 0 {
		buf.Grow(int(hr.ContentLength) + bytes.MinRead)
	}
	if err := readLimited(buf, hr.Body); err != nil {
		return buf, buf.Len(), bodyError(err)
	}
	size := buf.Len()
	switch enc := strings.ToLower(strings.TrimSpace(hr.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
		return buf, size, nil
	case "gzip":
		plain := buffers.Get().(*bytes.Buffer)
		plain.Reset()
		err := unzip(plain, buf)
		buffers.Put(buf)
		return plain, size, bodyError(err)
	default:
		return buf, size, errUnreadableBody.with("what", "Content-Encoding is neither gzip nor identity")
	}
}

func readLimited(buf *bytes.Buffer, from io.Reader) error {
	n, err := buf.ReadFrom(io.LimitReader(from, maxBody+1))
	if err == nil && n > maxBody {
		return errTooLarge
	}
	return err
}

func unzip(into, from *bytes.Buffer) error {
	z, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	return readLimited(into, z)
}

func bodyError(err error) *apiError {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLarge):
		return errBodyTooLarge.with()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errUnreadableBody.with("what", "it ends too early")
	}
	return errUnreadableBody.with("what", "it can't be read or unpacked")
}

// decodeBody fills in r.form, and r.batch when the call has one. The error is for
// later: token and object are judged first.
func (r *request) decodeBody(body []byte) *apiError {
	r.form = url.Values{}
	if r.upload {
		r.files = map[string][]byte{"": bytes.Clone(body)}
		return nil
	}
	contentType := r.http.Header.Get("Content-Type")
	media, args, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return errUnreadableBody.with("what", "Content-Type can't be read")
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil
	case media == "application/json", media == "" && trimmed[0] == '{':
		return r.decodeJSON(body)
	case media == "application/x-www-form-urlencoded", media == "":
		if r.form, err = url.ParseQuery(string(body)); err != nil {
			return errUnreadableBody.with("what", "it is not a url-encoded form")
		}
	case media == "multipart/form-data":
		if err := r.decodeMultipart(body, args["boundary"]); err != nil {
			return errUnreadableBody.with("what", "it is not a multipart form")
		}
	default:
		return errUnreadableBody.with("what", "Content-Type is neither JSON nor a form")
	}
	r.dataFromForm()
	return nil
}

func (r *request) decodeMultipart(body []byte, boundary string) error {
	if boundary == "" {
		return errors.New("no boundary")
	}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		p, err := parts.NextPart()
		if err == io.EOF { // bare: the closing boundary; wrapped: cut off
			return nil
		}
		if err != nil {
			return err
		}
		v, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		if p.FileName() != "" && r.batch == nil {
			if r.files == nil {
				r.files = map[string][]byte{}
			}
			r.files[p.FormName()] = v
			continue
		}
		r.form.Add(p.FormName(), string(v))
	}
}

// dataFromForm hands the data parameter of a form or query to the batch: data
// with the text of a list, or data[] and data[0], data[1] … with one event each.
func (r *request) dataFromForm() {
	if r.batch == nil || r.batch.present {
		return
	}
	for _, values := range []url.Values{r.form, r.query} {
		if list, ok := values["data"]; ok {
			r.batch.readTexts(list[0], nil)
			return
		}
		if each := indexed(values); each != nil {
			r.batch.readTexts("", each)
			return
		}
	}
}

// indexed collects data[] in order of appearance, then data[n] in order of n, and
// by name where two spell the same n.
func indexed(values url.Values) []string {
	each := slices.Clone(values["data[]"])
	type item struct {
		at   int64
		name string
		text string
	}
	var items []item
	for name, texts := range values {
		inner, ok := strings.CutPrefix(name, "data[")
		if at, isNumber := parseInt([]byte(strings.TrimSuffix(inner, "]"))); ok && isNumber && strings.HasSuffix(inner, "]") {
			items = append(items, item{at, name, texts[0]})
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.name, b.name))
	})
	for _, it := range items {
		each = append(each, it.text)
	}
	return each
}

// decodeJSON reads a JSON body: one object, whose values become parameters; text
// as it is, everything else as its JSON.
func (r *request) decodeJSON(body []byte) *apiError {
	var d *decoder
	if r.batch != nil {
		d = &r.batch.dec
	} else {
		d = new(decoder)
	}
	d.scanner.reset(body)
	if r.jsonMembers(d) && d.end() {
		r.dataFromForm()
		return nil
	}
	what := "it is not a JSON object"
	if d.err != nil {
		what = "it is not strict JSON: " + d.err.Error()
	}
	return errUnreadableBody.with("what", what)
}

func (r *request) jsonMembers(d *decoder) bool {
	if d.peek() != '{' || !d.open() {
		return false
	}
	mark := len(d.names)
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok || !more {
			d.forget(mark)
			return ok
		}
		if !d.unique(mark, name) {
			return false
		}
		if r.batch != nil && string(name) == "data" {
			if !r.batch.readJSON() {
				return false
			}
			continue
		}
		start := d.i
		if d.peek() == '"' {
			v, ok := d.text()
			if !ok {
				return false
			}
			r.form.Set(string(name), string(v))
			continue
		}
		if !d.skip() {
			return false
		}
		// Meta's JavaScript SDK sends null for what was never set.
		if v := string(d.b[start:d.i]); v != "null" {
			r.form.Set(string(name), v)
		}
	}
}
