package graphspec

var pageNodes = []*Node{}

var pageEnums = map[string]string{}
