package world

var pageBehaviours = map[string]Behaviour{}

var pageFields = map[string]fieldOf{}

func seedPages(*World) {}
