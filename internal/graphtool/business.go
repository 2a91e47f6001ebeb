package graphtool

import "sluice/internal/graphtool/tool"

var businessTools = []*tool.Tool{}
