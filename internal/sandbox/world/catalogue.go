package world

import "maps"

// Each part of the API has a file of its own with three things: what its world holds at
// the start, its behaviours by "VERB Node.edge" ("POST Page.feed", "GET Post."), and
// fields that are worked out when they are read, by "Node.field".

type seed func(*World)

func seeds() []seed {
	return []seed{
		seedBusiness, seedPages, seedMessaging, seedInstagram, seedThreads, seedDatasets,
		seedAds, seedCreatives, seedAudiences, seedInsights, seedCommerce,
	}
}

// fieldOf works out a field of an object; nil leaves it out of the answer.
type fieldOf func(*Call, *Object) any

var behaviours = merged(
	businessBehaviours, pageBehaviours, messagingBehaviours, instagramBehaviours, threadsBehaviours, datasetBehaviours,
	adBehaviours, creativeBehaviours, audienceBehaviours, insightBehaviours, commerceBehaviours,
)

var fields = merged(
	businessFields, pageFields, messagingFields, instagramFields, threadsFields, datasetFields,
	adFields, creativeFields, audienceFields, insightFields, commerceFields,
)

func merged[T any](parts ...map[string]T) map[string]T {
	all := map[string]T{}
	for _, p := range parts {
		for name, v := range p {
			if _, twice := all[name]; twice {
				panic("world: two of " + name)
			}
			all[name] = v
		}
	}
	maps.DeleteFunc(all, func(name string, _ T) bool { return name == "" })
	return all
}
