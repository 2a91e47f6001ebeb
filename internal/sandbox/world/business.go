package world

var businessBehaviours = map[string]Behaviour{}

var businessFields = map[string]fieldOf{}

func seedBusiness(*World) {}
