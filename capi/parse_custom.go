package capi

// customData reads the business side. Names without a field of their own become
// properties, which is what Meta takes them for.
func (p *parser) customData(ev *Event) {
	c := &ev.CustomData
	p.members(func(name string) bool {
		switch name {
		case "content_category":
			c.ContentCategory = p.text()
		case "content_ids":
			c.ContentIDs = p.texts()
		case "content_name":
			c.ContentName = p.text()
		case "content_type":
			c.ContentType = p.text()
		case "contents":
			p.contents(c)
		case "currency":
			c.Currency = p.text()
		case "customer_segmentation":
			p.segmentation(ev)
		case "delivery_category":
			c.DeliveryCategory = p.text()
		case "event_source":
			c.EventSource = p.text()
		case "item_number":
			c.ItemNumber = p.text()
		case "lead_event_source":
			c.LeadEventSource = p.text()
		case "net_revenue":
			c.NetRevenue = p.decimal()
		case "num_items":
			c.NumItems = p.integer()
		case "order_id":
			c.OrderID = p.text()
		case "predicted_ltv":
			c.PredictedLTV = p.decimal()
		case "search_string":
			c.SearchString = p.text()
		case "status":
			c.Status = p.status()
		case "value":
			c.Value = p.decimal()
		default:
			c.Properties = p.property(c.Properties, name)
		}
		return true
	})
}

// status is documented as text or truth value.
func (p *parser) status() string {
	if kind := p.kind(); kind == 't' || kind == 'f' {
		return string(p.raw())
	}
	return p.text()
}

func (p *parser) contents(c *CustomData) {
	p.elements(func(int) {
		var content Content
		p.content(&content)
		c.Contents = append(c.Contents, content)
	})
}

// content reads a line of an order. Meta does not say what becomes of further
// keys here, so they are dropped and reported.
func (p *parser) content(c *Content) {
	price := func() {
		if c.ItemPrice.Set {
			p.fault(CodeDuplicateKey)
		}
		c.ItemPrice = p.decimal()
	}
	p.membersOr(func(name string) bool {
		switch name {
		case "brand":
			c.Brand = p.text()
		case "category":
			c.Category = p.text()
		case "delivery_category":
			c.DeliveryCategory = p.text()
		case "description":
			c.Description = p.text()
		case "id":
			c.ID = p.text()
		case "item_price", "price":
			price()
		case "quantity":
			c.Quantity = p.integer()
		case "title":
			c.Title = p.text()
		default:
			return false
		}
		return true
	}, CodeUnknownKey, Drop)
}
