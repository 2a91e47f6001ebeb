package sandbox

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
		var good bool
		good, ok = d.numberAt("custom_data", key.String())
		ev.valueBad = !good
	case cuNetRevenue, cuPredictedLTV:
		_, ok = d.numberAt("custom_data", key.String())
	case cuNumItems:
		_, ok = d.integerAt("custom_data", key.String())
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
		if !d.unique(mark, name) {
			return false
		}
		switch string(name) {
		case "id":
			_, ok = d.scalarAt("custom_data", "contents", "id")
		case "quantity":
			_, ok = d.integerAt("custom_data", "contents", "quantity")
		case "item_price":
			_, ok = d.numberAt("custom_data", "contents", "item_price")
		case "price":
			_, ok = d.numberAt("custom_data", "contents", "price")
		default:
			ok = d.skip()
		}
		if !ok {
			return false
		}
	}
}
