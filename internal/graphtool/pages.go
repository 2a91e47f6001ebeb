package graphtool

import "sluice/internal/graphtool/tool"

var pageTools = []*tool.Tool{}
