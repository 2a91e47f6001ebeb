package world

var instagramBehaviours = map[string]Behaviour{}

var instagramFields = map[string]fieldOf{}

func seedInstagram(*World) {}
