package graphspec

var rootNodes = []*Node{}
