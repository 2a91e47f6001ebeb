package graphtool

import "sluice/internal/graphtool/tool"

var adTools = []*tool.Tool{}
