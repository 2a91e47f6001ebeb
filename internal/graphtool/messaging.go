package graphtool

import "sluice/internal/graphtool/tool"

var messagingTools = []*tool.Tool{}
