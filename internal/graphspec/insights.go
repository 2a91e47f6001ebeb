package graphspec

var insightNodes = []*Node{}

var insightEnums = map[string]string{}
