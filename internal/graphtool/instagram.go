package graphtool

import "sluice/internal/graphtool/tool"

var instagramTools = []*tool.Tool{}
