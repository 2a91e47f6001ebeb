package mapping

import (
	"strings"

	"sluice/capi"
)

// textRule fills one text of the event.
type textRule struct {
	value *expression
	set   func(*eventParts, string)
}

// textTargets are the keys of the document, and of `custom`, that are plain texts
// of the event.
var textTargets = map[string]func(*eventParts, string){
	"event_source_url":  func(e *eventParts, s string) { e.EventSourceURL = s },
	"referrer_url":      func(e *eventParts, s string) { e.ReferrerURL = s },
	"messaging_channel": func(e *eventParts, s string) { e.MessagingChannel = capi.MessagingChannel(s) },
	"store_code":        func(e *eventParts, s string) { e.storeData().StoreCode = s },
	"store_page_id":     func(e *eventParts, s string) { e.storeData().StorePageID = s },
	"brand_page_id":     func(e *eventParts, s string) { e.storeData().BrandPageID = s },

	"custom.content_name":          func(e *eventParts, s string) { e.CustomData.ContentName = s },
	"custom.content_category":      func(e *eventParts, s string) { e.CustomData.ContentCategory = s },
	"custom.content_type":          func(e *eventParts, s string) { e.CustomData.ContentType = s },
	"custom.search_string":         func(e *eventParts, s string) { e.CustomData.SearchString = s },
	"custom.status":                func(e *eventParts, s string) { e.CustomData.Status = s },
	"custom.delivery_category":     func(e *eventParts, s string) { e.CustomData.DeliveryCategory = s },
	"custom.item_number":           func(e *eventParts, s string) { e.CustomData.ItemNumber = s },
	"custom.customer_segmentation": func(e *eventParts, s string) { e.CustomerSegmentation = s },
	"custom.event_source":          func(e *eventParts, s string) { e.CustomData.EventSource = s },
	"custom.lead_event_source":     func(e *eventParts, s string) { e.CustomData.LeadEventSource = s },
}

// eventParts is an event and the storage that its pointers use, so that a mapper
// can fill the same one again and again.
type eventParts struct {
	capi.Event
	store capi.StoreData
	ldu   capi.DataProcessing
}

func (e *eventParts) storeData() *capi.StoreData {
	if e.StoreData == nil {
		e.store = capi.StoreData{}
		e.StoreData = &e.store
	}
	return e.StoreData
}

func (d *decoder) textRules(m *Mapping, keys map[string]cursor) {
	for _, key := range []string{"event_source_url", "referrer_url", "messaging_channel", "store_code", "store_page_id", "brand_page_id"} {
		c, ok := keys[key]
		if !ok {
			continue
		}
		b := bareColumn
		switch key {
		case "event_source_url", "referrer_url":
			b = bareURL
		case "messaging_channel":
			b = bareConstant
		}
		if e, _ := d.expression(c, key, b); e != nil {
			e.personal = strings.HasSuffix(key, "_url")
			m.texts = append(m.texts, textRule{e, textTargets[key]})
		}
	}
}
