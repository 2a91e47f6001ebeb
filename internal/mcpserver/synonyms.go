package mcpserver

import "strings"

// meanings are words that people use, each with the words of the definitions that mean
// the same. They hold in this direction only.
var meanings = map[string]string{
	"stop": "pause status end turn", "pause": "status update", "resume": "status update", "activate": "status update", "enable": "status on",
	"disable": "status off", "start": "status create", "halt": "pause status update", "boost": "promoted promotable",
	"rename": "name update", "edit": "update change", "modify": "update change", "change": "update", "raise": "update change",
	"increase": "update change", "lower": "update change", "reduce": "update change", "adjust": "update change",
	"turn": "update", "switch": "update",
	"remove": "delete", "erase": "delete", "drop": "delete", "cancel": "delete", "trash": "delete",
	"add": "create upload", "make": "create", "new": "create", "write": "create publish", "build": "create", "launch": "create", "open": "create",
	"copy": "duplicate", "clone": "duplicate",
	"show": "get list", "see": "get list", "view": "get list", "read": "get list", "look": "get list", "find": "search list", "fetch": "get list",
	"check":   "get",
	"publish": "create", "post": "publish", "share": "publish post", "upload": "publish add", "put": "publish set",
	"dm": "send message", "chat": "message conversation", "message": "send", "inbox": "conversations", "text": "message", "messenger": "send page message",
	"answer": "reply", "respond": "reply", "response": "reply",
	"review": "ratings recommendations", "recommendation": "ratings reviews", "star": "ratings",
	"liked": "reactions", "likes": "reactions", "love": "reactions", "unlike": "like",
	"photo": "image picture", "picture": "photo image", "image": "photo picture", "pic": "photo picture image", "clip": "video reel",
	"fb": "facebook page", "facebook": "page", "ig": "instagram", "insta": "instagram", "gram": "instagram",
	"performance": "insights results", "stats": "insights numbers", "statistics": "insights numbers", "metrics": "insights numbers",
	"analytics": "insights", "results": "insights", "report": "insights", "cost": "spend account insights", "spent": "spend account insights", "spend": "account insights", "best": "insights results", "top": "insights results",
	"roas": "insights results", "ctr": "insights results", "impressions": "insights views", "reach": "insights", "numbers": "insights",
	"fans": "followers", "follower": "fan", "subscribers": "followers", "age": "breakdowns", "gender": "breakdowns", "several": "carousel multi", "multiple": "carousel multi",
	"rejected": "review", "customer": "person", "customers": "audience members list", "crm": "offline store sale audience members", "lookalike": "lookalike audience", "similar": "lookalike", "resemble": "lookalike",
	"retargeting": "audience custom", "segment": "audience", "emails": "members customer", "email": "members customer",
	"prospects": "leads", "signups": "leads leadgen", "leads": "leadgen", "lead": "leadgen", "form": "leadgen forms",
	"purchase": "conversion event sale", "purchases": "conversions events sale", "sale": "offline event", "sales": "conversions offline event", "capi": "conversion event",
	"orders": "conversions", "pixel": "dataset", "dataset": "pixel", "tracking": "pixel dataset",
	"money": "budget spend", "price": "product cost", "stock": "product", "item": "product", "goods": "product", "inventory": "products", "sku": "product",
	"ban": "block", "mute": "hide", "unblock": "block", "unhide": "hide", "banned": "blocked",
	"permissions": "token scopes", "access": "token users", "token": "debug", "quota": "limit usage", "limits": "usage rate",
	"graph": "chart", "diagram": "chart", "plot": "chart draw", "draw": "chart",
	"competitor": "library", "competitors": "library", "rival": "library",
	"tweet": "threads", "retweet": "repost", "hashtags": "hashtag", "followers": "fan followers", "profile": "page",
	"autoreply": "instant away reply", "automatic": "rule instant automated", "automatically": "rule automated", "automation": "rule",
	"team": "users people", "staff": "users people", "employees": "users people", "members": "users", "colleagues": "users people",
	"broadcast": "live channel", "livestream": "live video", "stream": "live", "history": "activity log", "changed": "activity log", "audit": "audit verify activity",
	"location": "geolocations places", "city": "geolocations places", "country": "geolocations", "cities": "geolocations places", "shop": "store",
	"hobby": "interests", "hobbies": "interests", "approve": "confirm", "rehearse": "dry run", "simulate": "dry run", "upcoming": "scheduled", "later": "schedule scheduled",
	"tomorrow": "schedule scheduled", "ended": "end", "tagged": "tagged mention", "mentions": "mention tagged", "split": "study test", "experiment": "study test", "ab": "study test",
}

// synonyms are the meanings in their shortest forms.
var synonyms = func() map[string][]string {
	m := map[string][]string{}
	for word, list := range meanings {
		key := stem(word)
		m[key] = append(m[key], tokens(list)...)
	}
	return m
}()

// empty are words that say nothing of a task.
var empty = tokens(strings.Join([]string{
	"a an the my our your their his her its this that these those it i me we us you they them he she",
	"to of for in on at by with from as into about and or is are was were be been being has have had do does did will would can could should",
	"how what when where why much many please want need let s some any more most there who which all back last work works week month today yesterday under below",
	"here out up so if not no just meta",
}, " "))
