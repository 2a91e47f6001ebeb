package graphspec

var messagingNodes = []*Node{}

var messagingEnums = map[string]string{}
