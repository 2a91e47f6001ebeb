package mapping

// Warnings. They change nothing but what a person should know.
const (
	WarnFloatIDs             = "float_ids"
	WarnScientificPhone      = "scientific_phone"
	WarnScientificID         = "scientific_id"
	WarnDateOnlyTime         = "date_only_time"
	WarnAmbiguousLocalTime   = "ambiguous_local_time"
	WarnNonexistentLocalTime = "nonexistent_local_time"
	WarnNonPositiveValue     = "non_positive_value"
	WarnConflictingColumns   = "conflicting_columns"
	WarnLookupMissed         = "lookup_missed"
	WarnUnparseableDate      = "unparseable_date"
	WarnUnparseableNumber    = "unparseable_number"
	WarnFractionalQuantity   = "fractional_quantity"
	WarnLineLeftOut          = "line_left_out"
)

// Rejects.
const (
	RejectMissingRecordID     = "missing_record_id"
	RejectScientificID        = "scientific_id"
	RejectMissingEventID      = "missing_event_id"
	RejectMissingEventTime    = "missing_event_time"
	RejectUnparseableTime     = "unparseable_time"
	RejectMissingValue        = "missing_value"
	RejectUnparseableValue    = "unparseable_value"
	RejectNegativeValue       = "negative_value"
	RejectMissingCurrency     = "missing_currency"
	RejectMissingActionSource = "missing_action_source"
	RejectUnmappedOutcome     = "unmapped_outcome"
)

// Skips that the mapper itself makes; a mapping may name others.
const (
	SkipCancellation   = "cancellation"
	SkipConsentDenied  = "consent_denied"
	SkipConsentUnknown = "consent_unknown"
)

// CodeInfo says what a code means and what to do about it.
type CodeInfo struct {
	Code string
	Kind Kind // Mapped for warnings
	When string
	Fix  string
}

// Codes lists every code of this package in the order the documentation prints.
func Codes() []CodeInfo {
	return []CodeInfo{
		{RejectMissingRecordID, Rejected, "a part of the record id is empty", "fill the column at the source, or leave such rows out with an `outcome` rule"},
		{RejectScientificID, Rejected, "the record id is in scientific notation; its last digits are lost", "export the column as text"},
		{RejectMissingEventID, Rejected, "the mapping takes `event_id` from a column that is empty", "fill the column, or remove `event_id` to have ids derived"},
		{RejectMissingEventTime, Rejected, "no time is given", "fill the column of `time`"},
		{RejectUnparseableTime, Rejected, "the time is in none of the formats, does not exist, or has no zone", "add its format under `time.formats`, and `time.zone`"},
		{RejectMissingValue, Rejected, "a purchase without a value, or an order line without price or quantity", "fill the column of `value`"},
		{RejectUnparseableValue, Rejected, "an amount is not a number of the declared notation, or out of range", "set `locale`, or strip currency signs with `strip_currency`"},
		{RejectNegativeValue, Rejected, "the value is below zero", "skip refunds with an `outcome` rule: Meta takes no negative conversion"},
		{RejectMissingCurrency, Rejected, "a value without a currency", "set `currency`"},
		{RejectMissingActionSource, Rejected, "the action source is empty", "extend the lookup, or set a default"},
		{RejectUnmappedOutcome, Rejected, "no rule gives an outcome, or it has no Meta event", "add a rule under `outcome`, or the outcome under `events`"},
		{SkipCancellation, Skipped, "the record takes an order back", "none: it is never sent; an order that was sent before stays sent"},
		{SkipConsentDenied, Skipped, "consent was refused or withdrawn", "none"},
		{SkipConsentUnknown, Skipped, "consent is needed and not recorded", "list the value under `consent.granted` if it means yes"},
		{WarnFloatIDs, Mapped, "ids are written as 17850.0", "add the transform `strip_dot_zero`, or export the column as text"},
		{WarnScientificPhone, Mapped, "a phone number is written as 4.477E+11; it was dropped", "export the column as text: the lost digits can't be restored"},
		{WarnScientificID, Mapped, "an identifier is written as 1.23E+12; it was dropped", "export the column as text"},
		{WarnDateOnlyTime, Mapped, "the time is midnight, probably a date only", "export the time of day if there is one"},
		{WarnAmbiguousLocalTime, Mapped, "the clocks showed this time twice; the first is taken", "export times with an offset or in UTC"},
		{WarnNonexistentLocalTime, Mapped, "the clocks jumped over this time; it is moved forward", "check the zone, or export times with an offset"},
		{WarnNonPositiveValue, Mapped, "the value is zero", "skip free orders with an `outcome` rule"},
		{WarnConflictingColumns, Mapped, "rows of one order disagree; the first value is taken", "map the column under `lines`, or correct the source"},
		{WarnLookupMissed, Mapped, "a lookup table has no entry; the value was dropped", "extend the table, or set a `default`"},
		{WarnUnparseableDate, Mapped, "a date is not in its format; it was dropped", "correct the format of the transform `date`"},
		{WarnUnparseableNumber, Mapped, "a number is not in its notation; it was dropped or not compared", "set `locale`"},
		{WarnFractionalQuantity, Mapped, "a quantity is not whole; it counts in the value and is left out of the contents", "none, unless it should be whole"},
		{WarnLineLeftOut, Mapped, "a line without id or with a quantity below one counts in the value only", "none for discounts and postage"},
	}
}
