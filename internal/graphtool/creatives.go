package graphtool

import "sluice/internal/graphtool/tool"

var creativeTools = []*tool.Tool{}
