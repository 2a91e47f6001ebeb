// Package graphtool is the tools for Meta's platform: one record each. Package tool
// says what a record is and runs it.
package graphtool

import (
	"slices"
	"sync"

	"sluice/internal/graphtool/tool"
)

// All are the tools, in the order of the reference. Each part of the platform has its
// files; one more tool is one more record there.
var All = sync.OnceValue(func() []*tool.Tool {
	return slices.Concat(
		pageTools, pageContentTools, messagingTools, instagramTools, threadsTools,
		adTools, creativeTools, targetingTools, audienceTools, datasetTools, businessTools,
		insightTools, pageInsightTools, commerceTools, utilityTools, chartTools,
	)
})

// Named finds a tool, nil when there is none.
func Named(name string) *tool.Tool {
	i := slices.IndexFunc(All(), func(t *tool.Tool) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return All()[i]
}
