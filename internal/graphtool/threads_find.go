package graphtool

import "sluice/internal/graphtool/tool"

func threadsName() tool.Arg {
	return tool.Text("username", "Username on Threads, without @.").Min(1).Max(30).Req()
}

var threadsFindTools = []*tool.Tool{
	{
		Name: "threads_search", Title: "Search Threads posts", Set: "threads.read",
		Does: "Searches public Threads posts for a keyword or a topic tag.",
		Use:  "For posts that name the account use threads_get_mentions; for one profile's posts threads_get_profile_posts, or author_username here.",
		Note: "Until Meta has approved threads_keyword_search for the app it finds posts of the token's account only. 2,200 searches in 24 hours; searches that find nothing don't count. All text is words of outsiders.",
		Args: tool.Join([]tool.Arg{
			tool.ID("threads_user_id", "ThreadsUser", "").OrMe().Opt().NoEffect("Meta searches for the account of the token."),
			tool.Text("q", "Keyword, or topic tag with search_mode TAG.").Min(1).Max(200).Req(),
			tool.Enum("search_type", "TOP RECENT", "Most popular first, or newest first.").Is("TOP"),
			tool.Enum("search_mode", "KEYWORD TAG", "What q is.").Is("KEYWORD"),
			tool.Enum("media_type", "TEXT IMAGE VIDEO", "Only posts of this kind."),
			tool.Text("author_username", "Only posts of this profile, without @.").Max(30),
		}, threadsSpan(), tool.Page(100)),
		Rules:    []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Root", Edge: "keyword_search", Fields: "id,text,media_type,media_url,permalink,timestamp,username,has_replies,is_quote_post,is_reply,topic_tag"}},
		Out:   tool.Out{Heading: "Posts with {q}", Columns: threadsColumns},
		Cases: []tool.Case{
			{Name: "keyword", Args: `{"q":"cups"}`, Asks: []string{"GET /keyword_search q=cups search_type=TOP search_mode=KEYWORD limit=25"}, Has: []string{"data.0.text", "has_more=false"}},
			{Name: "tag, newest first", Args: `{"threads_user_id":"6000000000000001","q":"Breakfast","search_mode":"TAG","search_type":"RECENT","limit":5}`, Asks: []string{"GET /keyword_search q=Breakfast search_mode=TAG search_type=RECENT limit=5"}, Has: []string{"data.0.id=6100000000000003", "notices"}},
			{Name: "nothing found", Args: `{"q":"zeppelin"}`, Has: []string{"has_more=false"}},
			{Name: "empty", Args: `{"q":""}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"q"}},
		},
	},
	{
		Name: "threads_lookup_profile", Title: "Look up a Threads profile", Set: "threads.read",
		Does: "Reads the public profile of one Threads username: name, biography, verification, followers, and counts of the last 7 days.",
		Use:  "For the token's own profile use threads_get_profile; for the profile's posts threads_get_profile_posts.",
		Note: "Public profiles with at least 100 followers only. Until Meta has approved threads_profile_discovery it finds a few of Meta's own accounts only.",
		Args: []tool.Arg{threadsName()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Root", Edge: "profile_lookup"}},
		Out:   tool.Out{Heading: "Profile {username}"},
		Cases: []tool.Case{
			{Name: "found", Args: `{"username":"tea_friends"}`, Asks: []string{"GET /profile_lookup username=tea_friends"}, Has: []string{"data.username=tea_friends", "data.follower_count=5120", "data.views_count"}},
			{Name: "not found", Args: `{"username":"nobody_here"}`, Error: "meta_refused"},
			{Name: "no name", Args: `{}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"username"}},
		},
	},
	{
		Name: "threads_get_profile_posts", Title: "List posts of a Threads profile", Set: "threads.read",
		Does: "Lists the posts of one public Threads profile, newest first.",
		Use:  "For the token's own posts use threads_get_posts; for posts about a word threads_search.",
		Note: "The limits of threads_lookup_profile hold. All text is words of outsiders.",
		Args: tool.Join([]tool.Arg{threadsName()}, threadsSpan(), tool.Page(100)), Rules: []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Root", Edge: "profile_posts", Fields: "id,text,media_type,media_url,permalink,timestamp,username,has_replies,is_quote_post,topic_tag"}},
		Out:   tool.Out{Heading: "Posts of {username}", Columns: threadsColumns},
		Cases: []tool.Case{
			{Name: "lists", Args: `{"username":"tea_friends"}`, Asks: []string{"GET /profile_posts username=tea_friends limit=25"}, Has: []string{"data.0.id=6100000000000041", "data.0.username=tea_friends"}},
			{Name: "not found", Args: `{"username":"nobody_here"}`, Error: "meta_refused"},
			{Name: "no name", Args: `{}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"username"}},
		},
	},
	{
		Name: "threads_search_locations", Title: "Search Threads locations", Set: "threads.read",
		Does: "Searches places that a Threads post can be tagged with, by name or around a point.",
		Use:  "Take an id from here as location_id of threads_publish_text and its siblings. For Pages of places use meta_search_places.",
		Note: "500 searches in 24 hours. A point needs latitude and longitude.",
		Args: []tool.Arg{
			tool.Text("q", "Name of a place.").Min(1).Max(200),
			tool.Number("latitude", "Degrees north.").Min(-90).Max(90), tool.Number("longitude", "Degrees east.").Min(-180).Max(180),
		},
		AnyOf: []string{"q latitude"}, Rules: []tool.Rule{tool.Needs("latitude", "longitude"), tool.Needs("longitude", "latitude")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Root", Edge: "location_search", Fields: "id,name,address,city,country,latitude,longitude,postal_code"}},
		Out:   tool.Out{Heading: "Places", Columns: []string{"id", "name", "city", "country"}},
		Cases: []tool.Case{
			{Name: "by name", Args: `{"q":"tea house"}`, Asks: []string{"GET /location_search `q=tea house`"}, Has: []string{"data.0.id=6300000000000001", "data.0.city=London"}},
			{Name: "around a point", Args: `{"latitude":51.5,"longitude":-0.12}`, Has: []string{"data.0.id=6300000000000001"}},
			{Name: "half a point", Args: `{"latitude":51.5}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"longitude"}},
		},
	},
	noThreadsList("threads_get_followers", "List Threads followers", "Would list the followers of a Threads account.",
		"Meta's API has no list of the followers of a Threads account",
		"threads_get_user_insights gives followers_count, and follower_demographics by age, city, country or gender."),
	noThreadsList("threads_get_following", "List followed Threads accounts", "Would list the accounts that a Threads account follows.",
		"Meta's API has no list of the accounts that a Threads account follows",
		"It can be seen in the Threads app only; threads_lookup_profile reads one public profile."),
}

func noThreadsList(name, title, does, why, instead string) *tool.Tool {
	return &tool.Tool{
		Name: name, Title: title, Set: "threads.read", Does: does,
		Args:     tool.Join([]tool.Arg{threadsUser()}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Gone:  &tool.Gone{Why: why, Instead: instead},
		Cases: []tool.Case{{Name: "says so", Args: `{"threads_user_id":"6000000000000001"}`, Asks: []string{}, Error: "unsupported", Says: []string{"no list"}}},
	}
}
