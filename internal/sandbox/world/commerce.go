package world

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

var commerceBehaviours = map[string]Behaviour{
	"POST ProductCatalog.products":                  createProduct,
	"GET ProductCatalog.products":                   listProducts,
	"GET ProductSet.products":                       listSetProducts,
	"POST ProductItem.":                             updateProduct,
	"POST ProductCatalog.product_sets":              createProductSet,
	"POST ProductCatalog.items_batch":               writeBatch,
	"GET ProductCatalog.check_batch_request_status": batchStatus,
	"POST Business.owned_product_catalogs":          createCatalog,
	"POST ProductFeed.uploads":                      uploadFeed,
}

var commerceFields = map[string]fieldOf{
	"ProductCatalog.product_count": func(c *Call, o *Object) any { return len(c.World.Linked(o, "products")) },
	"ProductCatalog.feed_count":    func(c *Call, o *Object) any { return len(c.World.Linked(o, "product_feeds")) },
	"ProductSet.product_count":     func(c *Call, o *Object) any { return len(c.World.inSet(o)) },
	"ProductItem.price":            func(_ *Call, o *Object) any { return o.money("price") },
	"ProductItem.sale_price":       func(_ *Call, o *Object) any { return o.money("sale_price") },
	"CheckBatchRequestStatus.status": func(c *Call, o *Object) any {
		if done, _ := o.Attrs["done"].(time.Time); c.Now.Before(done) {
			return "started"
		}
		return "finished"
	},
}

// availabilities are the values that a product may have; they hold blanks, so that they
// are no enum of graphspec.
var availabilities = []string{"in stock", "out of stock", "preorder", "available for order", "discontinued", "pending", "mark_as_sold"}

// seedCommerce fills the catalog with the shop's four products, a set and a feed.
func seedCommerce(w *World) {
	catalog := w.Get(CatalogID)
	for i, p := range []struct {
		sku, name, availability string
		price, stock            int64
	}{
		{"mug-blue", "Blue mug", "in stock", 1250, 40},
		{"mug-red", "Red mug", "in stock", 1250, 12},
		{"teapot", "Teapot", "in stock", 3400, 5},
		{"tea-towel", "Tea towel", "out of stock", 800, 0},
	} {
		w.Link(catalog, "products", w.AddAs(strconv.Itoa(7100000000000001+i), "ProductItem", catalog, Attrs{
			"retailer_id": p.sku, "name": p.name, "description": p.name + ", made by hand", "price": p.price, "currency": "GBP",
			"availability": p.availability, "inventory": p.stock, "condition": "new", "brand": "Sandbox shop", "category": "Home > Kitchen",
			"image_url": "https://example.com/" + p.sku + ".png", "url": "https://example.com/" + p.sku, "visibility": "published",
			"review_status": "approved", "product_catalog": Ref(catalog.ID),
		}))
	}
	w.Link(catalog, "product_sets", w.AddAs("7200000000000001", "ProductSet", catalog, Attrs{
		"name": "In stock", "filter": `{"availability":{"eq":"in stock"}}`, "product_catalog": Ref(catalog.ID),
	}))
	upload := w.AddAs("7310000000000001", "ProductFeedUpload", catalog, Attrs{
		"start_time": w.Now().Add(-6 * time.Hour), "end_time": w.Now().Add(-6*time.Hour + 20*time.Second), "input_method": "Scheduled Fetch",
		"url": "https://example.com/feed.csv", "error_count": 0, "warning_count": 1, "num_detected_items": 4, "num_persisted_items": 4,
		"num_invalid_items": 0, "num_deleted_items": 0,
	})
	feed := w.AddAs("7300000000000001", "ProductFeed", catalog, Attrs{
		"name": "Daily feed", "default_currency": "GBP", "country": "GB", "deletion_enabled": false, "product_count": 4, "latest_upload": Ref(upload.ID),
		"schedule": map[string]any{"interval": "DAILY", "hour": 4, "minute": 0, "timezone": "Europe/London", "url": "https://example.com/feed.csv"},
	})
	w.Link(feed, "uploads", upload)
	w.Link(catalog, "product_feeds", feed)
}

