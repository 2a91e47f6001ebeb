package world

var adBehaviours = map[string]Behaviour{}

var adFields = map[string]fieldOf{}

func seedAds(*World) {}
