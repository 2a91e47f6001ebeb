package graphspec

var audienceNodes = []*Node{}

var audienceEnums = map[string]string{}