// money is an amount as it is read: text with the currency.
func (o *Object) money(name string) any {
	var amount int64
	switch v := o.Attrs[name].(type) {
	case int64:
		amount = v
	case string: // as a parameter was given
		amount, _ = strconv.ParseInt(v, 10, 64)
	default:
		return nil
	}
	return graphspec.FormatMinor(amount, o.Str("currency"))
}

// bySKU finds a product of a catalog by the shop's own id.
func (w *World) bySKU(catalog *Object, sku string) *Object {
	for _, o := range w.Linked(catalog, "products") {
		if o.Str("retailer_id") == sku {
			return o
		}
	}
	return nil
}

func (c *Call) checkProduct() *Error {
	if a := c.Param("availability"); a != "" && !slices.Contains(availabilities, a) {
		return Bad("Param availability must be one of {" + strings.Join(availabilities, ", ") + "}")
	}
	for _, name := range []string{"price", "sale_price"} {
		if n, err := c.Int(name, 0); err != nil || n < 0 {
			return Bad("Param " + name + " must be an integer, in the smallest unit of the currency")
		}
	}
	if code := c.Param("currency"); code != "" && !graphspec.IsCurrency(code) {
		return Bad("Param currency must be a valid currency")
	}
	return nil
}

func createProduct(c *Call) (any, *Error) {
	if err := c.checkProduct(); err != nil {
		return nil, err
	}
	if old := c.World.bySKU(c.On, c.Param("retailer_id")); old != nil {
		if !c.Bool("allow_upsert") {
			return nil, Fail("product_exists")
		}
		given, err := c.Given("ProductItem")
		if err != nil {
			return nil, err
		}
		for name, v := range given {
			old.Attrs[name] = v
		}
		return ID(old), nil
	}
	o, answer, err := c.Create()
	if o != nil {
		o.Attrs["product_catalog"], o.Attrs["review_status"] = Ref(c.On.ID), "pending"
		c.World.At(c.Now.Add(time.Hour), func(w *World) {
			if o := w.Get(o.ID); o != nil {
				o.Attrs["review_status"] = "approved"
			}
		})
	}
	return answer, err
}

func updateProduct(c *Call) (any, *Error) {
	if err := c.checkProduct(); err != nil {
		return nil, err
	}
	return c.Update()
}

func createCatalog(c *Call) (any, *Error) {
	o, answer, err := c.Create()
	if o != nil {
		o.Attrs["business"] = Ref(c.On.ID)
		if o.Str("vertical") == "" {
			o.Attrs["vertical"] = "commerce"
		}
	}
	return answer, err
}

func createProductSet(c *Call) (any, *Error) {
	if c.Has("filter") {
		if _, err := readFilter(c.Param("filter")); err != nil {
			return nil, err
		}
	}
	return c.Generic()
}

// uploadFeed fetches a feed at once: done after a moment, with what is in the catalog.
func uploadFeed(c *Call) (any, *Error) {
	o, answer, err := c.Create()
	if o != nil {
		n := len(c.World.Linked(c.World.Get(c.On.Owner), "products"))
		o.Attrs["start_time"], o.Attrs["input_method"] = c.Now, "Manual Upload"
		o.Attrs["error_count"], o.Attrs["num_detected_items"], o.Attrs["num_persisted_items"] = 0, n, n
		c.On.Attrs["latest_upload"] = Ref(o.ID)
		c.World.At(c.Now.Add(20*time.Second), func(w *World) {
			if o := w.Get(o.ID); o != nil {
				o.Attrs["end_time"] = w.Now()
			}
		})
	}
	return answer, err
}

func listProducts(c *Call) (any, *Error) { return c.matching(c.World.Linked(c.On, "products")) }

func listSetProducts(c *Call) (any, *Error) { return c.matching(c.World.inSet(c.On)) }

// matching lists the products that the call's filter lets through.
func (c *Call) matching(list []*Object) (any, *Error) {
	if c.Has("filter") {
		f, err := readFilter(c.Param("filter"))
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(o *Object) bool { return !f.holds(o) })
	}
	return c.List(list)
}

// inSet are the products of a set, by its filter.
func (w *World) inSet(set *Object) []*Object {
	list := w.Linked(w.Get(set.Owner), "products")
	if text := text(set.Attrs["filter"]); text != "" {
		if f, err := readFilter(text); err == nil {
			list = slices.DeleteFunc(list, func(o *Object) bool { return !f.holds(o) })
		}
	}
	return list
}
