package graphtool

import "sluice/internal/graphtool/tool"

var instagramShopTools = []*tool.Tool{
	{
		Name: "meta_get_instagram_available_catalogs", Title: "List catalogs for Instagram product tags", Set: "commerce.read",
		Does: "Lists the product catalogs whose products an Instagram account may tag in its posts.",
		Use:  "Before meta_search_instagram_catalog_products. All catalogs of a business are in meta_list_product_catalogs.",
		Note: "Empty when the account has no approved shop.",
		Args: []tool.Arg{igAccount()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "available_catalogs", Fields: "catalog_id,catalog_name,shop_name,product_count",
		}},
		Cases: []tool.Case{
			{
				Name: "one", Args: `{"ig_account_id":"5000000000000001"}`,
				Asks: []string{"GET /5000000000000001/available_catalogs fields=catalog_id,catalog_name,shop_name,product_count"},
				Has:  []string{"data.0.catalog_id=7000000000000001", "data.0.product_count"},
			},
			{
				Name: "permission missing", Args: `{"ig_account_id":"5000000000000001"}`, Token: mayReadInstagram,
				Error: "scope_missing", Says: []string{"instagram_shopping_tag_products"},
			},
		},
	},
	{
		Name: "meta_search_instagram_catalog_products", Title: "Search products to tag on Instagram", Set: "commerce.read",
		Does: "Searches one catalog for products that an Instagram account may tag, by part of the name or the retailer's id.",
		Use:  "To get product_id for product_tags when publishing, or for meta_tag_instagram_products. To look over a catalog use meta_list_products.",
		Note: "Only products with review_status approved show on a post.",
		Args: tool.Join([]tool.Arg{
			igAccount(),
			tool.ID("catalog_id", "ProductCatalog", "Catalog, as meta_get_instagram_available_catalogs lists it."),
			tool.Text("q", "Part of the product's name, or its retailer id.").Req().Min(1).Max(200),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "catalog_product_search",
			Fields: "product_id,merchant_id,product_name,image_url,retailer_id,review_status,is_checkout_flow",
		}},
		Cases: []tool.Case{
			{
				Name: "by name", Args: `{"ig_account_id":"5000000000000001","catalog_id":"7000000000000001","q":"mug"}`,
				Has: []string{"data.0.product_id", "data.0.review_status=approved"},
			},
			{Name: "nothing searched for", Args: `{"ig_account_id":"5000000000000001","catalog_id":"7000000000000001","q":""}`, Error: "argument_invalid"},
		},
	},
	{
		Name: "meta_get_instagram_product_tags", Title: "List product tags of an Instagram post", Set: "commerce.read",
		Does: "Lists the products tagged in one of your Instagram posts, with price, review state and place in the picture.",
		Use:  "To see what a post sells. To add or move tags use meta_tag_instagram_products.",
		Note: "x and y are from 0.0 to 1.0, from the top left corner.",
		Args: []tool.Arg{igMediaID("Post or reel.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGMedia", ID: "media_id", Edge: "product_tags",
			Fields: "product_id,merchant_id,name,price_string,image_url,review_status,is_checkout,x,y",
		}},
		Cases: []tool.Case{
			{Name: "one", Args: `{"media_id":"5100000000000004"}`, Has: []string{"data.0.product_id=7100000000000001", "data.0.x=0.4"}},
			{Name: "unknown post", Args: `{"media_id":"5100000000000999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_tag_instagram_products", Title: "Tag products in an Instagram post", Set: "commerce.write",
		Does: "Adds product tags to an Instagram post that is published already, or moves those it has.",
		Use:  "For posts that are online; meta_get_instagram_product_tags shows their tags. For new posts give product_tags to meta_publish_instagram_photo and its siblings. Product ids come from meta_search_instagram_catalog_products.",
		Note: "Tags of other products stay; a tag is removed in the app only. Shows at once. At most 5 tags on a photo, 30 on a reel, 20 in a carousel.",
		Args: []tool.Arg{
			igMediaID("Post or reel."),
			igProductTags("updated_tags", 20, "Products, with their place on photos.").Req().Min(1),
			tool.Int("child_index", "Which part of a carousel, from 0.").Min(0).Max(9),
		},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "IGMedia", ID: "media_id", Edge: "product_tags"}},
		Cases: []tool.Case{
			{
				Name: "one", Args: `{"media_id":"5100000000000001","updated_tags":[{"product_id":"7100000000000001","x":0.5,"y":0.5}]}`,
				Asks: []string{"POST /5100000000000001/product_tags"}, Has: []string{"data.success=true"},
			},
			{
				Name: "outside the picture", Args: `{"media_id":"5100000000000001","updated_tags":[{"product_id":"7100000000000001","x":3,"y":0.5}]}`,
				Error: "argument_invalid", Says: []string{"updated_tags.0.x"},
			},
			{Name: "no place on a photo", Args: `{"media_id":"5100000000000001","updated_tags":[{"product_id":"7100000000000001"}]}`, Error: "meta_refused"},
		},
	},
}
