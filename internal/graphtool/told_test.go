package graphtool_test

import (
	"strings"
	"testing"

	"sluice/internal/graphtool/tool"
)

// TestErrorsTellWhatWasDone: who reads "nothing was published" publishes again. So no
// error says it where something was, or may have been.
func TestErrorsTellWhatWasDone(t *testing.T) {
	t.Parallel()
	const (
		both     = `{"page_id":"4000000000000001","ig_account_id":"5000000000000001","message":"Tea"`
		twoItems = `"items":[{"url":"https://example.com/1.jpg","type":"IMAGE"},{"url":"https://example.com/2.jpg","type":"IMAGE"}]}`
	)
	for name, c := range map[string]struct {
		tool, args, faults, code string
		says, never              []string
	}{
		"Threads carousel, answer lost": {
			tool: "threads_publish_carousel", args: `{` + twoItems, faults: `{"kind":"drop_after","edge":"threads_publish"}`,
			code: "done_already", says: []string{"don't publish again"}, never: []string{"nothing was published"},
		},
		"Instagram carousel, answer lost": {
			tool: "meta_publish_instagram_carousel", args: `{"ig_account_id":"5000000000000001",` + twoItems, faults: `{"kind":"drop_after","edge":"media_publish"}`,
			code: "done_already", says: []string{"don't publish again"}, never: []string{"nothing was published"},
		},
		"Instagram carousel, Meta fails": {
			tool: "meta_publish_instagram_carousel", args: `{"ig_account_id":"5000000000000001",` + twoItems, faults: `{"kind":"html_502","edge":"media_publish","next":3}`,
			code: "not_ready", says: []string{"meta_publish_instagram_container"},
		},
		"container not there for long": {
			tool: "threads_publish_image", args: `{"image_url":"https://example.com/1.jpg"}`, faults: `{"kind":"error","edge":"threads_publish","name":"container_not_visible","next":-1}`,
			code: "not_ready", says: []string{"threads_publish_container", "120000000000001"},
		},
		"container that can't be looked at": {
			tool: "meta_publish_instagram_photo", args: `{"ig_account_id":"5000000000000001","image_url":"https://example.com/1.jpg"}`, faults: `{"kind":"html_502","edge":"IGContainer","next":-1}`,
			code: "meta_unavailable", says: []string{"120000000000001 is not published", "meta_publish_instagram_container"},
		},
		"both, the Page's post unanswered": {
			tool: "meta_cross_post", args: both + `,"image_url":"https://example.com/tea.jpg"}`, faults: `{"kind":"drop_after","edge":"photos"}`,
			code: "call_outcome_unknown", says: []string{"may be on the Page", "meta_publish_instagram_container", "meta_get_published_posts"}, never: []string{"nothing was published"},
		},
		"both, Instagram needs longer": {
			tool: "meta_cross_post", args: both + `,"video_url":"https://example.com/slow.mp4"}`, faults: `{"kind":"latency","latency_ms":1,"edge":"events"}`,
			code: "not_ready", says: []string{"nothing was published", "meta_publish_instagram_container", "meta_publish_page_reel"},
		},
		"text alone, unanswered": {
			tool: "meta_cross_post", args: both + `}`, faults: `{"kind":"drop_after","edge":"feed"}`,
			code: "call_outcome_unknown", says: []string{"may be on the Page"}, never: []string{"nothing was published", "Instagram"},
		},
		"both, the reel can't be looked at": {
			tool: "meta_cross_post", args: both + `,"video_url":"https://example.com/tea.mp4"}`, faults: `{"kind":"error","edge":"Video","code":100}`,
			says: []string{"processing"}, never: []string{"nothing was published"},
		},
		"both, Instagram unanswered": {
			tool: "meta_cross_post", args: both + `,"image_url":"https://example.com/tea.jpg"}`, faults: `{"kind":"drop_after","edge":"media_publish"}`,
			says: []string{"published"}, never: []string{"not on Instagram"},
		},
		"a reel that can't be looked at": {
			tool: "meta_publish_page_reel", args: `{"page_id":"4000000000000001","video_url":"https://example.com/tea.mp4"}`, faults: `{"kind":"error","edge":"Video","code":100}`,
			code: "not_ready", says: []string{"120000000000001", "meta_get_page_video", "Don't upload it again"},
		},
		"several photos, the post unanswered": {
			tool: "meta_create_multi_photo_post", args: `{"page_id":"4000000000000001","photo_urls":["https://example.com/a.jpg","https://example.com/b.jpg"]}`, faults: `{"kind":"drop_after","edge":"feed"}`,
			code: "call_outcome_unknown", says: []string{"120000000000001, 120000000000002"}, never: []string{"the post failed"},
		},
		"a broadcast that can't be read": {
			tool: "meta_create_live_video", args: `{"page_id":"4000000000000001","title":"Tasting"}`, faults: `{"kind":"error","edge":"LiveVideo","code":100}`,
			code: "meta_refused", says: []string{"POST live_videos: 120000000000001", "was done"},
		},
		"a story, unanswered": {
			tool: "meta_publish_page_story", args: `{"page_id":"4000000000000001","media_url":"https://example.com/s.jpg","media_type":"photo"}`, faults: `{"kind":"drop_after","edge":"photo_stories"}`,
			code: "call_outcome_unknown", says: []string{"120000000000001"}, never: []string{"the story failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, &tool.Case{}, false)
			s.plan(c.faults)
			a := s.call(c.tool, c.args)
			if a.code != c.code {
				t.Fatalf("code %q, want %q\n%s", a.code, c.code, a.text)
			}
			for _, w := range c.says {
				if !strings.Contains(a.text, w) {
					t.Errorf("it does not say %q:\n%s", w, a.text)
				}
			}
			for _, w := range c.never {
				if strings.Contains(a.text, w) {
					t.Errorf("it says %q:\n%s", w, a.text)
				}
			}
		})
	}
}
