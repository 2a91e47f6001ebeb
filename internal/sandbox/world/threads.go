package world

var threadsBehaviours = map[string]Behaviour{}

var threadsFields = map[string]fieldOf{}

func seedThreads(*World) {}
