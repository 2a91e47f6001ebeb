package capi

import (
	"slices"
	"strconv"
)

// appData writes app_data. Meta wants its two flags as 0 and 1.
func (e *Encoder) appData(dst []byte, a *AppData) []byte {
	dst = appendKey(dst, "app_data")
	dst = append(dst, '{')
	dst = appendFlag(dst, "advertiser_tracking_enabled", a.AdvertiserTrackingEnabled)
	dst = appendFlag(dst, "application_tracking_enabled", a.ApplicationTrackingEnabled)
	dst = e.text(dst, "campaign_ids", a.CampaignIDs, "app_data.campaign_ids")
	dst = appendOptionalBool(dst, "consider_views", a.ConsiderViews)
	dst = e.extInfo(dst, a.ExtInfo)
	dst = appendOptionalBool(dst, "include_dwell_data", a.IncludeDwellData)
	dst = appendOptionalBool(dst, "include_video_data", a.IncludeVideoData)
	dst = e.text(dst, "install_referrer", a.InstallReferrer, "app_data.install_referrer")
	dst = e.text(dst, "installer_package", a.InstallerPackage, "app_data.installer_package")
	dst = e.text(dst, "receipt_data", a.ReceiptData, "app_data.receipt_data")
	dst = e.texts(dst, "url_schemes", a.URLSchemes, "app_data.url_schemes")
	dst = e.text(dst, "vendor_id", a.VendorID, "app_data.vendor_id")
	dst = e.text(dst, "windows_attribution_id", a.WindowsAttributionID, "app_data.windows_attribution_id")
	return append(closeObject(dst), ',')
}

// extInfoLen is the fixed length of extinfo; unknown places hold "".
const extInfoLen = 16

// extInfo writes the device description: always strings, as in Meta's samples.
func (e *Encoder) extInfo(dst []byte, info []string) []byte {
	if len(info) == 0 {
		return dst
	}
	dst = appendKey(dst, "extinfo")
	dst = append(dst, '[')
	for i, s := range info {
		if code := textFault(s); code != "" {
			e.fault(code, itemPath("app_data.extinfo", i, ""))
			s = ""
		}
		dst = appendQuoted(dst, s)
		dst = append(dst, ',')
	}
	return append(closeArray(dst), ',')
}

func appendFlag(dst []byte, name string, v Optional[bool]) []byte {
	switch {
	case !v.Set:
		return dst
	case v.Value:
		return appendIntMember(dst, name, 1)
	default:
		return appendIntMember(dst, name, 0)
	}
}

func appendOptionalBool(dst []byte, name string, v Optional[bool]) []byte {
	if !v.Set {
		return dst
	}
	return appendBoolMember(dst, name, v.Value)
}

// dataProcessing writes Limited Data Use. With LDU on, country and state are both
// written, because Meta's pages disagree about which may be left out.
func (e *Encoder) dataProcessing(dst []byte, d *DataProcessing) []byte {
	dst = appendKey(dst, "data_processing_options")
	if len(d.Options) == 0 {
		return append(dst, '[', ']', ',')
	}
	dst = append(dst, '[', '"', 'L', 'D', 'U', '"', ']', ',')
	dst = appendIntMember(dst, "data_processing_options_country", d.Country.Value)
	return appendIntMember(dst, "data_processing_options_state", d.State.Value)
}

func (e *Encoder) originalEventData(dst []byte, o *OriginalEventData) []byte {
	dst = appendKey(dst, "original_event_data")
	dst = append(dst, '{')
	dst = e.text(dst, "event_id", o.EventID, "original_event_data.event_id")
	dst = e.text(dst, "event_name", o.EventName, "original_event_data.event_name")
	if o.EventTime != 0 {
		dst = appendIntMember(dst, "event_time", o.EventTime)
	}
	dst = e.text(dst, "order_id", o.OrderID, "original_event_data.order_id")
	return append(closeObject(dst), ',')
}

// attributionKeys are the further keys of Meta's specification of
// attribution_data. Keys with a closed set of values name them.
var attributionKeys = map[string][]string{
	"scope": nil, "visit_time": nil, "adset_id": nil, "campaign_id": nil, "attr_window": nil,
	"attribution_source": nil, "touchpoint_type": nil, "decline_reason": nil, "auditing_token": nil,
	"linkage_key": nil, "touchpoint_id": nil, "attribution_setting": nil, "total_credit": nil,
	"partner_client_id": nil,
	"attribution_model": {"first_touch", "last_touch", "linear", "position_based", "time_decay", "last_click",
		"customized_multi_touch", "unknown"},
	"attribution_method": {"ard", "deeplink", "gpir", "invalid_response", "mir", "srn"},
}

func (e *Encoder) attributionData(dst []byte, a *AttributionData) []byte {
	e.props.reset(a.Properties)
	e.checkAttributionProperties(a.Properties)
	dst = appendKey(dst, "attribution_data")
	dst = append(dst, '{')
	dst = e.propertiesBefore(dst, "ad_id")
	dst = e.text(dst, "ad_id", a.AdID, "attribution_data.ad_id")
	dst = e.propertiesBefore(dst, "attribution_share")
	dst = e.decimal(dst, "attribution_share", a.AttributionShare, "attribution_data.attribution_share")
	dst = e.propertiesBefore(dst, "attribution_value")
	dst = e.decimal(dst, "attribution_value", a.AttributionValue, "attribution_data.attribution_value")
	dst = e.propertiesBefore(dst, "touchpoint_ts")
	if a.TouchpointTS != 0 {
		dst = appendIntMember(dst, "touchpoint_ts", a.TouchpointTS)
	}
	dst = e.propertiesBefore(dst, "")
	return append(closeObject(dst), ',')
}

func (e *Encoder) checkAttributionProperties(list []Property) {
	for i := range list {
		p := &list[i]
		path := itemPath("attribution_data.properties", i, "")
		if code := propertyFault(p); code != "" {
			e.fault(code, path)
			continue
		}
		values, known := attributionKeys[p.Key]
		if !known || (values != nil && !slices.ContainsFunc(values, func(v string) bool { return p.JSON == strconv.Quote(v) })) {
			e.fault(CodeBadAttributionProperty, path)
		}
	}
	for n := 1; n < len(e.props.order); n++ {
		if i := e.props.order[n]; list[i].Key == list[e.props.order[n-1]].Key {
			e.fault(CodePropertyDuplicate, itemPath("attribution_data.properties", i, ""))
		}
	}
}

func (e *Encoder) storeData(dst []byte, s *StoreData) []byte {
	dst = appendKey(dst, "store_data")
	dst = append(dst, '{')
	dst = e.text(dst, "brand_page_id", s.BrandPageID, "store_data.brand_page_id")
	dst = e.text(dst, "store_code", s.StoreCode, "store_data.store_code")
	dst = e.text(dst, "store_page_id", s.StorePageID, "store_data.store_page_id")
	return append(closeObject(dst), ',')
}
