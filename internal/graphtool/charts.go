package graphtool

import "sluice/internal/graphtool/tool"

var chartTools = []*tool.Tool{}
