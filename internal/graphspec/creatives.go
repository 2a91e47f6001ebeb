package graphspec

var creativeNodes = []*Node{}

var creativeEnums = map[string]string{}
