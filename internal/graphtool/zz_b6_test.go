package graphtool_test

import (
	"testing"

	"sluice/internal/graphtool/tool"
)

func TestZZShow(t *testing.T) {
	for _, c := range [][2]string{
		{"meta_get_page_conversations", `{"page_id":"4000000000000001"}`},
		{"meta_get_conversation_messages", `{"page_id":"4000000000000001","conversation_id":"t_4300000000000001"}`},
		{"meta_get_instagram_conversations", `{"ig_account_id":"5000000000000001"}`},
		{"meta_check_messaging_window", `{"page_id":"4000000000000001","recipient_id":"4310000000000002"}`},
		{"meta_send_page_message", `{"page_id":"4000000000000001","recipient_id":"4310000000000002","message":"Hi"}`},
		{"meta_send_page_message", `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hi","preview":true}`},
		{"meta_get_page_automated_responses", `{"page_id":"4000000000000001"}`},
		{"threads_get_posts", `{}`},
		{"threads_get_conversation", `{"media_id":"6100000000000001"}`},
		{"threads_publish_carousel", `{"items":[{"url":"https://example.com/1.jpg","type":"IMAGE"},{"url":"https://example.com/2.jpg","type":"IMAGE"}]}`},
		{"threads_get_user_insights", `{}`},
		{"threads_get_user_insights", `{"breakdown":"age"}`},
		{"threads_check_rate_limits", `{}`},
		{"threads_publish_video", `{"video_url":"https://example.com/slow.mp4"}`},
	} {
		s := newScene(t, &tool.Case{})
		a := s.call(c[0], c[1])
		t.Logf("== %s %s\n%s\n%v", c[0], a.code, a.text, a.structured["untrusted_fields"])
	}
}
