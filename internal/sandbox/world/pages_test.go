package world_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox/world"
)

// shop is a world with a clock of its own, asked about its Page with every permission.
type shop struct {
	*testing.T
	at    time.Time
	world *world.World
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{T: t, at: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	s.world = world.New(func() time.Time { return s.at })
	return s
}

func (s *shop) in(d time.Duration) string { return fmt.Sprint(s.at.Add(d).Unix()) }

// send makes a call with headers and a body; ask is the same without them.
func (s *shop) send(verb, id, edge string, header map[string]string, body string, pairs ...string) (map[string]any, *world.Error) {
	s.Helper()
	c := &world.Call{Verb: verb, On: s.world.Get(id), Edge: edge, Params: url.Values{}, Header: header, Files: map[string][]byte{}}
	if c.On == nil {
		s.Fatalf("there is no %s", id)
	}
	if body != "" {
		c.Files[""] = []byte(body)
	}
	for n := 0; n < len(pairs); n += 2 {
		c.Params.Set(pairs[n], pairs[n+1])
	}
	v, bad := s.world.Serve(c)
	if bad != nil {
		return nil, bad
	}
	text, err := json.Marshal(v)
	if err != nil {
		s.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		s.Fatal(err)
	}
	return m, nil
}

func (s *shop) must(verb, id, edge string, pairs ...string) map[string]any {
	s.Helper()
	m, bad := s.send(verb, id, edge, nil, "", pairs...)
	if bad != nil {
		s.Fatalf("%s %s/%s: %s %s", verb, id, edge, bad.Row.Name, bad.Args)
	}
	return m
}

func (s *shop) refused(row, verb, id, edge string, pairs ...string) {
	s.Helper()
	m, bad := s.send(verb, id, edge, nil, "", pairs...)
	if bad == nil {
		s.Errorf("%s %s/%s is not refused: %v", verb, id, edge, m)
	} else if bad.Row.Name != row {
		s.Errorf("%s %s/%s: %s %s, want %s", verb, id, edge, bad.Row.Name, bad.Args, row)
	}
}

// ids are those that an edge lists.
func (s *shop) ids(id, edge string, pairs ...string) string {
	s.Helper()
	m := s.must("GET", id, edge, append(pairs, "limit", "100")...)
	var list []string
	for _, v := range m["data"].([]any) {
		list = append(list, fmt.Sprint(v.(map[string]any)["id"]))
	}
	return strings.Join(list, " ")
}

func (s *shop) made(edge string, pairs ...string) string {
	s.Helper()
	return s.must("POST", world.PageID, edge, pairs...)["id"].(string)
}

const seededPost = world.PageID + "_4100000000000001"

// A post is on exactly the lists of its state, and a scheduled one becomes public when
// the clock gets there.
func TestPostsChangeListsWithTheirState(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	later := s.made("feed", "message", "Later", "published", "false", "scheduled_publish_time", s.in(time.Hour))
	draft := s.made("feed", "message", "Draft", "published", "false")
	where := func(id string) string {
		var on []string
		for _, edge := range []string{"feed", "published_posts", "scheduled_posts", "ads_posts"} {
			if strings.Contains(s.ids(world.PageID, edge), id) {
				on = append(on, edge)
			}
		}
		return strings.Join(on, " ")
	}
	check := func(id, want string) {
		t.Helper()
		if got := where(id); got != want {
			t.Errorf("%s is on %q, want %q", id, got, want)
		}
	}
	check(later, "scheduled_posts ads_posts")
	check(draft, "ads_posts")
	s.at = s.at.Add(59 * time.Minute)
	check(later, "scheduled_posts ads_posts")
	s.at = s.at.Add(time.Minute)
	check(later, "feed published_posts ads_posts")
	if first, _, _ := strings.Cut(s.ids(world.PageID, "feed"), " "); first != later {
		t.Errorf("the newest of the feed is %s, not the one that was just published", first)
	}
	if got := s.must("GET", later, "", "fields", "created_time,is_published,scheduled_publish_time"); got["created_time"] != "2026-11-20T11:00:00+0000" || got["is_published"] != true || got["scheduled_publish_time"] != nil {
		t.Errorf("published: %v", got)
	}
	s.must("POST", draft, "", "is_published", "true")
	check(draft, "feed published_posts ads_posts")
	s.must("POST", draft, "", "is_hidden", "true")
	check(draft, "published_posts ads_posts")
	s.must("DELETE", draft, "")
	check(draft, "")
	if s.world.Get(draft) != nil {
		t.Error("a deleted post is still there")
	}
}

// A scheduled post that was deleted or moved does not come back at its old time.
func TestScheduledPostsFollowChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	gone := s.made("feed", "message", "Gone", "published", "false", "scheduled_publish_time", s.in(time.Hour))
	moved := s.made("feed", "message", "Moved", "published", "false", "scheduled_publish_time", s.in(time.Hour))
	s.must("DELETE", gone, "")
	s.must("POST", moved, "", "scheduled_publish_time", s.in(2*time.Hour))
	s.at = s.at.Add(90 * time.Minute)
	if list := s.ids(world.PageID, "feed"); strings.Contains(list, gone) || strings.Contains(list, moved) {
		t.Errorf("published too early or although deleted: %s", list)
	}
	s.at = s.at.Add(time.Hour)
	if list := s.ids(world.PageID, "feed"); !strings.Contains(list, moved) {
		t.Error("the moved post was not published at its new time")
	}
}

func TestPagesRefuseWhatMetaRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, c := range []struct {
		name, row, verb, id, edge string
		pairs                     []string
	}{
		{"nothing to post", "parameter", "POST", world.PageID, "feed", nil},
		{"five minutes ahead", "post_schedule", "POST", world.PageID, "feed", []string{"message", "a", "published", "false", "scheduled_publish_time", s.in(5 * time.Minute)}},
		{"31 days ahead", "post_schedule", "POST", world.PageID, "feed", []string{"message", "a", "published", "false", "scheduled_publish_time", s.in(31 * 24 * time.Hour)}},
		{"published and scheduled", "post_schedule_published", "POST", world.PageID, "feed", []string{"message", "a", "scheduled_publish_time", s.in(time.Hour)}},
		{"a link that can't be read", "no_link", "POST", world.PageID, "feed", []string{"link", "https://example.com/broken"}},
		{"photos of nobody", "parameter", "POST", world.PageID, "feed", []string{"attached_media", `[{"media_fbid":"1"}]`}},
		{"the text of somebody else's post", "post_not_by_app", "POST", world.PageID + "_4100000000000004", "", []string{"message", "a"}},
		{"a time for a public post", "post_schedule_published", "POST", seededPost, "", []string{"scheduled_publish_time", s.in(time.Hour)}},
		{"an empty comment", "parameter", "POST", seededPost, "comments", nil},
		{"hiding the Page's own comment", "comment_hide_own", "POST", world.PageID + "_4200000000000003", "", []string{"is_hidden", "true"}},
		{"the text of somebody else's comment", "comment_not_author", "POST", world.PageID + "_4200000000000001", "", []string{"message", "a"}},
		{"a photo without source", "parameter", "POST", world.PageID, "photos", nil},
		{"a photo that can't be read", "photo_fetch", "POST", world.PageID, "photos", []string{"url", "https://example.com/broken.jpg"}},
		{"a cover that is no photo", "parameter", "POST", world.PageID, "", []string{"cover", "4500000000000001"}},
		{"a story without its photo", "parameter", "POST", world.PageID, "photo_stories", []string{"photo_id", "1"}},
		{"a reel that was never uploaded", "reel_phase", "POST", world.PageID, "video_reels", []string{"upload_phase", "finish", "video_id", "1"}},
		{"a phase that is none", "parameter", "POST", world.PageID, "video_reels", []string{"upload_phase", "middle"}},
		{"a broadcast planned for yesterday", "post_schedule", "POST", world.PageID, "live_videos", []string{"event_params", `{"start_time":1}`}},
		{"a planned broadcast without a time", "parameter", "POST", world.PageID, "live_videos", []string{"status", "SCHEDULED_UNPUBLISHED"}},
		{"a broadcast that is over", "live_ended", "POST", "4510000000000002", "", []string{"end_live_video", "true"}},
		{"a block of a stranger", "parameter", "POST", world.PageID, "blocked", []string{"uid", "77"}},
		{"a block that is none", "parameter", "DELETE", world.PageID, "blocked", []string{"uid", "4010000000000001"}},
		{"a subscription to nothing known", "parameter", "POST", world.PageID, "subscribed_apps", []string{"subscribed_fields", "everything"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.T = t
			s.refused(c.row, c.verb, c.id, c.edge, c.pairs...)
		})
	}
}

