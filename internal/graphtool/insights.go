package graphtool

import "sluice/internal/graphtool/tool"

var insightTools = []*tool.Tool{}
