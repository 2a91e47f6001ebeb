package mapping

import (
	"maps"
	"slices"

	"sluice/capi"
)

// furtherRule fills one value of app_data, original_event_data or attribution_data.
// set reports whether the text could be read.
type furtherRule struct {
	value *expression
	when  *timeRule // for times
	set   func(*eventParts, string) bool
	at    func(*eventParts, int64)
}

func (e *eventParts) appData() *capi.AppData {
	if e.AppData == nil {
		e.AppData = &capi.AppData{}
	}
	return e.AppData
}

func (e *eventParts) original() *capi.OriginalEventData {
	if e.OriginalEventData == nil {
		e.OriginalEventData = &capi.OriginalEventData{}
	}
	return e.OriginalEventData
}

func (e *eventParts) attribution() *capi.AttributionData {
	if e.AttributionData == nil {
		e.AttributionData = &capi.AttributionData{}
	}
	return e.AttributionData
}

// asText fills a text; every text can be read.
func asText(to func(*eventParts) *string) func(*eventParts, string) bool {
	return func(e *eventParts, s string) bool { *to(e) = s; return true }
}

func yesNo(to func(*eventParts) *capi.Optional[bool]) func(*eventParts, string) bool {
	return func(e *eventParts, s string) bool {
		b, ok := truth(s)
		if ok {
			*to(e) = capi.Some(b)
		}
		return ok
	}
}

func exactNumber(to func(*eventParts) *capi.Optional[capi.Decimal]) func(*eventParts, string) bool {
	return func(e *eventParts, s string) bool {
		n, problem := plainLocale.parse(s)
		if problem == "" {
			*to(e) = capi.Some(n.decimal())
		}
		return problem == ""
	}
}

// furtherTargets are the keys of each object. Times are the keys of furtherTimes.
var furtherTargets = map[string]map[string]func(*eventParts, string) bool{
	"app_data": {
		"advertiser_tracking_enabled":  yesNo(func(e *eventParts) *capi.Optional[bool] { return &e.appData().AdvertiserTrackingEnabled }),
		"application_tracking_enabled": yesNo(func(e *eventParts) *capi.Optional[bool] { return &e.appData().ApplicationTrackingEnabled }),
		"campaign_ids":                 asText(func(e *eventParts) *string { return &e.appData().CampaignIDs }),
		"install_referrer":             asText(func(e *eventParts) *string { return &e.appData().InstallReferrer }),
		"installer_package":            asText(func(e *eventParts) *string { return &e.appData().InstallerPackage }),
		"vendor_id":                    asText(func(e *eventParts) *string { return &e.appData().VendorID }),
		"windows_attribution_id":       asText(func(e *eventParts) *string { return &e.appData().WindowsAttributionID }),
	},
	"original_event_data": {
		"event_name": asText(func(e *eventParts) *string { return &e.original().EventName }),
		"order_id":   asText(func(e *eventParts) *string { return &e.original().OrderID }),
		"event_id":   asText(func(e *eventParts) *string { return &e.original().EventID }),
	},
	"attribution_data": {
		"ad_id":             asText(func(e *eventParts) *string { return &e.attribution().AdID }),
		"attribution_share": exactNumber(func(e *eventParts) *capi.Optional[capi.Decimal] { return &e.attribution().AttributionShare }),
		"attribution_value": exactNumber(func(e *eventParts) *capi.Optional[capi.Decimal] { return &e.attribution().AttributionValue }),
	},
}

var furtherTimes = map[string]struct {
	key string
	at  func(*eventParts, int64)
}{
	"original_event_data": {"event_time", func(e *eventParts, t int64) { e.original().EventTime = t }},
	"attribution_data":    {"touchpoint_ts", func(e *eventParts, t int64) { e.attribution().TouchpointTS = t }},
}

// extInfoParts is how many values app_data.extinfo has.
const extInfoParts = 16

func (d *decoder) further(m *Mapping, object string, c cursor) {
	if !c.present() {
		return
	}
	targets, when := furtherTargets[object], furtherTimes[object]
	known := make([]string, 0, len(targets)+1)
	for key := range targets {
		known = append(known, key)
	}
	switch {
	case object == "app_data":
		known = append(known, "extinfo")
	default:
		known = append(known, when.key)
	}
	keys := d.object(c, known...)
	for _, key := range slices.Sorted(maps.Keys(keys)) { // columns are numbered as they are met
		v := keys[key]
		switch {
		case key == "extinfo":
			if m.extInfo = d.expressions(v, "app_data.extinfo", bareColumn); len(m.extInfo) != extInfoParts {
				d.fault(v, "list all of them in Meta's order; use {const: \"\"} for what is not known", "extinfo has %d columns, not %d", len(m.extInfo), extInfoParts)
			}
		case key == when.key:
			t := d.time(v)
			if t.value != nil {
				m.further = append(m.further, furtherRule{value: t.value, when: &t, at: when.at})
			}
		default:
			if e, _ := d.expression(v, object+"."+key, bareColumn); e != nil {
				m.further = append(m.further, furtherRule{value: e, set: targets[key]})
			}
		}
	}
}

// fillFurther fills the objects that few events have.
func (p *Mapper) fillFurther() {
	e := &p.event
	for i := range p.m.further {
		r := &p.m.further[i]
		s := p.pick(r.value)
		if s == "" {
			continue
		}
		if r.when == nil {
			if !r.set(e, s) {
				p.warn(WarnUnparseableNumber, r.value.label())
			}
			continue
		}
		z := zone{location: r.when.location}
		if unix, reject, _ := r.when.moment(&z, s); reject == "" {
			r.at(e, unix)
		} else {
			p.warn(WarnUnparseableDate, r.value.label())
		}
	}
	if len(p.m.extInfo) > 0 {
		info := make([]string, len(p.m.extInfo))
		for i, x := range p.m.extInfo {
			info[i] = p.pick(x)
		}
		e.appData().ExtInfo = info
	}
}
