package writeback

// RowCode is why a row is not sent, where the step after mapping and validating
// decided it.
type RowCode struct {
	Code  string
	State string // rejected, skipped, expired, unknown, delivered; finding: of a dry run
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
		{SkipSuppressed, "skipped", "the person is on the suppression list of the profile", "none; `sluice suppress list --count` shows its size"},
		{SkipCancelledInHold, "skipped", "the order was cancelled while it was held", "none: it never reaches Meta"},
		{SkipCancelled, "skipped", "the order was cancelled after its hold, before it was sent", "none"},
		{SkipSuperseded, "skipped", "another outcome of the same sale is sent, or was sent before", "none: one sale is one purchase"},
		{SkipNoMetaTouch, "skipped", "the filter is has_meta_touch, and no advertisement of Meta touched it", "preview with --filter all"},
		{"bad_item", "rejected", "a pushed outcome has a member that is not known, or of another form", "mend the member that the answer names"},
		{"sandbox_refused", "finding", "the sandbox of a dry run refuses the request", "mend what the finding names and preview again"},
		{"too_old", "expired", "the event is outside the window in which Meta takes it", "send sooner"},
		{"meta_invalid", "rejected", "Meta refused this event; the reject holds its code and subcode", "mend the row by Meta's code and preview again"},
		{"batch_refused", "rejected", "Meta refused the request and too many of its events for each to be tried alone", "see the other rejects of the plan for the cause"},
		{"gave_up", "rejected", "Meta or the network put the event off for 24 hours, or until its window was about to close; it provably never arrived", "see why in the log, and preview the row again"},
		{"meta_refused", "finding", "Meta refuses the request of a dry run at level test_dataset or live_test", "mend what the finding names and preview again"},
		{codeLive, "unknown", "a live test's answer was lost", "look in Events Manager's test view, then `sluice resolve`"},
		{codeTest, "delivered", "sent by a live test, which Meta counts", "none; the confirm leaves it out"},
		{codeAssumed, "delivered", "a person decided that it arrived, or that it was sent before Sluice", "none; the audit log has the reason"},
		{codeResolved, "rejected", "an answer was lost, and a person decided that it did not arrive", "preview again to send it"},
		{codeHeldBack, "unknown", "others of its request were sent again, this one was not chosen", "`sluice resolve`"},
		{"trial_unanswered", "unknown", "sent alone as a canary, or to try a circuit, and the answer was lost; it is not repeated by itself", "compare with Events Manager, then `sluice resolve`"},
		{"window_closed", "unknown", "an answer was lost, and the event left its window before it could be sent again", "compare with Events Manager"},
		{"refused_after_unknown", "unknown", "an answer was lost, and a repeat was refused: the first one may have arrived", "compare with Events Manager"},
	}
}
