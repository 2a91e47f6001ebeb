package capi

import (
	"math"
	"strings"
)

// customData writes the business side. An object without members is left out.
func (e *Encoder) customData(dst []byte, ev *Event) []byte {
	c := &ev.CustomData
	start := len(dst)
	dst = appendKey(dst, "custom_data")
	dst = append(dst, '{')
	open := len(dst)

	p := &e.props
	p.reset(c.Properties)
	e.checkProperties(c.Properties)

	dst = e.propertiesBefore(dst, "content_category")
	dst = e.text(dst, "content_category", c.ContentCategory, "custom_data.content_category")
	dst = e.propertiesBefore(dst, "content_ids")
	dst = e.texts(dst, "content_ids", c.ContentIDs, "custom_data.content_ids")
	dst = e.propertiesBefore(dst, "content_name")
	dst = e.text(dst, "content_name", c.ContentName, "custom_data.content_name")
	dst = e.propertiesBefore(dst, "content_type")
	dst = e.text(dst, "content_type", c.ContentType, "custom_data.content_type")
	dst = e.propertiesBefore(dst, "contents")
	dst = e.contents(dst, c.Contents)
	dst = e.propertiesBefore(dst, "currency")
	dst = e.currency(dst, c.Currency)
	dst = e.propertiesBefore(dst, "customer_segmentation")
	dst = e.text(dst, "customer_segmentation", ev.CustomerSegmentation, "customer_segmentation")
	dst = e.propertiesBefore(dst, "delivery_category")
	dst = e.text(dst, "delivery_category", c.DeliveryCategory, "custom_data.delivery_category")
	dst = e.propertiesBefore(dst, "event_source")
	dst = e.text(dst, "event_source", c.EventSource, "custom_data.event_source")
	dst = e.propertiesBefore(dst, "item_number")
	dst = e.text(dst, "item_number", c.ItemNumber, "custom_data.item_number")
	dst = e.propertiesBefore(dst, "lead_event_source")
	dst = e.text(dst, "lead_event_source", c.LeadEventSource, "custom_data.lead_event_source")
	dst = e.propertiesBefore(dst, "net_revenue")
	dst = e.decimal(dst, "net_revenue", c.NetRevenue, "custom_data.net_revenue")
	dst = e.propertiesBefore(dst, "num_items")
	dst = e.count(dst, "num_items", c.NumItems, 0, CodeBadNumItems, "custom_data.num_items")
	dst = e.propertiesBefore(dst, "order_id")
	dst = e.text(dst, "order_id", c.OrderID, "custom_data.order_id")
	dst = e.propertiesBefore(dst, "predicted_ltv")
	dst = e.decimal(dst, "predicted_ltv", c.PredictedLTV, "custom_data.predicted_ltv")
	dst = e.propertiesBefore(dst, "search_string")
	dst = e.text(dst, "search_string", c.SearchString, "custom_data.search_string")
	dst = e.propertiesBefore(dst, "status")
	dst = e.text(dst, "status", c.Status, "custom_data.status")
	dst = e.propertiesBefore(dst, "value")
	dst = e.decimal(dst, "value", c.Value, "custom_data.value")
	dst = e.propertiesBefore(dst, "")

	if len(dst) == open {
		return dst[:start]
	}
	return append(closeObject(dst), ',')
}

// currency writes the code in upper case.
func (e *Encoder) currency(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	code, ok := e.familiar.code, e.familiar.currency == s
	if !ok {
		code, ok = upperCurrency(s)
		if ok {
			e.familiar.currency, e.familiar.code = strings.Clone(s), code
		}
	}
	if !ok {
		e.fault(CodeBadCurrency, "custom_data.currency")
		return dst
	}
	return append(dst, '"', 'c', 'u', 'r', 'r', 'e', 'n', 'c', 'y', '"', ':', '"', code[0], code[1], code[2], '"', ',')
}

// familiar remembers what passed last: nearly all events of a run share their name
// and currency.
type familiar struct {
	name     string
	currency string
	code     [3]byte
}

