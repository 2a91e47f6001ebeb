package capi

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wireFacts is what a walk has found out about an event.
type wireFacts struct {
	seen    wireFact // is there
	read    wireFact // is there, and a number that could be read
	keys    KeySet
	ints    [numFacts]int64
	texts   [numFacts]string
	extInfo extInfoFacts
}

// extInfoFacts are the places of extinfo that may not be empty.
type extInfoFacts struct {
	count      int
	version    string
	hasVersion bool // of the operating system
}

func (x *extInfoFacts) add(i int, text []byte) {
	x.count = i + 1
	switch i {
	case 0:
		x.version = string(text)
	case 4:
		x.hasVersion = len(text) > 0
	}
}

func (w *wireFacts) has(f wireFact) bool { return w.seen&f != 0 }

func (w *wireFacts) setInt(f wireFact, n int64) {
	if f != 0 {
		w.read |= f
		w.ints[bits.TrailingZeros32(uint32(f))] = n
	}
}

func (w *wireFacts) int(f wireFact) int64 { return w.ints[bits.TrailingZeros32(uint32(f))] }

// textFacts are the texts the rules read; the others are not kept.
const textFacts = hasEventName | hasActionSource | hasChannel | hasLDU | hasEventSource

func (w *wireFacts) setText(f wireFact, text []byte) {
	if f&textFacts != 0 {
		w.seen |= f
		w.texts[bits.TrailingZeros32(uint32(f))] = string(text)
	}
}

func (w *wireFacts) text(f wireFact) string { return w.texts[bits.TrailingZeros32(uint32(f))] }

// rules judges what needs more than one value, in the order Meta checks.
func (c *checker) rules() {
	w := &c.facts
	for _, required := range []struct {
		fact         wireFact
		member, code string
	}{
		{hasEventName, "event_name", CodeMissingEventName},
		{hasEventTime, "event_time", CodeMissingEventTime},
		{hasActionSource, "action_source", CodeMissingActionSource},
		{hasUserData, "user_data", CodeMissingUserData},
	} {
		if !w.has(required.fact) {
			c.faultIn(required.member, required.code)
		}
	}
	c.nameRules(w.text(hasEventName))
	c.timeRules()
	c.sourceRules()
	if w.has(hasUserData) {
		c.keyRules()
	}
	c.businessRules()
	c.linkRules()
	c.lduRules()
}

func (c *checker) nameRules(name string) {
	if utf8.RuneCountInString(name) > maxEventName {
		c.faultIn("event_name", CodeEventNameTooLong)
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			c.faultIn("event_name", CodeEventNameCharacters)
			break
		}
	}
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if inkless(first) || inkless(last) {
		c.faultIn("event_name", CodeEventNameCharacters)
	}
	if c.facts.text(hasActionSource) == "business_messaging" && name != "" && !slices.Contains(messagingEvents, name) {
		c.faultIn("event_name", CodeBadMessagingEventName)
	}
}

// inkless reports spaces and format characters, but not controls.
func inkless(r rune) bool {
	return unicode.In(r, unicode.White_Space, unicode.Cf) && !unicode.IsControl(r)
}

func (c *checker) timeRules() {
	w := &c.facts
	if w.read&hasEventTime == 0 {
		return
	}
	const hours = 60 * 60
	oldest := int64(7 * 24 * hours)
	if w.text(hasActionSource) == "physical_store" && c.opts.OfflineWindow == Offline62Days {
		oldest = 62 * 24 * hours
	}
	t := w.int(hasEventTime)
	switch {
	case t == 0:
		c.faultIn("event_time", CodeMissingEventTime)
	case t >= 100_000_000_000:
		c.faultIn("event_time", CodeEventTimeMilliseconds)
	case c.now-t > oldest-int64(c.opts.Margin.Seconds()):
		c.faultIn("event_time", CodeTooOld)
	case t-c.now > 60:
		c.faultIn("event_time", CodeFutureTime)
	}
}

func (c *checker) sourceRules() {
	w := &c.facts
	switch w.text(hasActionSource) {
	case "website":
		if !w.has(hasEventSourceURL) {
			c.faultIn("event_source_url", CodeMissingEventSourceURL)
		}
		if !w.keys.Has(FieldClientUserAgent) && !c.opts.AllowMissingUserAgent {
			c.faultIn("user_data.client_user_agent", CodeMissingUserAgent)
		}
	case "app":
		if !w.has(hasAppData) {
			c.faultIn("app_data", CodeMissingAppData)
		}
	case "business_messaging":
		c.messagingRules()
	}
	if w.has(hasAppData) {
		if !w.has(hasTracking) {
			c.faultIn("app_data.advertiser_tracking_enabled", CodeMissingAdvertiserTracking)
		}
		switch x := w.extInfo; {
		case !w.has(hasExtInfo):
			c.faultIn("app_data.extinfo", CodeMissingExtinfo)
		case x.count != 16, x.version != "a2" && x.version != "i2", !x.hasVersion:
			c.faultIn("app_data.extinfo", CodeBadExtinfo)
		}
	}
}

func (c *checker) messagingRules() {
	w := &c.facts
	has := w.keys.Has
	var complete bool
	switch w.text(hasChannel) {
	case "messenger":
		complete = has(FieldPageID) && has(FieldPageScopedUserID)
	case "whatsapp":
		complete = has(FieldWhatsAppBusinessAccountID) && has(FieldCTWAClid)
	case "instagram":
		complete = has(FieldIGSID) && (has(FieldInstagramBusinessAccountID) || has(FieldIGAccountID))
	default:
		if !w.has(hasChannel) {
			c.faultIn("messaging_channel", CodeMissingMessagingChannel)
		}
		return
	}
	if !complete {
		c.faultIn("user_data", CodeMissingMessagingKeys)
	}
}

