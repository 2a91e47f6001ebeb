package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// Catalogs and products. Writing many at once, and feeds, are in commerce_batch.go.

var commerceTools = slices.Concat(catalogTools, productTools, catalogBatchTools)

const (
	catalogFields = "id,name,product_count,vertical,business{id,name}"
	productFields = "id,retailer_id,name,description,price,currency,availability,image_url,url,brand,category"
	productAll    = productFields + ",sale_price,condition,inventory,visibility,review_status,product_type,gtin,color,size,errors{title,description,error_type,error_priority}"
	minorPrice    = "In the currency's minor unit: 1999 is 19.99 GBP, and 1999 JPY."
)

func catalog(doc string) tool.Arg { return tool.ID("catalog_id", "ProductCatalog", doc) }

func product(doc string) tool.Arg { return tool.ID("product_id", "ProductItem", doc) }

// availability has blanks in its values, as Meta writes them.
func availability() tool.Arg {
	return tool.Arg{
		Name: "availability", Kind: tool.StringKind, Doc: "Whether it can be bought.",
		Enum: []string{"in stock", "out of stock", "preorder", "available for order", "discontinued", "pending", "mark_as_sold"},
	}
}

// moreOfProduct are the members that creating and changing share.
func moreOfProduct() []tool.Arg {
	return []tool.Arg{
		tool.Text("brand", "Brand.").Max(100), tool.Text("category", "Category, your own or Google's.").Max(250),
		tool.Int("sale_price", "Reduced price. "+minorPrice).Min(0),
		tool.Int("inventory", "Pieces in stock.").Min(0),
		tool.Enum("condition", "new refurbished used used_like_new used_good used_fair open_box_new cpo", "Condition."),
		tool.List("additional_image_urls", tool.URL("", ""), "Further pictures.").Max(20),
		tool.Text("gtin", "Barcode number.").Max(70), tool.Text("color", "Colour.").Max(200), tool.Text("size", "Size.").Max(200),
		tool.Enum("visibility", "published staging", "Whether it may be shown."),
	}
}

