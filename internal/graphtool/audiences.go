package graphtool

import "sluice/internal/graphtool/tool"

var audienceTools = []*tool.Tool{}
