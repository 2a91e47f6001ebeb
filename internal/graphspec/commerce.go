package graphspec

var commerceNodes = []*Node{}

var commerceEnums = map[string]string{}
