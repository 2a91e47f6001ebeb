package world

import (
	"slices"
	"strconv"
	"time"
)

const (
	// batchMost is the most requests that one batch may have (catalog batch).
	batchMost = 5_000
	// batchTakes is how long a batch takes, here.
	batchTakes = 10 * time.Second
)

// batchNames are the members of a product in a batch that have another name here: a
// batch speaks as a feed does.
var batchNames = map[string]string{"title": "name", "link": "url", "image_link": "image_url", "quantity_to_sell_on_facebook": "inventory"}

type batchRequest struct {
	Method string         `json:"method"`
	Data   map[string]any `json:"data"`
}

// writeBatch checks a batch and does it a moment later, as far as it can be done.
func writeBatch(c *Call) (any, *Error) {
	if c.Param("item_type") != "PRODUCT_ITEM" {
		return nil, Bad("Param item_type must be PRODUCT_ITEM")
	}
	var requests []batchRequest
	if err := c.JSON("requests", &requests); err != nil {
		return nil, err
	}
	if len(requests) == 0 || len(requests) > batchMost {
		return nil, Bad("Param requests must have 1 to 5000 entries")
	}
	upsert := !c.Has("allow_upsert") || c.Bool("allow_upsert")
	var good []batchRequest
	failures, invalid, told := []any{}, []any{}, []any{}
	for i, r := range requests {
		id := text(r.Data["id"])
		what := checkRequest(r, id)
		old := c.World.bySKU(c.On, id)
		if what == "" && (r.Method == "DELETE" || r.Method == "UPDATE" && !upsert) && old == nil {
			what = "The product does not exist"
		}
		if what == "" {
			good = append(good, r)
			continue
		}
		failures = append(failures, map[string]any{"line": i, "id": id, "message": what})
		invalid = append(invalid, id)
		told = append(told, map[string]any{"retailer_id": id, "errors": []any{map[string]any{"message": what}}, "warnings": []any{}})
	}
	handle := "batch-" + c.World.NextID()
	catalog := c.On.ID
	batch := c.World.AddAs(handle, "CheckBatchRequestStatus", c.On, Attrs{
		"handle": handle, "done": c.Now.Add(batchTakes), "errors": failures, "errors_total_count": len(failures), "warnings": []any{},
		"warnings_total_count": 0, "ids_of_invalid_requests": invalid,
	})
	c.World.At(c.Now.Add(batchTakes), func(w *World) {
		if on := w.Get(catalog); on != nil {
			for _, r := range good {
				w.writeProduct(on, r)
			}
		}
	})
	return map[string]any{"handles": []string{batch.ID}, "validation_status": told}, nil
}

// checkRequest says what is wrong with an entry, "" when nothing is.
func checkRequest(r batchRequest, id string) string {
	if !slices.Contains([]string{"CREATE", "UPDATE", "DELETE"}, r.Method) {
		return "The method must be CREATE, UPDATE or DELETE"
	}
	if id == "" {
		return "The id is missing"
	}
	for _, name := range []string{"price", "sale_price"} {
		if v, given := r.Data[name]; given {
			if _, _, ok := minorPrice(text(v)); !ok {
				return "The " + name + " must be a number and a currency, such as 9.99 USD"
			}
		}
	}
	if r.Method == "CREATE" {
		for _, name := range []string{"title", "price", "availability", "link", "image_link"} {
			if r.Data[name] == nil {
				return "The field " + name + " is missing"
			}
		}
	}
	if v, given := r.Data["availability"]; given && !slices.Contains(availabilities, text(v)) {
		return "The availability is not one of the allowed values"
	}
	return ""
}

// writeProduct does one entry of a batch.
func (w *World) writeProduct(catalog *Object, r batchRequest) {
	id := text(r.Data["id"])
	o := w.bySKU(catalog, id)
	if r.Method == "DELETE" {
		if o != nil {
			w.Delete(o)
		}
		return
	}
	if o == nil {
		o = w.Add("ProductItem", catalog, Attrs{"retailer_id": id, "product_catalog": Ref(catalog.ID), "review_status": "pending", "visibility": "published"})
		w.Link(catalog, "products", o)
	}
	for name, v := range r.Data {
		if other := batchNames[name]; other != "" {
			name = other
		}
		switch name {
		case "id":
		case "price", "sale_price":
			amount, currency, _ := minorPrice(text(v))
			o.Attrs[name], o.Attrs["currency"] = amount, currency
		case "inventory":
			n, err := strconv.ParseInt(text(v), 10, 64)
			if err == nil {
				o.Attrs[name] = n
			}
		default:
			o.Attrs[name] = v
		}
	}
}

func batchStatus(c *Call) (any, *Error) {
	o := c.World.Get(c.Param("handle"))
	if o == nil || o.Kind != "CheckBatchRequestStatus" || o.Owner != c.On.ID {
		return nil, Bad("Param handle must be a handle of this catalog")
	}
	v, err := c.List([]*Object{o})
	page, isPage := v.(*Page)
	if !isPage || err != nil {
		return v, err
	}
	row, _ := page.Data[0].(map[string]any)
	if row["status"] == "started" { // what failed is known at the end
		row["errors"], row["errors_total_count"] = []any{}, 0
		delete(row, "ids_of_invalid_requests")
	}
	if !c.Bool("load_ids_of_invalid_requests") {
		delete(row, "ids_of_invalid_requests")
	}
	return &Page{Data: page.Data}, nil
}
