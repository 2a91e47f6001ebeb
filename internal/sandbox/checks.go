package sandbox

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"
)

// Windows Meta applies when a request arrives.
const (
	windowDefault  = 7 * 24 * time.Hour
	windowOffline  = 62 * 24 * time.Hour // physical_store
	windowAppend   = 48 * time.Hour      // AppendAttribution after its original event
	futureAllowed  = time.Minute         // our allowance; Meta's is not public
	maxBatchEvents = 1000
	maxEventName   = 50 // characters; the pixel's limit for custom events
)

// judgement is what the checks of one request depend on besides its events.
type judgement struct {
	now             int64 // Unix seconds at receipt
	offline         bool  // the dataset takes physical_store events
	strictUserAgent bool
	strictPageID    bool
}

// messagingNames are the event names a business_messaging event may have.
var messagingNames = []string{
	"Purchase", "LeadSubmitted", "InitiateCheckout", "AddToCart", "ViewContent", "OrderCreated", "OrderShipped", "OrderDelivered",
	"OrderCanceled", "OrderReturned", "CartAbandoned", "QualifiedLead", "RatingProvided", "ReviewProvided",
}

// check applies the rules to a decoded event, in Meta's order as far as it is
// known: age was seen to be judged before sufficiency.
func (d *decoder) check(j *judgement) *apiError {
	d.required()
	ev := &d.ev
	d.window(j)
	d.actionSource(j)
	if !ev.keys.sufficient() {
		ev.note(stageSufficient, errInsufficient.with())
	}
	d.commerce()
	if ev.source == sourceMessaging {
		d.messaging(j)
	}
	for _, p := range ev.problems {
		if p != nil {
			return p
		}
	}
	return nil
}

// required asks for the four keys no event may lack.
func (d *decoder) required() {
	ev := &d.ev
	for _, k := range [...]eventKey{evName, evTime, evUserData, evActionSource} {
		if !ev.present(k) || k == evName && len(bytes.TrimSpace(ev.name)) == 0 {
			ev.note(stageRequired, d.missing(k.String()))
		}
	}
	if len(ev.name) > maxEventName && utf8.RuneCount(ev.name) > maxEventName {
		ev.note(stageRequired, d.beyond("at most 50 characters", evName.String()))
	}
}

// window judges the event's age at receipt.
func (d *decoder) window(j *judgement) {
	ev := &d.ev
	oldest := windowDefault
	if ev.source == sourceStore {
		oldest = windowOffline
	}
	switch {
	case ev.time > j.now+seconds(futureAllowed):
		ev.note(stageTime, errFuture.with())
	case ev.time < j.now-seconds(oldest):
		ev.note(stageTime, errTooOld.with())
	}
	if string(ev.name) == appendAttribution && ev.present(evOriginal) && ev.originalTime > 0 {
		switch {
		case ev.originalTime < j.now-seconds(windowDefault):
			ev.note(stageTime, errTooOld.with())
		case ev.originalTime <= j.now-seconds(windowAppend), ev.originalTime < ev.touchpoint:
			ev.note(stageTime, errOriginalAge.with())
		}
	}
}

// actionSource checks the source and what it asks for.
func (d *decoder) actionSource(j *judgement) {
	ev := &d.ev
	switch ev.source {
	case sourceUnknown:
		ev.note(stageSource, errActionSource.with())
	case sourceWebsite:
		if j.strictUserAgent && (len(ev.url) == 0 || !ev.keys.has(keyUserAgent)) {
			ev.note(stageSource, errUserAgent.with())
		}
	case sourceApp:
		switch {
		case !ev.present(evAppData):
			ev.note(stageSource, d.missing("app_data"))
		case !ev.tracking:
			ev.note(stageSource, d.missing("app_data", "advertiser_tracking_enabled"))
		case ev.extinfo == extAbsent:
			ev.note(stageSource, d.missing("app_data", "extinfo"))
		}
	case sourceStore:
		if !j.offline {
			ev.note(stageSource, errNotConsolidated.with())
		}
	case sourceMessaging:
		switch string(ev.channel) {
		case "messenger", "instagram", "whatsapp":
		default:
			ev.note(stageSource, d.missing("messaging_channel"))
		}
	}
	if ev.extinfo == extBad {
		ev.note(stageSource, errExtInfo.with())
	}
	if !d.limitedDataUse() {
		ev.note(stageSource, errLDU.with())
	}
	if string(ev.name) == appendAttribution {
		d.attributionParts()
	}
}

// limitedDataUse accepts what Meta's two pages on the subject agree on: options
// empty or LDU; country 0 or 1; state 0 or a listed one; a country needs a state;
// geolocating a US state needs an address.
func (d *decoder) limitedDataUse() bool {
	ev := &d.ev
	if ev.present(evDPO) && !ev.dpo {
		return false
	}
	country, state := ev.present(evDPOCountry), ev.present(evDPOState)
	if country && ev.dpoCountry != 0 && ev.dpoCountry != 1 {
		return false
	}
	if state && ev.dpoState != 0 && (ev.dpoState < 1000 || ev.dpoState > 1013) {
		return false
	}
	if !ev.ldu || !country || ev.dpoCountry == 0 {
		return true
	}
	return state && (ev.dpoState != 0 || ev.keys.has(keyIP))
}

// attributionParts asks for what AppendAttribution needs.
func (d *decoder) attributionParts() {
	ev := &d.ev
	switch {
	case !ev.originalName:
		ev.note(stageSource, d.missing("original_event_data", "event_name"))
	case ev.originalTime == 0:
		ev.note(stageSource, d.missing("original_event_data", "event_time"))
	case !ev.hasCustom(cuCurrency):
		ev.note(stageSource, d.missing("custom_data", "currency"))
	}
	for at, name := range attributionKeyNames {
		if ev.attribution&(1<<at) == 0 {
			ev.note(stageSource, d.missing("attribution_data", name))
		}
	}
}

// commerce checks value and currency, which Purchase must have.
func (d *decoder) commerce() {
	ev := &d.ev
	if string(ev.name) == purchase {
		if !ev.hasCustom(cuValue) {
			ev.note(stagePurchase, errNoValue.with())
		}
		if !ev.hasCustom(cuCurrency) {
			ev.note(stagePurchase, errNoCurrency.with())
		}
	}
	if ev.hasCustom(cuValue) && ev.valueBad {
		ev.note(stagePurchase, errValue.with())
	}
	if ev.hasCustom(cuCurrency) && !isCurrency(ev.currency) {
		ev.note(stagePurchase, errCurrency.with())
	}
}

// messaging checks the name and the keys of the channel. Meta's own WhatsApp sample
// has no page_id while one report was refused for its absence, so asking for it is
// an option.
func (d *decoder) messaging(j *judgement) {
	ev := &d.ev
	if !slices.Contains(messagingNames, string(ev.name)) {
		ev.note(stageMessaging, d.beyond("one of the event names for business_messaging", evName.String()))
	}
	need := func(k userKey) {
		if !ev.keys.has(k) {
			ev.note(stageMessaging, d.missing("user_data", k.String()))
		}
	}
	switch string(ev.channel) {
	case "whatsapp":
		need(keyWABA)
		need(keyCTWAClid)
		if j.strictPageID && !ev.keys.has(keyPageID) {
			ev.note(stageMessaging, errPageID.with())
		}
	case "messenger":
		need(keyPageID)
		need(keyPageScopedUserID)
	case "instagram":
		if !ev.keys.any(1<<keyIGBusiness | 1<<keyIGAccountID) {
			need(keyIGBusiness)
		}
		need(keyIGSID)
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
