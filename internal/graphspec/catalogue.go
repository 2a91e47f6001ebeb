package graphspec

// nodes lists the records of every part of the API. Each part has a file of its own.
func nodes() [][]*Node {
	return [][]*Node{
		coreNodes, rootNodes, pageNodes, messagingNodes, instagramNodes, threadsNodes,
		adNodes, creativeNodes, audienceNodes, targetingNodes, datasetNodes, businessNodes,
		insightNodes, utilityNodes, commerceNodes,
	}
}

// edgesElsewhere lists edges whose part is not that of their node: the audiences of an
// ad account stand beside the audiences.
func edgesElsewhere() map[string][][]Edge {
	return map[string][][]Edge{
		"PagePost":  {postInsightEdges},
		"Campaign":  {insightEdges},
		Root:        {targetingRootEdges, datasetRootEdges, utilityRootEdges},
		"AdAccount": {audienceEdges, targetingAccountEdges, datasetAccountEdges, insightEdges},
		"AdSet":     {targetingAdSetEdges, insightEdges},
		"Ad":        {leadAdEdges, insightEdges},
		"Page":      {leadPageEdges, pageInsightEdges},
		"Business":  {adStudyEdges},
		"User":      {userEdges, adUserEdges},
	}
}

// enums lists the enumerations of every part: name to values separated by blanks.
func enums() []map[string]string {
	return []map[string]string{
		pageEnums, messagingEnums, instagramEnums, threadsEnums,
		adEnums, creativeEnums, audienceEnums, targetingEnums, datasetEnums, businessEnums,
		insightEnums, commerceEnums,
	}
}

// Success is the answer of most writes that create nothing.
const Success = "success:bool"
