package graphspec

// ErrorRows is the catalogue of failures.
var ErrorRows = []ErrorRow{
	{
		Name: "parameter", HTTP: 400, Code: 100, Type: "OAuthException", Message: "(#100) {what}",
		Class: ClassInput, Advice: "Correct the argument that is named; the same call will fail again.", Evidence: Documented,
	},
	{
		Name: "no_object", HTTP: 400, Code: 100, Subcode: 33, Type: "GraphMethodException",
		Message: "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation",
		Class:   ClassInput, Advice: "Check the id, and that the token has access to the object (meta_debug_token).", Evidence: Documented,
	},
}
