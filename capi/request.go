package capi

// Limits of a request. Meta documents the first; the second is ours, about twice
// what a full request of rich events weighs.
const (
	MaxEvents    = 1000
	MaxBodyBytes = 2 << 20
)

// Request is the body of POST /{dataset}/events. Access token and proof are
// secrets: keep a Request out of logs.
type Request struct {
	// Events are the elements of data; Raw holds the JSON text of each.
	Events []Event
	Raw    [][]byte

	TestEventCode string
	PartnerAgent  string
	NamespaceID   string
	UploadID      string
	UploadTag     string
	UploadSource  string
	Progress      *Progress
	Platforms     []Platform
	Trace         Optional[int64]

	AccessToken    string
	AppSecretProof string
}

// Progress says how far an offline upload has come: events StartInclusive to
// EndExclusive of it.
type Progress struct{ StartInclusive, EndExclusive int64 }

// Platform describes a sending platform.
type Platform struct{ Name, Type, Version string }

// ParseRequest reads a JSON request body. An element of data, and data itself, may
// be a string that holds JSON, because the Graph API takes complex parameters that
// way. Every fault is returned with its place: data[3].user_data.em[0].
func ParseRequest(body []byte) (Request, []Fault) {
	p := newParser(body, "")
	defer p.free()
	var req Request
	if len(body) > MaxBodyBytes {
		p.stop(CodeBodyTooLarge)
		return req, p.faults
	}
	hasData := false
	p.membersOr(func(name string) bool {
		switch name {
		case "access_token":
			req.AccessToken = p.text()
		case "appsecret_proof":
			req.AppSecretProof = p.text()
		case "data":
			hasData = true
			p.data(&req)
		case "namespace_id":
			req.NamespaceID = p.text()
		case "partner_agent":
			req.PartnerAgent = p.text()
		case "platforms":
			p.platforms(&req)
		case "progress":
			p.progress(&req)
		case "test_event_code":
			req.TestEventCode = p.text()
		case "trace":
			req.Trace = p.integer()
		case "upload_id":
			req.UploadID = p.text()
		case "upload_source":
			req.UploadSource = p.text()
		case "upload_tag":
			req.UploadTag = p.text()
		default:
			return false
		}
		return true
	}, CodeUnknownKey, Warn)
	p.end()
	if !hasData && !p.broken {
		p.fault(CodeMissingData)
	}
	return req, p.faults
}

// ParseData reads the parameter data alone, as forms carry it: the JSON text of a
// list of events.
func ParseData(json []byte) (Request, []Fault) {
	p := newParser(json, "data")
	defer p.free()
	var req Request
	if len(json) > MaxBodyBytes {
		p.stop(CodeBodyTooLarge)
		return req, p.faults
	}
	p.data(&req)
	p.end()
	return req, p.faults
}

// data reads the list of events.
func (p *parser) data(req *Request) {
	if p.kind() == '"' {
		raw := p.raw()
		if p.broken {
			return
		}
		inner, faults := parseDataAt(unquote(raw), string(p.path))
		req.Events, req.Raw = inner.Events, inner.Raw
		p.faults = append(p.faults, faults...)
		return
	}
	if p.kind() != '[' {
		p.mismatch()
		return
	}
	before := len(p.faults)
	p.elements(func(i int) {
		if i == MaxEvents {
			p.fault(CodeTooManyEvents)
		}
		if i >= MaxEvents {
			p.skip()
			return
		}
		p.element(req)
	})
	if len(req.Events) == 0 && len(p.faults) == before {
		p.fault(CodeEmptyData)
	}
}

func parseDataAt(json []byte, at string) (Request, []Fault) {
	p := newParser(json, at)
	defer p.free()
	var req Request
	if p.kind() == '"' {
		// Twice wrapped is nobody's format.
		p.mismatch()
		return req, p.faults
	}
	p.data(&req)
	p.end()
	return req, p.faults
}

// element reads one event. A faulty one keeps its place, so that the indexes of
// faults, Events and data agree.
func (p *parser) element(req *Request) {
	kind := p.kind()
	if kind != '{' && kind != '"' {
		req.Events, req.Raw = append(req.Events, Event{}), append(req.Raw, nil)
		p.mismatch()
		return
	}
	raw := p.raw()
	if p.broken {
		return
	}
	if kind == '"' {
		raw = unquote(raw)
	}
	ev, faults := parseEventAt(raw, string(p.path))
	req.Events, req.Raw = append(req.Events, ev), append(req.Raw, raw)
	p.faults = append(p.faults, faults...)
}

func (p *parser) progress(req *Request) {
	req.Progress = new(Progress)
	p.members(func(name string) bool {
		switch name {
		case "start_inclusive":
			req.Progress.StartInclusive = p.integer().Value
		case "end_exclusive":
			req.Progress.EndExclusive = p.integer().Value
		default:
			return false
		}
		return true
	})
}

func (p *parser) platforms(req *Request) {
	p.elements(func(int) {
		var platform Platform
		p.members(func(name string) bool {
			switch name {
			case "name":
				platform.Name = p.text()
			case "type":
				platform.Type = p.text()
			case "version":
				platform.Version = p.text()
			default:
				return false
			}
			return true
		})
		req.Platforms = append(req.Platforms, platform)
	})
}
