package sandbox

import "math"

// customKey numbers the standard keys of custom_data that the rules or the
// statistics look at.
type customKey uint8

const (
	cuValue customKey = iota
	cuCurrency
	cuContents
	cuContentIDs
	cuContentType
	cuContentName
	cuContentCategory
	cuNumItems
	cuOrderID
	cuItemNumber
	cuNetRevenue
	cuPredictedLTV
	cuSearchString
	cuStatus
	cuDeliveryCategory
	cuEventSource
	cuLeadEventSource
	cuSegmentation
	customKeyCount
)

var customKeyNames = [customKeyCount]string{
	"value", "currency", "contents", "content_ids", "content_type", "content_name", "content_category", "num_items",
	"order_id", "item_number", "net_revenue", "predicted_ltv", "search_string", "status", "delivery_category",
	"event_source", "lead_event_source", "customer_segmentation",
}

func (k customKey) String() string { return customKeyNames[k] }

func customKeyOf(name []byte) (customKey, bool) {
	switch string(name) {
	case "value":
		return cuValue, true
	case "currency":
		return cuCurrency, true
	case "contents":
		return cuContents, true
	case "content_ids":
		return cuContentIDs, true
	case "content_type":
		return cuContentType, true
	case "order_id":
		return cuOrderID, true
	}
	for k := cuContentName; k < customKeyCount; k++ {
		if customKeyNames[k] == string(name) {
			return k, true
		}
	}
	return 0, false
}

// deliveryCategories are the values of delivery_category.
var deliveryCategories = []string{"in_store", "curbside", "home_delivery"}

// segmentations are the values of customer_segmentation, which Meta's pages show
// both in the event and in custom_data.
var segmentations = []string{
	"new_customer_to_business", "new_customer_to_business_line", "new_customer_to_product_area", "new_customer_to_medium",
	"existing_customer_to_business", "existing_customer_to_business_line", "existing_customer_to_product_area",
	"existing_customer_to_medium", "customer_in_loyalty_program",
}

// customData reads custom_data. Keys outside the standard set are custom
// properties: any JSON value, and never an error.
func (d *decoder) customData() bool {
	if d.peek() != '{' {
		return d.mistyped("an object", "custom_data")
	}
	if !d.open() {
		return false
	}
	mark := len(d.names)
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok {
			return false
		}
		if !more {
			d.forget(mark)
			return true
		}
		key, known := customKeyOf(name)
		if !known {
			d.ev.customNames = append(d.ev.customNames, name)
			if !d.unique(mark, name) || !d.skip() {
				return false
			}
			continue
		}
		if d.ev.hasCustom(key) {
			return d.fail("duplicate name")
		}
		d.ev.custom |= 1 << key
		if !d.customValue(key) {
			return false
		}
	}
}

func (d *decoder) customValue(key customKey) (ok bool) {
	ev := &d.ev
	switch key {
	case cuValue:
		var n float64
		n, ok = d.numberAt("custom_data", key.String())
		ev.valueBad = math.IsNaN(n) || math.Signbit(n)
	case cuNetRevenue, cuPredictedLTV:
		ok = d.finiteAt("custom_data", key.String())
	case cuNumItems:
		ok = d.atLeast(0, "custom_data", key.String())
	case cuDeliveryCategory:
		ok = d.wordAt(deliveryCategories, "custom_data", key.String())
	case cuSegmentation:
		ok = d.wordAt(segmentations, "custom_data", key.String())
	case cuCurrency:
		ev.currency, ok = d.stringAt("custom_data", key.String())
	case cuOrderID:
		ev.orderID, ok = d.scalarAt("custom_data", key.String())
	case cuItemNumber:
		ev.itemNumber, ok = d.scalarAt("custom_data", key.String())
	case cuContentIDs:
		ok = d.textList("custom_data", key.String())
	case cuContents:
		ok = d.contents()
	case cuStatus:
		if c := d.peek(); c == 't' || c == 'f' {
			return d.flagAt("custom_data", key.String())
		}
		_, ok = d.scalarAt("custom_data", key.String())
	default:
		_, ok = d.scalarAt("custom_data", key.String())
	}
	return ok
}

// contents reads the lines of an order. Keys of a line that Meta does not list are
// passed over: catalogues carry many of their own.
func (d *decoder) contents() bool {
	if d.peek() != '[' {
		return d.mistyped("a list of objects", "custom_data", "contents")
	}
	if !d.open() {
		return false
	}
	for first := true; ; first = false {
		more, ok := d.element(first)
		if !ok || !more {
			return ok
		}
		if !d.content() {
			return false
		}
	}
}

func (d *decoder) content() bool {
	if d.peek() != '{' {
		return d.mistyped("a list of objects", "custom_data", "contents")
	}
	if !d.open() {
		return false
	}
	mark, identified := len(d.names), false
	for first := true; ; first = false {
		name, more, ok := d.member(first)
		if !ok {
			return false
		}
		if !more {
			d.forget(mark)
			if !identified {
				return d.violate(`Param "` + d.param("custom_data", "contents", "id") + `" is required.`)
			}
			return true
		}
		if !d.unique(mark, name) {
			return false
		}
		switch string(name) {
		case "id":
			var id []byte
			id, ok = d.scalarAt("custom_data", "contents", "id")
			identified = len(id) > 0
		case "quantity":
			ok = d.atLeast(1, "custom_data", "contents", "quantity")
		case "item_price":
			ok = d.finiteAt("custom_data", "contents", "item_price")
		case "price":
			ok = d.finiteAt("custom_data", "contents", "price")
		case "delivery_category":
			ok = d.wordAt(deliveryCategories, "custom_data", "contents", "delivery_category")
		default:
			ok = d.skip()
		}
		if !ok {
			return false
		}
	}
}
