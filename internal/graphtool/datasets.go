package graphtool

import "sluice/internal/graphtool/tool"

var datasetTools = []*tool.Tool{}
