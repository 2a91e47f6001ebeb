package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// Businesses: what they own, and who works there. Lead forms are in leads.go.

var businessTools = slices.Concat(assetTools, leadTools)

func business(doc string) tool.Arg { return tool.ID("business_id", "Business", doc) }

// asset is the step that lists one kind of asset.
func asset(edge, fields string) tool.Step {
	return tool.Step{
		Verb: "GET", On: "Business", ID: "business_id", Edge: edge, When: "asset_type=" + edge, Fields: fields, Takes: []string{"limit", "after"},
	}
}

const (
	pageAssetFields      = "id,name,category,fan_count"
	accountAssetFields   = "id,name,account_status,currency"
	instagramAssetFields = "id,username,name,followers_count"
	pixelAssetFields     = "id,name,creation_time"
	catalogAssetFields   = "id,name,vertical,product_count"
)

var assetTools = []*tool.Tool{
	{
		Name: "meta_list_business_assets", Title: "List assets of a business", Set: "business.read",
		Does: "Lists Pages, ad accounts, Instagram accounts, datasets or catalogs that a business owns, or that clients share with it.",
		Use:  "To find ids for other tools. For people use meta_list_business_users; the datasets' state is in meta_list_datasets.",
		Note: "owned_… belong to the business, client_… are shared with it.",
		Args: tool.Join([]tool.Arg{
			business("Business."),
			tool.Enum("asset_type", "owned_pages owned_ad_accounts owned_instagram_accounts owned_pixels owned_product_catalogs "+
				"client_pages client_ad_accounts client_pixels client_product_catalogs", "Kind of asset.").Req().Local(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			asset("owned_pages", pageAssetFields), asset("client_pages", pageAssetFields),
			asset("owned_ad_accounts", accountAssetFields), asset("client_ad_accounts", accountAssetFields),
			asset("owned_instagram_accounts", instagramAssetFields),
			asset("owned_product_catalogs", catalogAssetFields), asset("client_product_catalogs", catalogAssetFields),
			asset("client_pixels", pixelAssetFields), asset("owned_pixels", pixelAssetFields),
		},
		Out: tool.Out{
			Heading: "{asset_type} of business {business_id}",
			Members: "category fan_count:int account_status:int currency username followers_count:int vertical product_count:int",
		},
		Cases: []tool.Case{
			{
				Name: "pages", Args: `{"business_id":"2000000000000001","asset_type":"owned_pages"}`, Asks: []string{"GET /2000000000000001/owned_pages limit=25"},
				Has: []string{"data.0.id=4000000000000001", "data.0.name=Sandbox shop"},
			},
			{
				Name: "ad accounts of clients", Args: `{"business_id":"2000000000000001","asset_type":"client_ad_accounts"}`,
				Asks: []string{"GET /2000000000000001/client_ad_accounts"}, Has: []string{"data", "has_more=false"},
			},
			{
				Name: "datasets", Args: `{"business_id":"2000000000000001","asset_type":"owned_pixels","limit":1}`,
				Asks: []string{"GET /2000000000000001/owned_pixels limit=1"}, Has: []string{"has_more=true", "next_cursor"},
			},
			{Name: "an edge of another kind", Args: `{"business_id":"2000000000000001","asset_type":"system_users"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_list_business_users", Title: "List people of a business", Set: "business.read",
		Does: "Lists the people who work in a business, with their roles.",
		Use:  "To see who has access. Machine users are in meta_list_system_users; the business's own things in meta_list_business_assets.",
		Note: "Names and addresses are personal data of colleagues.",
		Args: tool.Join([]tool.Arg{business("Business.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Business", ID: "business_id", Edge: "business_users", Fields: "id,name,role,title,two_fac_status"}},
		Out:   tool.Out{Columns: []string{"id", "name", "role", "two_fac_status"}},
		Cases: []tool.Case{
			{
				Name: "two people", Args: `{"business_id":"2000000000000001"}`, Asks: []string{"GET /2000000000000001/business_users"},
				Has: []string{"data.0.role=EMPLOYEE", "data.1.role=ADMIN", "untrusted_fields"},
			},
			{Name: "missing permission", Args: `{"business_id":"2000000000000001"}`, Token: "only:pages_show_list", Error: "scope_missing"},
		},
	},
	{
		Name: "meta_list_system_users", Title: "List system users of a business", Set: "business.read",
		Does: "Lists the system users (machine accounts) of a business.",
		Use:  "To see which machine account a token may belong to. People are in meta_list_business_users.",
		Args: tool.Join([]tool.Arg{business("Business.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Business", ID: "business_id", Edge: "system_users", Fields: "id,name,created_time"}},
		Cases: []tool.Case{
			{
				Name: "the sandbox's", Args: `{"business_id":"2000000000000001"}`, Asks: []string{"GET /2000000000000001/system_users"},
				Has: []string{"data.0.name=Sandbox integration"},
			},
			{Name: "unknown business", Args: `{"business_id":"2999999999999999"}`, Error: "object_not_found"},
		},
	},
}
