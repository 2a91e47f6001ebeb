package graphtool

import "sluice/internal/graphtool/tool"

var targetingTools = []*tool.Tool{}
