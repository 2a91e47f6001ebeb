package sandbox

import "slices"

// processingOptions reads data_processing_options. Whether its values make sense
// is judged later, together with country and state.
func (d *decoder) processingOptions() bool {
	if d.peek() != '[' {
		return d.mistyped("a list of strings", "data_processing_options")
	}
	if !d.open() {
		return false
	}
	d.ev.dpo = true
	for first := true; ; first = false {
		more, ok := d.element(first)
		if !ok || !more {
			return ok
		}
		v, ok := d.stringAt("data_processing_options")
		if !ok {
			return false
		}
		d.ev.dpo = first && string(v) == "LDU"
		d.ev.ldu = d.ev.dpo
	}
}

var appDataKeys = []string{
	"application_tracking_enabled", "campaign_ids", "install_referrer", "installer_package", "url_schemes", "vendor_id",
	"windows_attribution_id", "consider_views", "include_dwell_data", "include_video_data", "receipt_data",
}

// appData reads app_data: two keys are looked at, the other known ones passed over.
func (d *decoder) appData() bool {
	return d.object(func(name []byte) bool {
		switch key := string(name); {
		case key == "advertiser_tracking_enabled":
			d.ev.tracking = true
			return d.flagAt("app_data", key)
		case key == "extinfo":
			return d.extInfo()
		case slices.Contains(appDataKeys, key):
			return d.skip()
		}
		return d.unexpected(name, "app_data")
	}, "app_data")
}

// extInfo reads app_data.extinfo: 16 strings. Meta's JavaScript SDK sends them as
// an object with the keys "0" to "15", which PHP can't tell from a list, so
// that form counts too.
func (d *decoder) extInfo() bool {
	d.ev.extinfo = extBad
	n, good := 0, true
	value := func() bool {
		if d.peek() != '"' {
			good = false
			return d.skip()
		}
		v, ok := d.text()
		switch n {
		case 0:
			good = good && (string(v) == "a2" || string(v) == "i2")
		case 4:
			good = good && len(v) > 0
		}
		n++
		return ok
	}
	var ok bool
	switch d.peek() {
	case '[':
		if !d.open() {
			return false
		}
		for first := true; ; first = false {
			var more bool
			if more, ok = d.element(first); !ok || !more {
				break
			}
			if !value() {
				return false
			}
		}
	case '{':
		ok = d.object(func(name []byte) bool {
			at, isNumber := parseInt(name)
			good = good && isNumber && at == int64(n)
			return value()
		}, "app_data", "extinfo")
	default:
		good = false
		ok = d.skip()
	}
	if ok && good && n == 16 {
		d.ev.extinfo = extGood
	}
	return ok
}

// originalEvent reads original_event_data.
func (d *decoder) originalEvent() bool {
	return d.object(func(name []byte) (ok bool) {
		switch key := string(name); key {
		case "event_name":
			var v []byte
			v, ok = d.stringAt("original_event_data", key)
			d.ev.originalName = len(v) > 0
		case "event_time":
			d.ev.originalTime, ok = d.integerAt("original_event_data", key)
		case "order_id", "event_id":
			_, ok = d.scalarAt("original_event_data", key)
		default:
			ok = d.unexpected(name, "original_event_data")
		}
		return ok
	}, "original_event_data")
}

// attributionKey numbers the required keys of attribution_data.
type attributionKey uint8

const (
	atAdID attributionKey = iota
	atTouchpoint
	atShare
	atValue
	attributionKeyCount
)

var attributionKeyNames = [attributionKeyCount]string{"ad_id", "touchpoint_ts", "attribution_share", "attribution_value"}

var attributionOptional = []string{
	"scope", "visit_time", "adset_id", "campaign_id", "attribution_model", "attr_window", "attribution_source",
	"touchpoint_type", "attribution_method", "decline_reason", "auditing_token", "linkage_key", "touchpoint_id",
	"attribution_setting", "total_credit", "partner_client_id",
}

// attributionData reads attribution_data, a beta of Meta's.
func (d *decoder) attributionData() bool {
	return d.object(func(name []byte) (ok bool) {
		key := string(name)
		at := slices.Index(attributionKeyNames[:], key)
		switch attributionKey(at) {
		case atAdID:
			_, ok = d.scalarAt("attribution_data", key)
		case atTouchpoint:
			d.ev.touchpoint, ok = d.integerAt("attribution_data", key)
		case atShare:
			var share float64
			if share, ok = d.numberAt("attribution_data", key); ok && !(share >= 0 && share <= 1) {
				return d.outside("a number from 0 to 1", "attribution_data", key)
			}
		case atValue:
			ok = d.finiteAt("attribution_data", key)
		default:
			if slices.Contains(attributionOptional, key) {
				return d.skip()
			}
			return d.unexpected(name, "attribution_data")
		}
		d.ev.attribution |= 1 << at
		return ok
	}, "attribution_data")
}

// isStoreCode reports whether text is 1 to 64 ASCII letters and digits.
func isStoreCode(v []byte) bool {
	for _, c := range v {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(v) > 0 && len(v) <= 64
}

// storeData reads store_data.
func (d *decoder) storeData() bool {
	return d.object(func(name []byte) bool {
		switch key := string(name); key {
		case "store_page_id", "brand_page_id":
			_, ok := d.scalarAt("store_data", key)
			return ok
		case "store_code":
			v, ok := d.scalarAt("store_data", key)
			if ok && !isStoreCode(v) {
				return d.outside("1 to 64 letters and digits", "store_data", key)
			}
			return ok
		}
		return d.unexpected(name, "store_data")
	}, "store_data")
}
