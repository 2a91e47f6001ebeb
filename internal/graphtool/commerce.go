package graphtool

import "sluice/internal/graphtool/tool"

var commerceTools = []*tool.Tool{}