// keyRules applies the sufficiency rule in another form than KeySet.Sufficient:
// keys outside the refused sets decide at once; among the rest, Meta wants keys
// that no single set holds.
func (c *checker) keyRules() {
	has := c.facts.keys.Has
	var (
		place  = has(FieldCity) || has(FieldCountry) || has(FieldState) || has(FieldZip)
		agent  = has(FieldClientUserAgent)
		gender = has(FieldGender)
		birth  = has(FieldBirthDate)
		first  = has(FieldFirstName)
		last   = has(FieldLastName)
	)
	for f := range numFields {
		switch f {
		case FieldCity, FieldCountry, FieldState, FieldZip, FieldClientUserAgent, FieldGender, FieldBirthDate, FieldFirstName, FieldLastName:
		default:
			if has(f) {
				return
			}
		}
	}
	switch {
	case c.facts.keys == 0:
		c.faultIn("user_data", CodeNoIdentifiers)
	case !birth && !first && !last, // place, gender and agent
		!place && !gender && !first && !last, // birth date and agent
		!place && !agent && !birth && !last,  // first name and gender
		!place && !agent && !birth && !first: // last name and gender
		c.faultIn("user_data", CodeInsufficientIdentifiers)
	}
}

func (c *checker) businessRules() {
	w := &c.facts
	purchase := w.text(hasEventName) == "Purchase"
	if purchase && !w.has(hasValue) {
		c.faultIn("custom_data.value", CodeMissingValue)
	}
	if !w.has(hasCurrency) && (purchase || w.has(hasValue) || w.has(hasAttribution)) {
		c.faultIn("custom_data.currency", CodeMissingCurrency)
	}
	if w.text(hasEventSource) == "crm" {
		if !w.has(hasLeadEventSource) {
			c.faultIn("custom_data.lead_event_source", CodeMissingLeadEventSource)
		}
		if w.text(hasActionSource) != "system_generated" {
			c.faultIn("action_source", CodeCRMActionSource)
		}
	}
	appending := w.text(hasEventName) == "AppendAttribution"
	switch {
	case appending && !w.has(hasAttribution):
		c.faultIn("attribution_data", CodeMissingAttributionData)
	case !appending && w.has(hasAttribution):
		c.faultIn("event_name", CodeAttributionEventName)
	}
	if required := hasAdID | hasTouchpoint | hasShare | hasAttributionValue; w.has(hasAttribution) && w.seen&required != required {
		c.faultIn("attribution_data", CodeAttributionRequired)
	}
	if appending && (!w.has(hasOriginalName) || !w.has(hasOriginalTime)) {
		c.faultIn("original_event_data", CodeOriginalEventRequired)
	}
}

// linkRules judges the times of original_event_data and attribution_data. A time
// of 0 counts as absent.
func (c *checker) linkRules() {
	const hours = 60 * 60
	w := &c.facts
	latest := c.now + 60
	appending := w.text(hasEventName) == "AppendAttribution"
	original, dated := w.int(hasOriginalTime), w.read&hasOriginalTime != 0
	if dated {
		event := w.int(hasEventTime)
		afterEvent := event > 0 && event < 100_000_000_000 && original > event
		if original < 0 || original > latest || afterEvent {
			c.faultIn("original_event_data.event_time", CodeOriginalEventTime)
		}
	}
	if appending && dated && w.has(hasOriginalName) {
		age := c.now - original + int64(c.opts.Margin.Seconds())
		switch {
		case original == 0:
			c.faultIn("original_event_data", CodeOriginalEventRequired)
		case age > 7*24*hours:
			c.faultIn("original_event_data.event_time", CodeOriginalEventTooOld)
		case age >= 48*hours:
			c.faultIn("original_event_data.event_time", CodeOriginalEventLate)
		}
	}
	if w.read&hasTouchpoint == 0 {
		return
	}
	switch touchpoint := w.int(hasTouchpoint); {
	case touchpoint == 0:
		c.faultIn("attribution_data", CodeAttributionRequired)
	case touchpoint < 0, touchpoint > latest, dated && original != 0 && touchpoint > original:
		c.faultIn("attribution_data.touchpoint_ts", CodeBadTouchpoint)
	}
}

func (c *checker) lduRules() {
	w := &c.facts
	country, state := w.int(hasLDUCountry), w.int(hasLDUState)
	if !strings.Contains(w.text(hasLDU), optionLDU) {
		if w.has(hasLDUCountry | hasLDUState) {
			c.faultIn("data_processing_options", CodeLDUWithoutOption)
		}
		return
	}
	if country < 0 || country > 1 {
		c.faultIn("data_processing_options_country", CodeBadLDUCountry)
	}
	if state != 0 && (state < 1000 || state > 1013) {
		c.faultIn("data_processing_options_state", CodeBadLDUState)
	}
	switch {
	case country != 0 && !w.has(hasLDUState):
		c.faultIn("data_processing_options_state", CodeLDUStateMissing)
	case country == 0 && state != 0:
		c.faultIn("data_processing_options_state", CodeLDUStateWithoutCountry)
	case country != 0 && state == 0 && !w.keys.Has(FieldClientIPAddress):
		c.faultIn("data_processing_options_state", CodeLDUNeedsIP)
	}
}