// count writes an integer of at least min.
func (e *Encoder) count(dst []byte, name string, n Optional[int64], min int64, code, path string) []byte {
	switch {
	case !n.Set:
		return dst
	case n.Value < min:
		e.fault(code, path)
		return dst
	case n.Value > maxExactInt:
		e.fault(CodeNumberTooLarge, path)
		return dst
	}
	return appendIntMember(dst, name, n.Value)
}

func (e *Encoder) contents(dst []byte, contents []Content) []byte {
	if len(contents) == 0 {
		return dst
	}
	dst = appendKey(dst, "contents")
	dst = append(dst, '[')
	for i := range contents {
		e.checkContent(&contents[i], i)
		dst = e.content(dst, &contents[i], i)
	}
	return append(closeArray(dst), ',')
}

func (e *Encoder) content(dst []byte, c *Content, i int) []byte {
	dst = append(dst, '{')
	dst = e.contentText(dst, "brand", c.Brand, i)
	dst = e.contentText(dst, "category", c.Category, i)
	dst = e.contentText(dst, "delivery_category", c.DeliveryCategory, i)
	dst = e.contentText(dst, "description", c.Description, i)
	dst = e.contentText(dst, "id", c.ID, i)
	if c.ItemPrice.Set {
		if !c.ItemPrice.Value.survivesFloat() {
			e.fault(CodeNumberTooLarge, contentPath(i, "item_price"))
		}
		dst = appendKey(dst, "item_price")
		dst = c.ItemPrice.Value.Append(dst)
		dst = append(dst, ',')
	}
	if c.Quantity.Set && c.Quantity.Value <= maxExactInt {
		dst = appendIntMember(dst, "quantity", c.Quantity.Value)
	}
	dst = e.contentText(dst, "title", c.Title, i)
	return append(closeObject(dst), ',')
}

// contentText is text with a path that is only made when it is needed.
func (e *Encoder) contentText(dst []byte, name, s string, i int) []byte {
	if trim(s) == "" {
		return dst
	}
	if code := textFault(s); code != "" {
		e.fault(code, contentPath(i, name))
		return dst
	}
	dst = appendKey(dst, name)
	dst = appendQuoted(dst, s)
	return append(dst, ',')
}

func (e *Encoder) checkContent(c *Content, i int) {
	if trim(c.ID) == "" {
		e.fault(CodeMissingContentID, contentPath(i, "id"))
	}
	switch {
	case !c.Quantity.Set:
		e.fault(CodeMissingQuantity, contentPath(i, "quantity"))
	case c.Quantity.Value < 1:
		e.fault(CodeBadQuantity, contentPath(i, "quantity"))
	case c.Quantity.Value > maxExactInt:
		e.fault(CodeNumberTooLarge, contentPath(i, "quantity"))
	}
	if c.ItemPrice.Set && c.ItemPrice.Value < 0 {
		e.fault(CodeNegativeItemPrice, contentPath(i, "item_price"))
	}
	if c.DeliveryCategory != "" && !deliveryCategories(c.DeliveryCategory) {
		e.fault(CodeBadDeliveryCategory, contentPath(i, "delivery_category"))
	}
}

func contentPath(i int, key string) string { return itemPath("custom_data.contents", i, key) }

// contentsTotal sums quantity times price. It is absent when a content lacks
// either, or the sum leaves the range.
func contentsTotal(contents []Content) Optional[Decimal] {
	if len(contents) == 0 {
		return Optional[Decimal]{}
	}
	var total Decimal
	for i := range contents {
		c := &contents[i]
		if !c.Quantity.Set || !c.ItemPrice.Set {
			return Optional[Decimal]{}
		}
		line, ok := c.ItemPrice.Value.MulInt(c.Quantity.Value)
		if !ok {
			return Optional[Decimal]{}
		}
		if total, ok = total.Add(line); !ok {
			return Optional[Decimal]{}
		}
	}
	return Some(total)
}

// differs reports whether a and b are more than one per cent of b apart.
func differs(a, b Decimal) bool {
	if b == math.MinInt64 {
		return true
	}
	diff, ok := a.Add(-b)
	if !ok {
		return true
	}
	return magnitude(int64(diff)) > magnitude(int64(b))/100
}

func deliveryCategories(s string) bool {
	switch s {
	case "in_store", "curbside", "home_delivery":
		return true
	default:
		return false
	}
}
