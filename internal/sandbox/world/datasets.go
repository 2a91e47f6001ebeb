package world

var datasetBehaviours = map[string]Behaviour{}

var datasetFields = map[string]fieldOf{}

func seedDatasets(*World) {}
