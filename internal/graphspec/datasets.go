package graphspec

var datasetNodes = []*Node{}

var datasetEnums = map[string]string{}
