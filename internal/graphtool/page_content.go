package graphtool

import "sluice/internal/graphtool/tool"

var pageContentTools = []*tool.Tool{}
