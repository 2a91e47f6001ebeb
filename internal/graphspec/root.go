package graphspec

import "slices"

var rootNodes = []*Node{
	// What belongs to no object. Each part of the platform keeps its edges beside its nodes.
	{Name: Root, ID: NoID, Evidence: Specified, Edges: slices.Concat(instagramRoot, threadsRoot)},
}
