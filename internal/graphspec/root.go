package graphspec

import "slices"

var rootNodes = []*Node{
	// What belongs to no object. Each part of the platform keeps its edges beside its nodes.
	{
		Name: Root, ID: NoID, Evidence: Specified,
		Update: &Op{Params: "batch:json! include_headers:bool", Evidence: Documented, Note: "A batch of up to 50 calls; the answer is a list in their order."},
		Edges:  slices.Concat(instagramRoot, threadsRoot),
	},
}
