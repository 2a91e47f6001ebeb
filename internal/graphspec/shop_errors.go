package graphspec

// shopErrors are refusals around datasets, audiences and catalogs.
var shopErrors = []ErrorRow{
	{
		Name: "pixel_exists", HTTP: 400, Code: 6200, Type: "OAuthException", Message: "(#6200) A pixel already exists for this account",
		Class: ClassDuplicate, Advice: "List the account's datasets (meta_list_pixels) and use the one there is.", Evidence: Documented,
	},
	{
		Name: "pixels_several", HTTP: 400, Code: 6202, Type: "OAuthException", Message: "(#6202) More than one pixel exist for this account",
		Class: ClassDuplicate, Advice: "List the account's datasets (meta_list_pixels) and use one of them.", Evidence: Documented,
	},
	{
		Name: "dataset_unknown", HTTP: 400, Code: 100, Subcode: 2044055, Type: "OAuthException", Message: "Invalid parameter",
		Class: ClassInput, Advice: "Check the dataset's id, and that the token's user may use its events.", Evidence: Documented,
	},
	{
		Name: "product_exists", HTTP: 400, Code: 10800, Type: "OAuthException",
		Message: "(#10800) Duplicate retailer_id when attempting to create a product item",
		Class:   ClassDuplicate, Advice: "Change the product there is (meta_update_product), or choose another retailer_id.", Evidence: Known,
	},
}
