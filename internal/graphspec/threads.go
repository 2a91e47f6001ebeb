package graphspec

var threadsNodes = []*Node{}

var threadsEnums = map[string]string{}
