package world

import "sync"

// Each part of the API has a file of its own with three things: what its world holds at
// the start, its behaviours by "VERB Node.edge" ("POST Page.feed", "GET Post."), and
// fields that are worked out when they are read, by "Node.field".

type seed func(*World)

func seeds() []seed {
	return []seed{
		seedCore, seedBusiness, seedPages, seedMessaging, seedInstagram, seedThreads, seedDatasets,
		seedAds, seedCreatives, seedAudiences, seedLeads, seedInsights, seedCommerce,
	}
}

// fieldOf works out a field of an object; nil leaves it out of the answer.
type fieldOf func(*Call, *Object) any

// allBehaviours and allFields are read by New only, so that a behaviour may serve further
// calls without a circle of initialisation.
var allBehaviours = sync.OnceValue(func() map[string]Behaviour {
	return merged(coreBehaviours,
		businessBehaviours, pageBehaviours, messagingBehaviours, instagramBehaviours, threadsBehaviours, datasetBehaviours,
		adBehaviours, creativeBehaviours, audienceBehaviours, targetingBehaviours, leadBehaviours, insightBehaviours, commerceBehaviours,
	)
})

var allFields = sync.OnceValue(func() map[string]fieldOf {
	return merged(coreFields,
		businessFields, pageFields, messagingFields, instagramFields, threadsFields, datasetFields,
		adFields, creativeFields, audienceFields, leadFields, insightFields, commerceFields,
	)
})

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
	return all
}
