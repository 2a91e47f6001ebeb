package capi

import (
	"slices"
	"strings"
)

// checkEvent applies the rules that need no customer information.
func (e *Encoder) checkEvent(ev *Event) {
	e.checkName(ev)
	e.checkTime(ev)
	e.checkSource(ev)
	e.checkBusiness(ev)
	e.checkLinks(ev)
	if trim(ev.EventID) == "" {
		e.fault(CodeMissingEventID, "event_id")
	}
	if d := ev.DataProcessing; d != nil {
		e.checkDataProcessing(d)
	}
	if s := ev.StoreData; s != nil {
		e.checkStore(s)
	}
}

func (e *Encoder) checkName(ev *Event) {
	if ev.EventName == e.familiar.name && ev.ActionSource != BusinessMessaging && ev.EventName != "" {
		return
	}
	if code := eventNameFault(ev.EventName); code != "" {
		e.fault(code, "event_name")
		return
	}
	switch {
	case ev.ActionSource == BusinessMessaging:
		if !slices.Contains(messagingEvents, ev.EventName) {
			e.fault(CodeBadMessagingEventName, "event_name")
		}
	case ev.CustomData.EventSource != eventSourceCRM && NearMiss(ev.EventName) != "":
		// Stages of a CRM are free text, "lead" among them.
		e.fault(CodeEventNameNearMiss, "event_name")
	case ev.CustomData.EventSource != eventSourceCRM:
		// The copy keeps the name from holding on to the record it is part of.
		e.familiar.name = strings.Clone(ev.EventName)
	}
}

// checkTime judges the window at the time of encoding; whoever sends later has to
// judge it again, because Meta judges at receipt.
func (e *Encoder) checkTime(ev *Event) {
	t := ev.EventTime
	switch {
	case t == 0:
		e.fault(CodeMissingEventTime, "event_time")
		return
	case t < 0:
		e.fault(CodeTooOld, "event_time")
		return
	case t >= millisecondsFrom:
		e.fault(CodeEventTimeMilliseconds, "event_time")
		return
	}
	age := e.at.Unix() - t
	window := seconds(Window(ev.ActionSource, e.opts.OfflineWindow) - e.opts.Margin)
	switch {
	case age > window:
		e.fault(CodeTooOld, "event_time")
	case age < -seconds(futureSkew):
		e.fault(CodeFutureTime, "event_time")
	case age > seconds(onlineWindow):
		e.fault(CodeOfflineOver7Days, "event_time")
	case age > seconds(freshness):
		e.fault(CodeLateEvent, "event_time")
	}
}

func (e *Encoder) checkSource(ev *Event) {
	switch ev.ActionSource {
	case "":
		e.fault(CodeMissingActionSource, "action_source")
	case Website:
		if ev.EventSourceURL == "" {
			e.fault(CodeMissingEventSourceURL, "event_source_url")
		}
	case App:
		if ev.AppData == nil {
			e.fault(CodeMissingAppData, "app_data")
		}
	case PhysicalStore:
		if ev.EventName == eventPurchase && trim(ev.CustomData.OrderID) == "" {
			e.fault(CodeMissingOrderID, "custom_data.order_id")
		}
	case BusinessMessaging:
		switch ev.MessagingChannel {
		case Messenger, Instagram, WhatsApp:
		case "":
			e.fault(CodeMissingMessagingChannel, "messaging_channel")
		default:
			e.fault(CodeBadMessagingChannel, "messaging_channel")
		}
	case PhoneCall, Chat, EmailSource, SystemGenerated, Other:
	default:
		e.fault(CodeBadActionSource, "action_source")
	}
	if ev.MessagingChannel != "" && ev.ActionSource != BusinessMessaging {
		e.fault(CodeMessagingChannelUnused, "messaging_channel")
	}
	if ev.AppData != nil {
		e.checkAppData(ev.AppData)
	}
}

func (e *Encoder) checkAppData(a *AppData) {
	if !a.AdvertiserTrackingEnabled.Set {
		e.fault(CodeMissingAdvertiserTracking, "app_data.advertiser_tracking_enabled")
	}
	const version, osVersion = 0, 4
	switch info := a.ExtInfo; {
	case len(info) == 0:
		e.fault(CodeMissingExtinfo, "app_data.extinfo")
	case len(info) != extInfoLen, info[version] != "a2" && info[version] != "i2", info[osVersion] == "":
		e.fault(CodeBadExtinfo, "app_data.extinfo")
	}
}

