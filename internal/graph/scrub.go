package graph

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// scrubMode says what an answer may keep.
type scrubMode bool

const (
	clean scrubMode = false
	asIs  scrubMode = true // for the client itself: a Page token, the bodies of a batch
)

// answer is an answer that was read: its JSON without what must not leave, and what it
// says about itself.
type answer struct {
	body  json.RawMessage
	fault json.RawMessage // the error member, as it came
	// undone says that the answer is {"success":false}.
	undone bool
}

var (
	lax     = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	encoded = append([]jsontext.Options{jsontext.EscapeForHTML(false)}, lax...)
)

// scrub copies the JSON of an answer without secrets:
//
//   - members that hold one (access_token and every other …access_token, appsecret_proof,
//     client_secret, input_token) are left out;
//   - addresses in texts lose the parameters that hold one;
//   - of paging stay the cursors, and next as true where there is a next page: its address
//     may embed the token. Where the way of paging has no cursor but a time or an offset,
//     cursors.after is one of ours, which Do understands;
//   - ad_snapshot_url, which embeds the token, becomes the ad's public address.
//
// Configured secrets are taken out of the result by the caller. Numbers keep their
// digits.
func scrub(body []byte, mode scrubMode) (answer, error) {
	if mode == clean {
		if a, ok := quickScrub(body); ok {
			return a, nil
		}
	}
	return fullScrub(body, mode)
}

func fullScrub(body []byte, mode scrubMode) (answer, error) {
	var out bytes.Buffer
	out.Grow(len(body))
	s := scrubber{dec: jsontext.NewDecoder(bytes.NewReader(body), lax...), enc: jsontext.NewEncoder(&out, encoded...), mode: mode}
	if err := s.value(0); err != nil {
		return answer{}, err
	}
	if err := s.dec.UnreadBuffer(); len(bytes.TrimSpace(err)) > 0 {
		return answer{}, errTrailing
	}
	s.answer.body = bytes.TrimRight(out.Bytes(), "\n")
	return s.answer, nil
}

type scrubber struct {
	dec    *jsontext.Decoder
	enc    *jsontext.Encoder
	mode   scrubMode
	answer answer
}

func (s *scrubber) value(depth int) error {
	switch s.dec.PeekKind() {
	case '{':
		return s.object(depth)
	case '[':
		return s.within(func() error { return s.value(depth + 1) })
	case '"':
		raw, err := s.dec.ReadValue()
		if err != nil {
			return err
		}
		if s.mode == asIs {
			return s.enc.WriteValue(raw)
		}
		return s.text(raw)
	}
	raw, err := s.dec.ReadValue()
	if err != nil {
		return err
	}
	return s.enc.WriteValue(raw)
}

// within copies the brackets of an object or list, and its elements with each.
func (s *scrubber) within(each func() error) error {
	open, err := s.dec.ReadToken()
	if err != nil {
		return err
	}
	if err := s.enc.WriteToken(open); err != nil {
		return err
	}
	for {
		switch s.dec.PeekKind() {
		case '}', ']', 0:
			end, err := s.dec.ReadToken()
			if err != nil {
				return err
			}
			return s.enc.WriteToken(end)
		}
		if err := each(); err != nil {
			return err
		}
	}
}

func (s *scrubber) object(depth int) error {
	return s.within(func() error {
		token, err := s.dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		if secretMember(name) && s.mode == clean {
			return s.dec.SkipValue()
		}
		kind := s.dec.PeekKind()
		switch {
		case depth == 0 && name == "error" && kind == '{':
			raw, err := s.dec.ReadValue()
			s.answer.fault = bytes.Clone(raw)
			return err
		case depth == 0 && name == "success" && kind == 'f':
			s.answer.undone = true
		case s.mode == asIs:
		case name == "paging" && kind == '{':
			return s.paging()
		case name == "ad_snapshot_url" && kind == '"':
			return s.snapshot()
		}
		if err := s.enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		return s.value(depth + 1)
	})
}

