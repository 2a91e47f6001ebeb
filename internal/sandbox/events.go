package sandbox

import "unicode/utf8"

// maxLabel bounds upload_tag and partner_agent, in characters. Meta's limits are
// not public.
const maxLabel = 256

// maxLabels bounds how many distinct labels of a kind are told apart in a dataset:
// event names, agents, upload tags. The rest counts as otherLabel.
const maxLabels = 1000

const otherLabel = "(other)"

// eventsReply is what the events edge answers. events_received counts
// duplicates too; messages is empty as long as nothing is known to be in it.
type eventsReply struct {
	Received int      `json:"events_received"`
	Messages []string `json:"messages"`
	Trace    string   `json:"fbtrace_id"`
}

// postEvents stores the events of a request, all or none.
func (s *Server) postEvents(r *request) (any, *apiError) {
	code := r.param("test_event_code")
	if code != "" && !issuedTestCode(code) {
		return nil, errInvalidParameter.with()
	}
	for _, name := range [...]string{"upload_tag", "partner_agent"} {
		if utf8.RuneCountInString(r.param(name)) > maxLabel {
			return nil, errParam.with("what", "Param "+name+" must have at most 256 characters")
		}
	}
	if err := r.batch.verdict(); err != nil {
		return nil, err
	}
	records := r.batch.records
	if r.forced = s.faultBefore(r, records); r.forced != nil {
		return nil, nil
	}
	lost, missing := s.planAfter(r, records)
	s.mu.Lock()
	r.outcome = s.store.commit(origin{
		dataset: r.object.ID, now: r.now, batch: r.trace, testCode: code,
		tag: r.param("upload_tag"), agent: r.param("partner_agent"),
	}, records[:len(records)-lost])
	s.mu.Unlock()
	return eventsReply{Received: len(records) - missing, Messages: []string{}, Trace: r.trace}, nil
}

// issuedTestCode reports whether a test_event_code looks like one of Events
// Manager's: TEST and digits.
func issuedTestCode(code string) bool {
	return len(code) > 4 && len(code) <= 20 && code[:4] == "TEST" && digits(code[4:])
}
