package graphspec

var adNodes = []*Node{}

var adEnums = map[string]string{}
