package graphtool

import "sluice/internal/graphtool/tool"

var utilityTools = []*tool.Tool{}
