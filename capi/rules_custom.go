package capi

// eventSourceCRM marks lead-stage events.
const eventSourceCRM = "crm"

// checkBusiness applies the rules about custom_data.
func (e *Encoder) checkBusiness(ev *Event) {
	c := &ev.CustomData
	if ev.EventName == eventPurchase && !c.Value.Set {
		e.fault(CodeMissingValue, "custom_data.value")
	}
	if c.Currency == "" && (c.Value.Set || ev.EventName == eventPurchase || ev.AttributionData != nil) {
		e.fault(CodeMissingCurrency, "custom_data.currency")
	}
	if c.Value.Set {
		switch {
		case c.Value.Value < 0:
			e.fault(CodeNegativeValue, "custom_data.value")
		case c.Value.Value == 0:
			e.fault(CodeZeroValue, "custom_data.value")
		}
		if total := contentsTotal(c.Contents); total.Set && differs(total.Value, c.Value.Value) {
			e.fault(CodeContentsValueMismatch, "custom_data.contents")
		}
	}
	if c.PredictedLTV.Set && c.PredictedLTV.Value < 0 {
		e.fault(CodeNegativeValue, "custom_data.predicted_ltv")
	}
	if c.ContentType != "" && !contentTypes[c.ContentType] {
		e.fault(CodeUnknownContentType, "custom_data.content_type")
	}
	if c.DeliveryCategory != "" && !deliveryCategories(c.DeliveryCategory) {
		e.fault(CodeBadDeliveryCategory, "custom_data.delivery_category")
	}
	if s := ev.CustomerSegmentation; s != "" && !customerSegmentations[s] {
		e.fault(CodeBadCustomerSegmentation, "customer_segmentation")
	}
	switch {
	case c.EventSource == eventSourceCRM:
		if trim(c.LeadEventSource) == "" {
			e.fault(CodeMissingLeadEventSource, "custom_data.lead_event_source")
		}
		if ev.ActionSource != SystemGenerated {
			e.fault(CodeCRMActionSource, "action_source")
		}
	case c.EventSource != "":
		e.fault(CodeUnknownEventSource, "custom_data.event_source")
	}
}

// contentTypes are product, product_group and the verticals of other catalogues.
var contentTypes = map[string]bool{
	"product": true, "product_group": true,
	"hotel": true, "flight": true, "destination": true, "vehicle": true, "vehicle_offer": true,
	"home_listing": true, "home_listing_group": true, "media_title": true, "local_service_business": true,
}

var customerSegmentations = map[string]bool{
	"new_customer_to_business": true, "new_customer_to_business_line": true,
	"new_customer_to_product_area": true, "new_customer_to_medium": true,
	"existing_customer_to_business": true, "existing_customer_to_business_line": true,
	"existing_customer_to_product_area": true, "existing_customer_to_medium": true,
	"customer_in_loyalty_program": true,
}

const (
	// attributionDelay is the time from the original event before whose end an
	// attribution must arrive, attributionReach how old the original event may be.
	attributionDelay = 48 * 60 * 60
	attributionReach = 7 * 24 * 60 * 60
)

// checkLinks applies the rules about original_event_data and attribution_data.
// Source: Append Attribution reference.
func (e *Encoder) checkLinks(ev *Event) {
	now := e.at.Unix()
	margin := seconds(e.opts.Margin)
	skewed := now + seconds(futureSkew)
	original := ev.OriginalEventData
	appending := ev.EventName == eventAppendAttribution

	if original != nil && original.EventTime != 0 && (original.EventTime < 0 || original.EventTime > skewed ||
		ev.EventTime > 0 && ev.EventTime < millisecondsFrom && original.EventTime > ev.EventTime) {
		e.fault(CodeOriginalEventTime, "original_event_data.event_time")
	}
	if appending {
		switch {
		case original == nil, trim(original.EventName) == "", original.EventTime == 0:
			e.fault(CodeOriginalEventRequired, "original_event_data")
		case now-original.EventTime > attributionReach-margin:
			e.fault(CodeOriginalEventTooOld, "original_event_data.event_time")
		case now-original.EventTime >= attributionDelay-margin:
			e.fault(CodeOriginalEventLate, "original_event_data.event_time")
		}
	}

	a := ev.AttributionData
	switch {
	case a == nil && appending:
		e.fault(CodeMissingAttributionData, "attribution_data")
		return
	case a == nil:
		return
	case !appending:
		e.fault(CodeAttributionEventName, "event_name")
	}
	if trim(a.AdID) == "" || a.TouchpointTS == 0 || !a.AttributionShare.Set || !a.AttributionValue.Set {
		e.fault(CodeAttributionRequired, "attribution_data")
	}
	if t := a.TouchpointTS; t < 0 || t > skewed || original != nil && original.EventTime != 0 && t > original.EventTime {
		e.fault(CodeBadTouchpoint, "attribution_data.touchpoint_ts")
	}
	if s := a.AttributionShare; s.Set && (s.Value < 0 || s.Value > decimalUnit) {
		e.fault(CodeBadAttributionShare, "attribution_data.attribution_share")
	} else if v := ev.CustomData.Value; s.Set && v.Set && a.AttributionValue.Set {
		if product, ok := v.Value.MulInt(int64(s.Value)); ok && differs(a.AttributionValue.Value, product/decimalUnit) {
			e.fault(CodeAttributionValueMismatch, "attribution_data.attribution_value")
		}
	}
}
