package graphtool

import "sluice/internal/graphtool/tool"

var threadsTools = []*tool.Tool{}
