package graphspec

var businessNodes = []*Node{}

var businessEnums = map[string]string{}
