package capi

import (
	"time"
	"unicode/utf8"
)

const (
	// maxEventBytes keeps the largest batch sendable: four such events fit a
	// request.
	maxEventBytes = 256 << 10
	// maxTextBytes bounds a text that is no identifier, such as a URL.
	maxTextBytes = 8192
)

// Encoder turns events into wire bytes. It reuses its scratch space, so one
// encoder serves one goroutine; encoders are cheap to make.
type Encoder struct {
	opts           Options
	modes          [numFields]HashMode
	defaultCountry countryCode
	now            func() time.Time
	norm           normalizer
	cache          hashCache
	paths          pathCache
	props          propertyOrder
	items          []int // where the items of the list being written begin

	today    int64 // the UTC day norm.today belongs to
	familiar familiar

	// State of the current event.
	report  Report
	refused bool
	at      time.Time
}

// Append normalises, hashes and checks ev and appends its JSON object to dst. The
// report lists every fault; when one of them refuses the event, dst comes back
// with its old length. The report is valid until the next call.
//
// The bytes depend on nothing but the event, the options and, for what is refused,
// the time. They are in RFC 8785 form (see the package comment).
func (e *Encoder) Append(dst []byte, ev *Event) ([]byte, *Report) {
	e.begin()
	start := len(dst)
	dst = e.event(dst, ev)
	if len(dst)-start > maxEventBytes {
		e.fault(CodeEventTooLarge, "")
	}
	if e.refused {
		dst = dst[:start]
	}
	return dst, &e.report
}

func (e *Encoder) begin() {
	e.report.Faults = e.report.Faults[:0]
	e.report.Keys = 0
	e.report.PreHashed = 0
	e.refused = false
	e.at = e.now()
	if today := e.at.Unix() / secondsPerDay; today != e.today {
		e.today, e.norm.today = today, civilToday(e.at)
	}
}

const secondsPerDay = 24 * 60 * 60

// fault records what is wrong at a path.
func (e *Encoder) fault(code, path string) {
	f := faultOf(code, path)
	e.report.Faults = append(e.report.Faults, f)
	e.refused = e.refused || f.Effect == Refuse
}

// event writes the members in canonical order. Customer information comes last,
// so the checks that need to know what is left of it follow.
func (e *Encoder) event(dst []byte, ev *Event) []byte {
	e.checkEvent(ev)
	dst = append(dst, '{')
	dst = e.text(dst, "action_source", string(ev.ActionSource), "action_source")
	dst = e.text(dst, "advanced_measurement_table", ev.AdvancedMeasurementTable, "advanced_measurement_table")
	if ev.AppData != nil {
		dst = e.appData(dst, ev.AppData)
	}
	if ev.AttributionData != nil {
		dst = e.attributionData(dst, ev.AttributionData)
	}
	dst = e.customData(dst, ev)
	if ev.DataProcessing != nil {
		dst = e.dataProcessing(dst, ev.DataProcessing)
	}
	dst = e.text(dst, "event_id", ev.EventID, "event_id")
	dst = e.text(dst, "event_name", ev.EventName, "event_name")
	if ev.EventSourceURL != "" {
		if !validURL(ev.EventSourceURL) {
			e.fault(CodeBadEventSourceURL, "event_source_url")
		}
		dst = e.text(dst, "event_source_url", ev.EventSourceURL, "event_source_url")
	}
	dst = appendIntMember(dst, "event_time", ev.EventTime)
	dst = e.text(dst, "messaging_channel", string(ev.MessagingChannel), "messaging_channel")
	if ev.OptOut.Set {
		dst = appendBoolMember(dst, "opt_out", ev.OptOut.Value)
	}
	if ev.OriginalEventData != nil {
		dst = e.originalEventData(dst, ev.OriginalEventData)
	}
	if ev.ReferrerURL != "" {
		if validURL(ev.ReferrerURL) {
			dst = e.text(dst, "referrer_url", ev.ReferrerURL, "referrer_url")
		} else {
			e.fault(CodeBadReferrerURL, "referrer_url")
		}
	}
	if ev.StoreData != nil {
		dst = e.storeData(dst, ev.StoreData)
	}
	dst = e.userData(dst, &ev.UserData, ev.EventTime)
	dst = closeObject(dst)
	e.checkKeys(ev)
	return dst
}

// text writes a member, or nothing for blank text: an order_id of two spaces would
// make one sale of many.
func (e *Encoder) text(dst []byte, name, s, path string) []byte {
	if trim(s) == "" {
		return dst
	}
	if code := textFault(s); code != "" {
		e.fault(code, path)
		return dst
	}
	dst = appendKey(dst, name)
	dst = appendQuoted(dst, s)
	return append(dst, ',')
}

// texts writes a list of texts, or nothing for an empty one.
func (e *Encoder) texts(dst []byte, name string, list []string, path string) []byte {
	if len(list) == 0 {
		return dst
	}
	start := len(dst)
	dst = appendKey(dst, name)
	dst = append(dst, '[')
	empty := true
	for i, s := range list {
		if s == "" {
			e.fault(CodeEmptyListItem, itemPath(path, i, ""))
			continue
		}
		if code := textFault(s); code != "" {
			e.fault(code, itemPath(path, i, ""))
			continue
		}
		empty = false
		dst = appendQuoted(dst, s)
		dst = append(dst, ',')
	}
	if empty {
		return dst[:start]
	}
	return append(closeArray(dst), ',')
}

// decimal writes a number, or nothing when it is absent.
func (e *Encoder) decimal(dst []byte, name string, d Optional[Decimal], path string) []byte {
	if !d.Set {
		return dst
	}
	if !d.Value.survivesFloat() {
		e.fault(CodeNumberTooLarge, path)
	}
	dst = appendKey(dst, name)
	dst = d.Value.Append(dst)
	return append(dst, ',')
}

// textFault returns the code that refuses a text, "" for none.
func textFault(s string) string {
	switch {
	case len(s) > maxTextBytes:
		return CodeTextTooLong
	case !isASCII(s) && !utf8.ValidString(s):
		return CodeBadText
	default:
		return ""
	}
}

// validURL accepts http and https URLs with a host. It is deliberately shallow:
// Meta takes addresses that strict parsers refuse.
func validURL(s string) bool {
	const http, https = "http://", "https://"
	rest := ""
	switch {
	case len(s) > len(https) && equalFoldASCII(s[:len(https)], https):
		rest = s[len(https):]
	case len(s) > len(http) && equalFoldASCII(s[:len(http)], http):
		rest = s[len(http):]
	}
	return rest != "" && rest[0] != '/' && rest[0] != '?' && rest[0] != '#' && rest[0] != ':' && !hasBlankOrControl(s)
}

// equalFoldASCII compares s with a lower-case ASCII text of the same length.
func equalFoldASCII(s, lower string) bool {
	for i := range len(s) {
		b := s[i]
		if asciiKinds[b] == asciiUpper {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}
