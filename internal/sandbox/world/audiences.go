package world

var audienceBehaviours = map[string]Behaviour{}

var audienceFields = map[string]fieldOf{}

func seedAudiences(*World) {}