// secretMember reports whether members of that name hold a secret.
func secretMember(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "appsecret_proof", "client_secret", "input_token", "app_secret", "fb_exchange_token", "refresh_token":
		return true
	}
	return strings.HasSuffix(name, "access_token")
}

// suspicious are what a text has to hold before it is looked at closely. Escapes of
// plain letters could hide a word.
var suspicious = [][]byte{[]byte("oken"), []byte("OKEN"), []byte("roof"), []byte("ecret"), []byte("ECRET"), []byte("EAA"), []byte("THAA"), []byte("IGAA"), []byte("IGQV"), []byte(`\u00`)}

func (s *scrubber) text(raw jsontext.Value) error {
	for _, mark := range suspicious {
		if bytes.Contains(raw, mark) {
			text, err := jsontext.AppendUnquote(nil, raw)
			if err != nil && text == nil {
				return err
			}
			return s.enc.WriteToken(jsontext.String(cleanText(string(text))))
		}
	}
	return s.enc.WriteValue(raw)
}

var (
	// secretParam is a parameter of an address, plain or escaped once, up to the next.
	secretParam = regexp.MustCompile(`(?i)(?:access_token|input_token|appsecret_proof|client_secret|fb_exchange_token)(?:=|%3D)[^&#\s"'<>\\]*&?`)
	// bareToken is what Meta's tokens look like: user and Page, Threads, Instagram.
	bareToken = regexp.MustCompile(`\b(?:EAA|THAA|IGAA|IGQV)[A-Za-z0-9_\-]{40,}`)
	danglers  = regexp.MustCompile(`[?&]+(["'\s<>#]|$)`)
)

// cleanText takes tokens out of a text: of the addresses in it, and where one stands by
// itself.
func cleanText(text string) string {
	if cut := secretParam.ReplaceAllString(text, ""); cut != text {
		text = danglers.ReplaceAllString(cut, "$1")
	}
	return bareToken.ReplaceAllString(text, removed)
}

func (s *scrubber) paging() error {
	raw, err := s.dec.ReadValue()
	if err != nil {
		return err
	}
	out, err := pagingWithoutAddress(raw)
	if err != nil {
		return err
	}
	if err := s.enc.WriteToken(jsontext.String("paging")); err != nil {
		return err
	}
	return s.enc.WriteValue(out)
}

// pagingWithoutAddress keeps of a paging member the cursors, and whether there is more.
func pagingWithoutAddress(raw []byte) ([]byte, error) {
	var p struct {
		Cursors struct{ Before, After any }
		Next    any
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		p.Next = nil
	}
	var cursors struct {
		Before string `json:"before,omitempty"`
		After  string `json:"after,omitempty"`
	}
	cursors.Before, _ = p.Cursors.Before.(string)
	cursors.After, _ = p.Cursors.After.(string)
	next, more := p.Next.(string)
	if more = more && next != ""; more && cursors.After == "" {
		if u, err := url.Parse(next); err == nil {
			cursors.After = packCursor(u.Query())
		}
	}
	return json.Marshal(struct {
		Cursors any  `json:"cursors"`
		Next    bool `json:"next,omitempty"`
	}{cursors, more})
}

var adID = regexp.MustCompile(`^\d{1,32}$`)

// snapshot writes the ad's public address in place of the caller's own. An address
// without the ad's id is left out.
func (s *scrubber) snapshot() error {
	token, err := s.dec.ReadToken()
	if err != nil {
		return err
	}
	u, err := url.Parse(token.String())
	if err != nil || !adID.MatchString(u.Query().Get("id")) {
		return nil
	}
	if err := s.enc.WriteToken(jsontext.String("ad_snapshot_url")); err != nil {
		return err
	}
	return s.enc.WriteToken(jsontext.String("https://www.facebook.com/ads/library/?id=" + u.Query().Get("id")))
}
