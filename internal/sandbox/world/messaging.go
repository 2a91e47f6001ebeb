package world

var messagingBehaviours = map[string]Behaviour{}

var messagingFields = map[string]fieldOf{}

func seedMessaging(*World) {}