func TestCommentsNestCountAndGoWithTheirPost(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one, two, reply := world.PageID+"_4200000000000001", world.PageID+"_4200000000000002", world.PageID+"_4200000000000003"
	for _, c := range []struct{ filter, order, want string }{
		{"toplevel", "chronological", one + " " + two},
		{"toplevel", "reverse_chronological", two + " " + one},
		{"stream", "chronological", one + " " + reply + " " + two},
	} {
		if got := s.ids(seededPost, "comments", "filter", c.filter, "order", c.order); got != c.want {
			t.Errorf("%s %s: %s", c.filter, c.order, got)
		}
	}
	again := s.must("POST", reply, "comments", "message", "And with sugar")["id"].(string)
	if got := s.must("GET", again, "", "fields", "parent,from{id}"); got["parent"].(map[string]any)["id"] != one {
		t.Errorf("an answer to a reply hangs on %v", got["parent"])
	}
	if got := s.must("GET", one, "", "fields", "comment_count,can_hide")["comment_count"]; got != 2.0 {
		t.Errorf("%v replies", got)
	}
	s.must("DELETE", seededPost, "")
	for _, id := range []string{one, two, reply, again} {
		if s.world.Get(id) != nil {
			t.Errorf("%s outlives its post", id)
		}
	}
}

func TestReactionsAddUp(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	total := func(kind string) float64 {
		pairs := []string{"limit", "0", "summary", "total_count"}
		if kind != "" {
			pairs = append(pairs, "type", kind)
		}
		return s.must("GET", seededPost, "reactions", pairs...)["summary"].(map[string]any)["total_count"].(float64)
	}
	sum := func() (n float64) {
		for _, kind := range strings.Fields("LIKE LOVE CARE HAHA WOW SAD ANGRY") {
			n += total(kind)
		}
		return n
	}
	for _, step := range []struct {
		verb string
		want float64
	}{{"", 4}, {"POST", 5}, {"POST", 5}, {"DELETE", 4}, {"DELETE", 4}} {
		if step.verb != "" {
			s.must(step.verb, seededPost, "likes")
		}
		if total("") != step.want || sum() != step.want {
			t.Errorf("after %q: %v in all, %v by type, want %v", step.verb, total(""), sum(), step.want)
		}
	}
}

// A reel goes through its phases by the clock, from an address or from bytes.
func TestReelsGoThroughTheirPhases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		header map[string]string
		body   string
		finish []string
		after  time.Duration
		want   string // video_status and publish_status
		public bool
	}{
		{"from an address", map[string]string{"file_url": "https://example.com/a.mp4"}, "", nil, 10 * time.Second, "ready published", true},
		{"from bytes", map[string]string{"offset": "0", "file_size": "5"}, "bytes", nil, 10 * time.Second, "ready published", true},
		{"too early", map[string]string{"file_url": "https://example.com/a.mp4"}, "", nil, 9 * time.Second, "processing ", false},
		{"slow", map[string]string{"file_url": "https://example.com/slow.mp4"}, "", nil, 10 * time.Minute, "processing ", false},
		{"broken", map[string]string{"file_url": "https://example.com/broken.mp4"}, "", nil, time.Minute, "error ", false},
		{"a draft", map[string]string{"file_url": "https://example.com/a.mp4"}, "", []string{"video_state", "DRAFT"}, time.Minute, "ready draft", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			id := s.must("POST", world.PageID, "video_reels", "upload_phase", "start")["video_id"].(string)
			if _, bad := s.send("POST", id, "video-upload", c.header, c.body); bad != nil {
				t.Fatal(bad.Row.Name, bad.Args)
			}
			s.must("POST", world.PageID, "video_reels", append([]string{"upload_phase", "finish", "video_id", id}, c.finish...)...)
			s.at = s.at.Add(c.after)
			status := s.must("GET", id, "", "fields", "status")["status"].(map[string]any)
			published, _ := status["publishing_phase"].(map[string]any)["publish_status"].(string)
			if got := status["video_status"].(string) + " " + published; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if post := s.must("GET", id, "", "fields", "post_id")["post_id"]; (post != nil) != c.public {
				t.Errorf("its post is %v", post)
			}
		})
	}
}

func TestStoriesLastADay(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	photo := s.made("photos", "url", "https://example.com/a.jpg", "published", "false")
	if strings.Contains(s.ids(world.PageID, "photos", "type", "uploaded"), photo) {
		t.Error("an unpublished photo is listed")
	}
	s.must("POST", world.PageID, "photo_stories", "photo_id", photo)
	state := func() any {
		return s.must("GET", world.PageID, "stories")["data"].([]any)[0].(map[string]any)["status"]
	}
	if got := state(); got != "PUBLISHED" {
		t.Errorf("at first %v", got)
	}
	s.at = s.at.Add(24 * time.Hour)
	if got := state(); got != "ARCHIVED" {
		t.Errorf("after a day %v", got)
	}
}
