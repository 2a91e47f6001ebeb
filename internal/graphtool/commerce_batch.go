package graphtool

import (
	"strconv"

	"sluice/internal/graphtool/tool"
)

// Writing many products at once, and data feeds.

var catalogBatchTools = []*tool.Tool{
	{
		Name: "meta_batch_products", Title: "Write many products", Set: "commerce.write",
		Does: "Creates, changes and deletes up to 5000 products of a catalog in one call.",
		Use:  "For more than a few products. It answers handles; what became of them tells meta_get_product_batch.",
		Note: `Here prices are text with currency ("19.99 GBP"), ids are your own (retailer ids), and links are link and image_link, as in a feed. Meta does the work later, in seconds to minutes.`,
		Args: []tool.Arg{
			catalog("Catalog."),
			tool.List("requests", tool.Object("", "One product.",
				tool.Enum("method", "CREATE UPDATE DELETE", "What to do.").Req(),
				tool.Object("data", `The product: {"id":"mug-blue","title":"Blue mug","price":"12.50 GBP","availability":"in stock","link":"https://…","image_link":"https://…"}. To delete, the id alone.`).Req(),
			), "Products.").Req().Min(1).Max(5000),
			tool.Bool("allow_upsert", "Whether UPDATE creates what doesn't exist.").Is(true),
		},
		Check:    batchIDs,
		Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "ProductCatalog", ID: "catalog_id", Edge: "items_batch", Fixed: map[string]string{"item_type": "PRODUCT_ITEM"}}},
		Cases: []tool.Case{
			{
				Name: "one of each", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"CREATE","data":{"id":"cup-1","title":"Cup","price":"9.99 GBP","availability":"in stock","link":"https://example.com/cup","image_link":"https://example.com/cup.png"}},{"method":"UPDATE","data":{"id":"mug-blue","price":"11.00 GBP"}},{"method":"DELETE","data":{"id":"mug-red"}}]}`,
				Asks: []string{"POST /7000000000000001/items_batch item_type=PRODUCT_ITEM allow_upsert=true"}, Has: []string{"data.handles.0"},
			},
			{
				Name: "one that Meta can't take", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"UPDATE","data":{"id":"mug-blue","price":"free"}}]}`,
				Has: []string{"data.handles.0", "data.validation_status.0.errors.0.message"},
			},
			{Name: "without an id", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"DELETE","data":{"retailer_id":"mug-red"}}]}`, Error: "argument_invalid", Says: []string{"requests.0.data.id"}, Asks: []string{}},
			{Name: "the same product twice", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"UPDATE","data":{"id":"mug-red","price":"1.00 GBP"}},{"method":"DELETE","data":{"id":"mug-red"}}]}`, Error: "argument_invalid", Says: []string{"requests.1.data.id"}, Asks: []string{}},
			{Name: "unknown method", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"REMOVE","data":{"id":"x"}}]}`, Error: "argument_invalid", Says: []string{"requests.0.method"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_product_batch", Title: "Read the state of a product batch", Set: "commerce.read",
		Does: "Tells how far Meta is with a batch of meta_batch_products, and which products it refused.",
		Use:  "Repeat until status is finished. For errors of feeds use meta_list_product_feeds.",
		Args: []tool.Arg{
			catalog("Catalog."), tool.Text("handle", "Handle that meta_batch_products answered.").Req().Min(1).Max(500),
			tool.Bool("load_ids_of_invalid_requests", "Whether to name the refused products.").Is(true),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ProductCatalog", ID: "catalog_id", Edge: "check_batch_request_status"}},
		Out:   tool.Out{List: new(bool), Heading: "Batch of catalog {catalog_id}"},
		Cases: []tool.Case{
			{
				Name: "just begun", Before: []tool.Prior{{
					Tool: "meta_batch_products", Args: `{"catalog_id":"7000000000000001","requests":[{"method":"UPDATE","data":{"id":"mug-blue","price":"free"}}]}`, Save: "handle=handles.0",
				}},
				Args: `{"catalog_id":"7000000000000001","handle":"${handle}"}`,
				Asks: []string{"GET /7000000000000001/check_batch_request_status handle=${handle}"}, Has: []string{"data.status=started", "data.handle=${handle}"},
			},
			{Name: "unknown handle", Args: `{"catalog_id":"7000000000000001","handle":"none"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_list_product_feeds", Title: "List product feeds", Set: "commerce.read",
		Does: "Lists the data feeds of a catalog with their schedule and the result of the last upload.",
		Use:  "To see whether a feed runs and how many products it refused. Make one with meta_create_product_feed.",
		Args: tool.Join([]tool.Arg{catalog("Catalog.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "ProductCatalog", ID: "catalog_id", Edge: "product_feeds",
			Fields: "id,name,created_time,product_count,latest_upload{id,start_time,end_time,error_count,warning_count,num_detected_items,num_persisted_items,num_invalid_items},schedule{interval,hour,minute,timezone,url}",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "product_count", "schedule", "latest_upload"}},
		Cases: []tool.Case{
			{
				Name: "the sample", Args: `{"catalog_id":"7000000000000001"}`, Asks: []string{"GET /7000000000000001/product_feeds"},
				Has: []string{"data.0.name=Daily feed", "data.0.schedule.interval=DAILY", "data.0.latest_upload.num_persisted_items=4"},
			},
			{Name: "unknown catalog", Args: `{"catalog_id":"7999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_product_feed", Title: "Create a product feed", Set: "commerce.write",
		Does: "Registers a data feed that Meta fetches on a schedule and that sets the products of a catalog.",
		Use:  "For a shop that publishes its products as a file. For single changes use meta_batch_products.",
		Note: "Products that are missing in the file are deleted from the catalog, unless deletion_enabled is false.",
		Args: []tool.Arg{
			catalog("Catalog."), tool.Text("name", "Name.").Req().Min(1).Max(200),
			tool.URL("schedule_url", "Address of the file (CSV, TSV, XML), public.").Req().To("schedule.url"),
			tool.Enum("schedule_interval", choices("FeedInterval"), "How often Meta fetches it.").Req().To("schedule.interval"),
			tool.Int("schedule_hour", "Hour of the day, 0 to 23, unless hourly.").Min(0).Max(23).To("schedule.hour"),
			tool.Int("schedule_minute", "Minute, 0 to 59.").Min(0).Max(59).To("schedule.minute"),
			tool.Text("schedule_timezone", "Time zone of the hour, e.g. Europe/London.").Max(60).To("schedule.timezone"),
			tool.Text("default_currency", "Currency of prices without one.").Like(tool.CurrencyFormat),
			tool.Bool("deletion_enabled", "Whether products that are missing in the file are deleted."),
		},
		Rules:    []tool.Rule{tool.Needs("schedule_minute", "schedule_hour"), tool.Needs("schedule_timezone", "schedule_hour")},
		Category: tool.Write, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "ProductCatalog", ID: "catalog_id", Edge: "product_feeds"}},
		Cases: []tool.Case{
			{
				Name: "daily", Args: `{"catalog_id":"7000000000000001","name":"Shop","schedule_url":"https://example.com/feed.csv","schedule_interval":"DAILY","schedule_hour":4}`,
				Asks: []string{`POST /7000000000000001/product_feeds name=Shop schedule={"hour":4,"interval":"DAILY","url":"https://example.com/feed.csv"}`}, Has: []string{"data.id"},
			},
			{Name: "address without https", Args: `{"catalog_id":"7000000000000001","name":"Shop","schedule_url":"ftp://example.com/feed.csv","schedule_interval":"DAILY"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

// batchIDs refuses requests that name no product, and two for one product: in which
// order Meta does them is not said.
func batchIDs(e *tool.Env) error {
	seen := map[string]bool{}
	for i, item := range e.Args.List("requests") {
		m, _ := item.(map[string]any)
		data, _ := m["data"].(map[string]any)
		id, at := text(data, "id"), "requests."+strconv.Itoa(i)+".data.id"
		switch {
		case id == "":
			return tool.Bad(at, "it is missing", "give your own id of the product (SKU) as data.id")
		case seen[id]:
			return tool.Bad(at, "an earlier request is about the same product", "send one request for each product, and the other in a later call")
		}
		seen[id] = true
	}
	return nil
}
