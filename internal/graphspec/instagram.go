package graphspec

var instagramNodes = []*Node{}

var instagramEnums = map[string]string{}
