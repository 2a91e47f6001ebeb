package world

var commerceBehaviours = map[string]Behaviour{}

var commerceFields = map[string]fieldOf{}

func seedCommerce(*World) {}
