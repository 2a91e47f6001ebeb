package world

var insightBehaviours = map[string]Behaviour{}

var insightFields = map[string]fieldOf{}

func seedInsights(*World) {}
