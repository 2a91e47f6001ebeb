package world_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox/world"
)

// instagram is a world with a clock of its own, asked with every permission.
type instagram struct {
	*testing.T
	at    time.Time
	world *world.World
}

func newInstagram(t *testing.T) *instagram {
	t.Helper()
	i := &instagram{T: t, at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	i.world = world.New(func() time.Time { return i.at })
	return i
}

// ask makes a call and gives its JSON, or the refusal.
func (i *instagram) ask(verb, id, edge string, pairs ...string) (map[string]any, *world.Error) {
	i.Helper()
	c := &world.Call{Verb: verb, On: i.world.Get(id), Edge: edge, Params: url.Values{}}
	for n := 0; n < len(pairs); n += 2 {
		c.Params.Set(pairs[n], pairs[n+1])
	}
	v, bad := i.world.Serve(c)
	if bad != nil {
		return nil, bad
	}
	text, err := json.Marshal(v)
	if err != nil {
		i.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		i.Fatal(err)
	}
	return m, nil
}

// must is ask for a call that has to go well.
func (i *instagram) must(verb, id, edge string, pairs ...string) map[string]any {
	i.Helper()
	m, bad := i.ask(verb, id, edge, pairs...)
	if bad != nil {
		i.Fatalf("%s %s/%s: %s %s", verb, id, edge, bad.Row.Name, bad.Args)
	}
	return m
}

// refused is ask for a call that has to be refused with a row of the catalogue.
func (i *instagram) refused(row, verb, id, edge string, pairs ...string) {
	i.Helper()
	_, bad := i.ask(verb, id, edge, pairs...)
	if bad == nil || bad.Row.Name != row {
		i.Errorf("%s %s/%s: %v, want %s", verb, id, edge, bad, row)
	}
}

func (i *instagram) container(pairs ...string) string {
	i.Helper()
	return i.must("POST", world.InstagramID, "media", pairs...)["id"].(string)
}

func (i *instagram) status(id string) string {
	i.Helper()
	m := i.must("GET", id, "", "fields", "status_code,status")
	return m["status_code"].(string) + " " + m["status"].(string)
}

func (i *instagram) pass(d time.Duration) { i.at = i.at.Add(d) }

func TestInstagramContainersFollowTheClock(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		params []string
		wait   time.Duration
		want   string
	}{
		{"picture", []string{"image_url", "https://cdn.example.com/a.jpg"}, 0, "FINISHED"},
		{"video at once", []string{"media_type", "REELS", "video_url", "https://cdn.example.com/a.mp4"}, 4 * time.Second, "IN_PROGRESS"},
		{"video later", []string{"media_type", "REELS", "video_url", "https://cdn.example.com/a.mp4"}, 5 * time.Second, "FINISHED"},
		{"broken video", []string{"media_type", "REELS", "video_url", "https://cdn.example.com/broken.mp4"}, 5 * time.Second, "ERROR Error: Media upload has failed with error code 2207026"},
		{"broken picture", []string{"image_url", "https://cdn.example.com/broken.jpg"}, 0, "ERROR Error: Media upload has failed with error code 2207052"},
		{"a day old", []string{"image_url", "https://cdn.example.com/a.jpg"}, 24 * time.Hour, "EXPIRED"},
		{"upload that never comes", []string{"media_type", "REELS", "upload_type", "resumable"}, time.Hour, "IN_PROGRESS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			i := newInstagram(t)
			id := i.container(tc.params...)
			i.pass(tc.wait)
			if got := i.status(id); !strings.HasPrefix(got, tc.want) {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestInstagramPublishesOnce(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	id := i.container("image_url", "https://cdn.example.com/a.jpg", "caption", "Hello", "alt_text", "A cup")
	media := i.must("POST", world.InstagramID, "media_publish", "creation_id", id)["id"].(string)
	read := i.must("GET", media, "", "fields", "caption,alt_text,media_product_type,username,comments_count,like_count")
	want := map[string]any{
		"id": media, "caption": "Hello", "alt_text": "A cup", "media_product_type": "FEED", "username": "sandbox_shop", "comments_count": 0.0, "like_count": 0.0,
	}
	if fmt.Sprint(read) != fmt.Sprint(want) {
		t.Errorf("%v", read)
	}
	i.refused("ig_no_container", "POST", world.InstagramID, "media_publish", "creation_id", id)
	first := i.must("GET", world.InstagramID, "media", "limit", "1")["data"].([]any)[0].(map[string]any)
	if first["id"] != media {
		t.Errorf("the newest is %v", first)
	}
	i.must("DELETE", media, "")
	if i.world.Get(media) != nil {
		t.Error("it is still there")
	}
	limit := i.must("GET", world.InstagramID, "content_publishing_limit")["data"].([]any)[0].(map[string]any)
	if limit["quota_usage"] != 1.0 {
		t.Errorf("deleting gives nothing back: %v", limit)
	}
}

func TestInstagramCarousel(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	one := i.container("image_url", "https://cdn.example.com/1.jpg", "is_carousel_item", "true")
	two := i.container("video_url", "https://cdn.example.com/2.mp4", "media_type", "VIDEO", "is_carousel_item", "true")
	children := one + "," + two
	i.refused("media_not_ready", "POST", world.InstagramID, "media", "media_type", "CAROUSEL", "children", children)
	i.pass(5 * time.Second)
	i.refused("ig_children", "POST", world.InstagramID, "media", "media_type", "CAROUSEL", "children", one)
	i.refused("ig_no_container", "POST", world.InstagramID, "media_publish", "creation_id", one)
	album := i.container("media_type", "CAROUSEL", "children", children)
	media := i.must("POST", world.InstagramID, "media_publish", "creation_id", album)["id"].(string)
	parts := i.must("GET", media, "children", "fields", "media_type")["data"].([]any)
	if len(parts) != 2 || parts[0].(map[string]any)["media_type"] != "IMAGE" || parts[1].(map[string]any)["media_type"] != "VIDEO" {
		t.Errorf("parts are %v", parts)
	}
	if got := i.status(one); !strings.HasPrefix(got, "PUBLISHED") {
		t.Errorf("a part is %s", got)
	}
}

func TestInstagramQuota(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	for range 100 {
		i.must("POST", world.InstagramID, "media_publish", "creation_id", i.container("image_url", "https://cdn.example.com/a.jpg"))
	}
	id := i.container("image_url", "https://cdn.example.com/a.jpg")
	i.refused("ig_quota", "POST", world.InstagramID, "media_publish", "creation_id", id)
	i.pass(24 * time.Hour)
	i.must("POST", world.InstagramID, "media_publish", "creation_id", i.container("image_url", "https://cdn.example.com/a.jpg"))
}

func TestInstagramStoriesLastADay(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	count := func() int { return len(i.must("GET", world.InstagramID, "stories")["data"].([]any)) }
	before := count()
	i.must("POST", world.InstagramID, "media_publish", "creation_id", i.container("image_url", "https://cdn.example.com/a.jpg", "media_type", "STORIES"))
	if count() != before+1 {
		t.Error("the story does not show")
	}
	i.pass(24 * time.Hour)
	if count() != 0 {
		t.Error("stories show for more than a day")
	}
}

func TestInstagramComments(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	const media = "5100000000000004"
	top := i.must("POST", media, "comments", "message", "Hello")["id"].(string)
	reply := i.must("POST", top, "replies", "message", "Hello back")["id"].(string)
	under := i.must("POST", reply, "replies", "message", "And again")["id"].(string)
	if got := i.must("GET", under, "", "fields", "parent_id")["parent_id"]; got != top {
		t.Errorf("a reply to a reply hangs under %v", got)
	}
	i.must("POST", top, "", "hide", "true")
	if got := i.must("GET", top, "", "fields", "hidden")["hidden"]; got != true {
		t.Errorf("hidden is %v", got)
	}
	i.must("POST", media, "", "comment_enabled", "false")
	i.refused("ig_comments_off", "POST", media, "comments", "message", "Hello")
	i.must("DELETE", top, "")
	if i.world.Get(reply) != nil {
		t.Error("a reply stays without its comment")
	}
}

func TestInstagramHashtagLimit(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	search := func(q string) []string { return []string{"user_id", world.InstagramID, "q", q} }
	for n := range 29 { // one was asked for before
		name := fmt.Sprintf("tag%d", n)
		i.world.Add("IGHashtag", nil, world.Attrs{"name": name})
		i.must("GET", "", "ig_hashtag_search", search(name)...)
	}
	i.refused("ig_hashtag_limit", "GET", "", "ig_hashtag_search", search("linen")...)
	i.must("GET", "", "ig_hashtag_search", search("coffee")...)
	i.refused("ig_hashtag", "GET", "", "ig_hashtag_search", search("nobodyusesthis")...)
	i.pass(7 * 24 * time.Hour)
	i.must("GET", "", "ig_hashtag_search", search("linen")...)
}

// TestInstagramInsightsAddUp: the total is the sum of its days, of its parts, and of
// what it is made of.
func TestInstagramInsightsAddUp(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	total := func(metric string, more ...string) (float64, []any) {
		t.Helper()
		pairs := append([]string{
			"metric", metric, "period", "day", "metric_type", "total_value", "since", fmt.Sprint(i.at.AddDate(0, 0, -7).Unix()), "until", fmt.Sprint(i.at.Unix()),
		}, more...)
		row := i.must("GET", world.InstagramID, "insights", pairs...)["data"].([]any)[0].(map[string]any)["total_value"].(map[string]any)
		value, _ := row["value"].(float64)
		broken, _ := row["breakdowns"].([]any)
		if len(broken) == 0 {
			return value, nil
		}
		return value, broken[0].(map[string]any)["results"].([]any)
	}
	all, _ := total("total_interactions")
	sum := 0.0
	for _, part := range []string{"likes", "comments", "shares", "saves", "replies", "reposts"} {
		v, _ := total(part)
		sum += v
	}
	if all != sum || all == 0 {
		t.Errorf("total_interactions %v, its parts %v", all, sum)
	}
	for _, breakdown := range []string{"follow_type", "media_product_type"} {
		views, results := total("views", "breakdown", breakdown)
		sum := 0.0
		for _, r := range results {
			sum += r.(map[string]any)["value"].(float64)
		}
		if views != sum || views == 0 {
			t.Errorf("views %v, by %s %v", views, breakdown, sum)
		}
	}
	reach, _ := total("reach")
	series := i.must("GET", world.InstagramID, "insights", "metric", "reach", "period", "day", "since", fmt.Sprint(i.at.AddDate(0, 0, -7).Unix()),
		"until", fmt.Sprint(i.at.Unix()))["data"].([]any)[0].(map[string]any)["values"].([]any)
	days := 0.0
	for _, v := range series {
		days += v.(map[string]any)["value"].(float64)
	}
	if len(series) != 7 || days != reach {
		t.Errorf("%d days have %v, the total is %v", len(series), days, reach)
	}
}

// TestInstagramMetricsAreServed asks for every metric the way its record says.
func TestInstagramMetricsAreServed(t *testing.T) {
	t.Parallel()
	i := newInstagram(t)
	for _, m := range graphspec.IGAccountMetrics {
		pairs := []string{"metric", m.Name, "period", strings.Fields(m.Periods)[0], "metric_type", strings.Fields(m.Types)[0]}
		if m.Breakdowns != "" && m.Needs {
			pairs = append(pairs, "breakdown", strings.Fields(m.Breakdowns)[0])
		}
		if m.Timeframe {
			pairs = append(pairs, "timeframe", "this_month")
		}
		if rows := i.must("GET", world.InstagramID, "insights", pairs...)["data"].([]any); len(rows) != 1 {
			t.Errorf("%s: %v", m.Name, rows)
		}
	}
	for _, m := range graphspec.IGMediaMetrics {
		for product, id := range map[string]string{"FEED": "5100000000000001", "REELS": "5100000000000002", "STORY": "5100000000000005"} {
			_, bad := i.ask("GET", id, "insights", "metric", m.Name)
			if want := m.For(product) && !strings.Contains(m.Name, "crossposted") && m.Name != "facebook_views"; (bad == nil) != want {
				t.Errorf("%s of %s: %v", m.Name, product, bad)
			}
		}
	}
	for _, old := range graphspec.IGRetiredAccount {
		i.refused("parameter", "GET", world.InstagramID, "insights", "metric", old.Name, "period", "day", "metric_type", "total_value")
	}
}
