package sandbox

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
		dataset: r.object.id, now: r.now, batch: r.trace, testCode: code,
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