func (e *Encoder) checkDataProcessing(d *DataProcessing) {
	if len(d.Options) == 0 {
		if d.Country.Set || d.State.Set {
			e.fault(CodeLDUWithoutOption, "data_processing_options")
		}
		return
	}
	if len(d.Options) != 1 || d.Options[0] != optionLDU {
		e.fault(CodeBadLDUOption, "data_processing_options")
	}
	country, state := d.Country.Value, d.State.Value
	if country != 0 && country != lduUnitedStates {
		e.fault(CodeBadLDUCountry, "data_processing_options_country")
	}
	if state != 0 && (state < lduFirstState || state > lduLastState) {
		e.fault(CodeBadLDUState, "data_processing_options_state")
	}
	if country != 0 && !d.State.Set {
		e.fault(CodeLDUStateMissing, "data_processing_options_state")
	}
	if country == 0 && state != 0 {
		e.fault(CodeLDUStateWithoutCountry, "data_processing_options_state")
	}
}

// Limited Data Use, from Meta's page about data processing options.
const (
	optionLDU       = "LDU"
	lduUnitedStates = 1
	lduFirstState   = 1000 // California
	lduLastState    = 1013 // Rhode Island
)

func (e *Encoder) checkStore(s *StoreData) {
	if s.StorePageID != "" && !isPageID(s.StorePageID) {
		e.fault(CodeBadStoreID, "store_data.store_page_id")
	}
	if s.BrandPageID != "" && !isPageID(s.BrandPageID) {
		e.fault(CodeBadStoreID, "store_data.brand_page_id")
	}
	if s.StoreCode != "" && !isStoreCode(s.StoreCode) {
		e.fault(CodeBadStoreCode, "store_data.store_code")
	}
}

func isPageID(s string) bool { return len(s) <= maxIDDigits && isDigits(s) }

const maxStoreCode = 64

func isStoreCode(s string) bool {
	if len(s) > maxStoreCode {
		return false
	}
	for i := range len(s) {
		if k := asciiKinds[s[i]]; k == asciiOther || k == notASCII {
			return false
		}
	}
	return true
}

// checkKeys applies the rules about the customer information that was written.
func (e *Encoder) checkKeys(ev *Event) {
	keys := e.report.Keys
	switch {
	case keys == 0:
		e.fault(CodeNoIdentifiers, "user_data")
	case !keys.Sufficient():
		e.fault(CodeInsufficientIdentifiers, "user_data")
	}
	switch ev.ActionSource {
	case Website:
		if !keys.Has(FieldClientUserAgent) && !e.opts.AllowMissingUserAgent {
			e.fault(CodeMissingUserAgent, "user_data.client_user_agent")
		}
	case BusinessMessaging:
		if !messagingKeys(ev.MessagingChannel, keys) {
			e.fault(CodeMissingMessagingKeys, "user_data")
		}
		if ev.MessagingChannel == WhatsApp && !keys.Has(FieldPageID) {
			e.fault(CodeMissingPageID, "user_data.page_id")
		}
	}
	if ev.CustomData.EventSource == eventSourceCRM && !keys.any(crmKeys) {
		e.fault(CodeCRMIdentifiers, "user_data")
	}
	if d := ev.DataProcessing; d != nil && len(d.Options) > 0 && !keys.Has(FieldClientIPAddress) && d.State.Value == 0 {
		switch d.Country.Value {
		case lduUnitedStates:
			e.fault(CodeLDUNeedsIP, "data_processing_options_state")
		case 0:
			e.fault(CodeLDUNoLocation, "data_processing_options_state")
		}
	}
}

// crmKeys are the ones Meta matches leads by, lead_id and click id first.
const crmKeys = KeySet(1)<<FieldLeadID | 1<<FieldFBC | 1<<FieldEmail | 1<<FieldPhone

// messagingKeys reports whether a channel's own keys are there. Instagram's two
// documented names for the account are both taken.
func messagingKeys(channel MessagingChannel, keys KeySet) bool {
	switch channel {
	case Messenger:
		return keys.Contains(1<<FieldPageID | 1<<FieldPageScopedUserID)
	case WhatsApp:
		return keys.Contains(1<<FieldWhatsAppBusinessAccountID | 1<<FieldCTWAClid)
	case Instagram:
		return keys.Has(FieldIGSID) && keys.any(1<<FieldInstagramBusinessAccountID|1<<FieldIGAccountID)
	default:
		return true
	}
}
