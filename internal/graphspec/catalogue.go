package graphspec

// nodes lists the records of every part of the API. Each part has a file of its own.
func nodes() [][]*Node {
	return [][]*Node{
		rootNodes, pageNodes, messagingNodes, instagramNodes, threadsNodes,
		adNodes, creativeNodes, audienceNodes, datasetNodes, businessNodes,
		insightNodes, commerceNodes,
	}
}

// enums lists the enumerations of every part: name to values separated by blanks.
func enums() []map[string]string {
	return []map[string]string{
		pageEnums, messagingEnums, instagramEnums, threadsEnums,
		adEnums, creativeEnums, audienceEnums, datasetEnums, businessEnums,
		insightEnums, commerceEnums,
	}
}

// Success is the answer of most writes that create nothing.
const Success = "success:bool"
