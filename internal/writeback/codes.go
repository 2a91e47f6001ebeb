package writeback

// RowCode is why a row is not sent, where the step after mapping and validating
// decided it.
type RowCode struct {
	Code  string
	State string // rejected, skipped, expired, unknown; finding: of a dry run
	When  string
	Fix   string
}

// RowCodes lists them in the order of the documentation. Codes of a mapping are
// mapping.Codes, those of an event capi.Codes.
func RowCodes() []RowCode {
	return []RowCode{
		{"id_conflict", "rejected", "a known id comes with another time or value, or twice in one input with different data", "name every column under `id:` that tells two sales apart; what was sent can't be corrected"},
		{"bad_event_id", "rejected", "the event id holds a NUL character", "mend the column it comes from"},
		{"duplicate_in_input", "skipped", "the input holds the same record again", "none needed"},
		{"duplicate", "skipped", "the ledger holds the same event, sent or waiting in an interrupted plan", "none needed; `sluice runs` shows interrupted plans"},
		{"sandbox_refused", "finding", "the sandbox of a dry run refuses the request", "mend what the finding names and preview again"},
		{"too_old", "expired", "the event is outside the window in which Meta takes it", "send sooner"},
		{"meta_invalid", "rejected", "Meta refused this event; the reject holds its code and subcode", "mend the row by Meta's code and preview again"},
		{"batch_refused", "rejected", "Meta refused the request and too many of its events for each to be tried alone", "see the other rejects of the plan for the cause"},
		{"window_closed", "unknown", "an answer was lost, and the event left its window before it could be sent again", "compare with Events Manager"},
		{"refused_after_unknown", "unknown", "an answer was lost, and a repeat was refused: the first one may have arrived", "compare with Events Manager"},
	}
}
