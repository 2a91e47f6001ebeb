package graphspec

var coreNodes = []*Node{
	{
		Name: "Application", ID: Digits, Evidence: Specified,
		Fields: "id* name* link:url namespace category",
		Read:   &Op{Evidence: Specified},
		Edges: []Edge{{
			Name: "uploads",
			Post: &Op{
				Params: "file_name file_length:int! file_type!", Answer: "id:id", Evidence: Documented,
				Note: "Opens a resumable upload; the answer's id is posted to with the bytes.",
			},
		}},
	},
	{
		Name: "UploadSession", ID: Opaque, Evidence: Documented,
		Fields: "id* file_offset*:int",
		Read:   &Op{Evidence: Documented, Note: "Says where to go on after a break."},
		Update: &Op{Answer: "h", Evidence: Documented, Note: "The bytes are the body, the header file_offset says where they belong."},
	},
}

// userEdges are what a person or system user works for.
var userEdges = []Edge{
	{
		Name: "accounts",
		Get: &Op{
			Params: "is_place:bool is_promotable:bool", Returns: "Page", Scopes: "pages_show_list", Token: UserToken, Evidence: Documented,
			Note: "The Pages that the token's user works for.",
		},
	},
	{
		Name: "businesses",
		Get:  &Op{Returns: "Business", Scopes: "business_management", Token: UserToken, Evidence: Specified},
	},
}

// callErrors are refusals that every part of the API has in common and that
// errorrows_core.go does not list: tokens and uploads. Subcodes from 9990101 are ours.
var callErrors = []ErrorRow{
	{
		Name: "page_token_needed", HTTP: 400, Code: 210, Type: "OAuthException",
		Message: "(#210) A page access token is required to request this resource.",
		Class:   ClassPermission, Advice: "Use the token of the Page that the object belongs to.", Evidence: Known,
	},
	{
		Name: "app_token_needed", HTTP: 400, Code: 15, Type: "OAuthException",
		Message: "(#15) This method must be called with an app access_token.",
		Class:   ClassPermission, Advice: "Configure app id and app secret.", Evidence: Known,
	},
	{
		Name: "not_this_page", HTTP: 403, Code: 200, Subcode: 9990101, Type: "OAuthException",
		Message: "(#200) The access token is of another Page",
		Class:   ClassPermission, Advice: "Use the token of the Page that the object belongs to.", Evidence: Chosen,
	},
	{
		Name: "token_foreign", HTTP: 401, Code: 190, Type: "OAuthException",
		Message: "Invalid OAuth access token - Cannot parse access token",
		Class:   ClassAuth, Advice: "Threads takes its own tokens, and they serve for nothing else.", Evidence: Known,
	},
	{
		Name: "permission_missing", HTTP: 403, Code: 200, Type: "OAuthException",
		Message: "(#200) Requires {scope} permission to manage the object",
		Class:   ClassPermission, Advice: "Make a new token that has the permission.", Evidence: Known,
	},
	{
		Name: "permission_to_read", HTTP: 403, Code: 10, Type: "OAuthException",
		Message: "(#10) This endpoint requires the '{scope}' permission",
		Class:   ClassPermission, Advice: "Make a new token that has the permission.", Evidence: Known,
	},
	{
		Name: "upload_offset", HTTP: 400, Code: 100, Subcode: 9990102, Type: "OAuthException",
		Message: "(#100) The file_offset does not match: the upload has {have} bytes",
		Class:   ClassInput, Advice: "Ask for the file_offset of the session and go on from there.", Evidence: Chosen,
	},
}