var catalogTools = []*tool.Tool{
	{
		Name: "meta_list_product_catalogs", Title: "List product catalogs", Set: "commerce.read",
		Does: "Lists the product catalogs that a business owns.",
		Use:  "To find the catalog for products and feeds. Catalogs that clients share: meta_list_business_assets with client_product_catalogs.",
		Args: tool.Join([]tool.Arg{business("Business.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Business", ID: "business_id", Edge: "owned_product_catalogs", Fields: catalogFields}},
		Out:   tool.Out{Columns: []string{"id", "name", "vertical", "product_count"}},
		Cases: []tool.Case{
			{
				Name: "the sandbox's", Args: `{"business_id":"2000000000000001"}`, Asks: []string{"GET /2000000000000001/owned_product_catalogs limit=25"},
				Has: []string{"data.0.id=7000000000000001", "data.0.product_count=4"},
			},
			{Name: "limit of 0", Args: `{"business_id":"2000000000000001","limit":0}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_product_catalog", Title: "Read a product catalog", Set: "commerce.read",
		Does: "Reads one product catalog: its kind, number of products and feeds, and its shop settings.",
		Use:  "For the products themselves use meta_list_products.",
		Args: []tool.Arg{catalog("Catalog.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "ProductCatalog", ID: "catalog_id",
			Fields: catalogFields + ",feed_count,store_catalog_settings,default_image_url",
		}},
		Out: tool.Out{Heading: "{name}"},
		Cases: []tool.Case{
			{
				Name: "the sandbox's", Args: `{"catalog_id":"7000000000000001"}`, Asks: []string{"GET /7000000000000001"},
				Has: []string{"data.name=Sandbox catalog", "data.product_count=4", "data.feed_count=1", "data.business.id=2000000000000001"},
			},
			{Name: "unknown catalog", Args: `{"catalog_id":"7999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_list_product_sets", Title: "List product sets", Set: "commerce.read",
		Does: "Lists the product sets of a catalog with their filters and sizes.",
		Use:  "To find the product_set_id of a catalog ad. Its products: meta_list_products with product_set_id.",
		Args: tool.Join([]tool.Arg{catalog("Catalog.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ProductCatalog", ID: "catalog_id", Edge: "product_sets", Fields: "id,name,filter,product_count,retailer_id"}},
		Out:   tool.Out{Columns: []string{"id", "name", "product_count", "filter"}},
		Cases: []tool.Case{
			{
				Name: "the sample", Args: `{"catalog_id":"7000000000000001"}`, Asks: []string{"GET /7000000000000001/product_sets"},
				Has: []string{"data.0.name=In stock", "data.0.product_count=3"},
			},
			{Name: "id with a query", Args: `{"catalog_id":"7000000000000001?fields=x"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

var productTools = []*tool.Tool{
	{
		Name: "meta_list_products", Title: "List products", Set: "commerce.read",
		Does: "Lists or filters the products of a catalog or of one product set.",
		Use:  "For one product in full use meta_get_product.",
		Note: `Prices come as text with currency, e.g. "19.99 GBP". filter takes operators, {"availability":{"eq":"in stock"}}, joined by {"and":[…]}; a plain value means eq.`,
		Args: tool.Join([]tool.Arg{
			catalog("Catalog."), tool.ID("product_set_id", "ProductSet", "Only products of this set.").Opt(),
			tool.Object("filter", `Which products: {"retailer_id":{"i_contains":"mug"}}. Operators eq, neq, lt, lte, gt, gte, contains, i_contains, is_any.`),
		}, tool.Page(100)),
		Check: operators, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{Verb: "GET", On: "ProductSet", ID: "product_set_id", Edge: "products", When: "product_set_id", Fields: productFields, Takes: []string{"limit", "after", "filter"}},
			{Verb: "GET", On: "ProductCatalog", ID: "catalog_id", Edge: "products", When: "!product_set_id", Fields: productFields, Takes: []string{"limit", "after", "filter"}},
		},
		Out: tool.Out{Columns: []string{"id", "retailer_id", "name", "price", "availability"}},
		Cases: []tool.Case{
			{
				Name: "all", Args: `{"catalog_id":"7000000000000001"}`, Asks: []string{"GET /7000000000000001/products limit=25"},
				Has: []string{"data.length=4", "data.0.price"}, Shows: []string{"Blue mug"},
			},
			{
				Name: "plain filter", Args: `{"catalog_id":"7000000000000001","filter":{"availability":"out of stock"}}`,
				Asks: []string{"GET /7000000000000001/products `filter={\"availability\":{\"eq\":\"out of stock\"}}`"}, Has: []string{"data.length=1", "data.0.availability=out of stock"},
			},
			{
				Name: "of a set", Args: `{"catalog_id":"7000000000000001","product_set_id":"7200000000000001"}`, Asks: []string{"GET /7200000000000001/products"},
				Has: []string{"data.length=3"},
			},
			{Name: "filter is no object", Args: `{"catalog_id":"7000000000000001","filter":"mug"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_product", Title: "Read a product", Set: "commerce.read",
		Does: "Reads one product of a catalog in full, with review state and errors.",
		Use:  "To find the id use meta_list_products with a filter on retailer_id.",
		Note: "Prices come as text with currency.",
		Args: []tool.Arg{product("Meta's id of the product, not yours.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ProductItem", ID: "product_id", Fields: productAll}},
		Out:   tool.Out{Heading: "{name}"},
		Cases: []tool.Case{
			{
				Name: "the mug", Args: `{"product_id":"7100000000000001"}`, Asks: []string{"GET /7100000000000001"},
				Has: []string{"data.name=Blue mug", "data.price=12.50 GBP", "data.currency=GBP", "data.inventory=40"},
			},
			{Name: "unknown product", Args: `{"product_id":"7199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_product", Title: "Create a product", Set: "commerce.write",
		Does: "Adds one product to a catalog.",
		Use:  "For more than a few use meta_batch_products. A product with the same retailer_id is refused: change it with meta_update_product.",
		Note: "price is in minor units here, and text in meta_batch_products. It can be shown in ads and shops once Meta has reviewed it.",
		Args: tool.Join([]tool.Arg{
			catalog("Catalog."), tool.Text("retailer_id", "Your id (SKU), once per catalog.").Req().Min(1).Max(100),
			tool.Text("name", "Title.").Req().Min(1).Max(200), tool.Text("description", "Description.").Req().Min(1).Max(9999),
			tool.Int("price", "Price. "+minorPrice).Req().Min(0), tool.Text("currency", "Currency of the prices: give your shop's.").Like(tool.CurrencyFormat).Is("USD"),
			availability().Req(), tool.URL("image_url", "Main picture, public.").Req(), tool.URL("url", "Page of the product.").Req(),
			tool.Text("retailer_product_group_id", "Your id of the product that this is a variant of.").Max(100),
		}, moreOfProduct()),
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "ProductCatalog", ID: "catalog_id", Edge: "products", Fixed: map[string]string{"allow_upsert": "false"}}},
		Cases: []tool.Case{
			{
				Name: "a bowl", Args: `{"catalog_id":"7000000000000001","retailer_id":"bowl-1","name":"Bowl","description":"A bowl","price":1999,"currency":"GBP","availability":"in stock","image_url":"https://example.com/bowl.png","url":"https://example.com/bowl"}`,
				Asks: []string{"POST /7000000000000001/products retailer_id=bowl-1 price=1999 currency=GBP `availability=in stock`"}, Has: []string{"data.id"},
			},
			{
				Name: "same retailer_id", Args: `{"catalog_id":"7000000000000001","retailer_id":"mug-blue","name":"Mug","description":"A mug","price":1999,"currency":"GBP","availability":"in stock","image_url":"https://example.com/m.png","url":"https://example.com/m"}`,
				Error: "done_already",
			},
			{
				Name: "price with a fraction", Args: `{"catalog_id":"7000000000000001","retailer_id":"b","name":"B","description":"B","price":19.99,"currency":"GBP","availability":"in stock","image_url":"https://example.com/m.png","url":"https://example.com/m"}`,
				Error: "argument_invalid", Says: []string{"price"}, Asks: []string{},
			},
			{
				Name: "unknown currency", Args: `{"catalog_id":"7000000000000001","retailer_id":"b","name":"B","description":"B","price":1,"currency":"XYZ","availability":"in stock","image_url":"https://example.com/m.png","url":"https://example.com/m"}`,
				Error: "argument_invalid", Says: []string{"currency"}, Asks: []string{},
			},
		},
	},
	{
		Name: "meta_update_product", Title: "Change a product", Set: "commerce.write",
		Does: "Changes one product of a catalog; only what is given changes.",
		Use:  "For prices or stock of many use meta_batch_products. A feed that carries the product will set it back.",
		Note: "Prices are in minor units here.",
		Args: tool.Join([]tool.Arg{
			product("Meta's id of the product."), tool.Text("name", "Title.").Min(1).Max(200), tool.Text("description", "Description.").Min(1).Max(9999),
			tool.Int("price", "Price. "+minorPrice).Min(0), tool.Text("currency", "Currency of the prices.").Like(tool.CurrencyFormat),
			availability(), tool.URL("image_url", "Main picture, public."), tool.URL("url", "Page of the product."),
		}, moreOfProduct()),
		AnyOf: []string{"name description price currency availability image_url url brand category sale_price inventory condition " +
			"additional_image_urls gtin color size visibility"},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "ProductItem", ID: "product_id"}},
		Cases: []tool.Case{
			{
				Name: "price and stock", Args: `{"product_id":"7100000000000001","price":1150,"availability":"out of stock"}`,
				Asks: []string{"POST /7100000000000001 price=1150 `availability=out of stock`"}, Has: []string{"data.success=true"},
			},
			{Name: "nothing to change", Args: `{"product_id":"7100000000000001"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "unknown availability", Args: `{"product_id":"7100000000000001","availability":"sold"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_product", Title: "Delete a product", Set: "commerce.write",
		Does: "Deletes one product from its catalog.",
		Use:  "To hide it for a while set availability with meta_update_product. A feed that carries it creates it again.",
		Note: "Ads and shop pages that show it lose it.",
		Args: []tool.Arg{product("Meta's id of the product.")}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "ProductItem", ID: "product_id"}},
		Cases: []tool.Case{
			{Name: "a campaign", Args: `{"product_id":"3100000000000001"}`, Asks: []string{"GET /3100000000000001"}, Error: "object_not_found", Says: []string{"is no ProductItem"}},
			{Name: "delete", Args: `{"product_id":"7100000000000002"}`, Asks: []string{"GET /7100000000000002", "DELETE /7100000000000002"}, Has: []string{"data.success=true"}},
			{
				Name: "twice", Before: []tool.Prior{{Tool: "meta_delete_product", Args: `{"product_id":"7100000000000002"}`}},
				Args: `{"product_id":"7100000000000002"}`, Error: "object_not_found",
			},
		},
	},
}

// operators turns plain values of a filter into {"eq": value}, which Meta wants.
func operators(e *tool.Env) error {
	filter := map[string]any{}
	for name, v := range e.Args.Map("filter") {
		switch v.(type) {
		case map[string]any, []any:
			filter[name] = v
		default:
			filter[name] = map[string]any{"eq": v}
		}
	}
	if len(filter) > 0 {
		e.Args["filter"] = filter
	}
	return nil
}
