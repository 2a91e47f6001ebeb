package world

var creativeBehaviours = map[string]Behaviour{}

var creativeFields = map[string]fieldOf{}

func seedCreatives(*World) {}
