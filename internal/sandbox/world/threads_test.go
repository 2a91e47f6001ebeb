package world

import (
	"fmt"
	"testing"
	"time"
)

func member(t *testing.T, v any, err *Error, name string) string {
	t.Helper()
	if err != nil {
		t.Fatalf("refused: %s %v", err.Row.Name, err.Args)
	}
	return fmt.Sprint(v.(map[string]any)[name])
}

// TestContainerStates: a container is taken in, can be published once, and expires.
func TestContainerStates(t *testing.T) {
	t.Parallel()
	w, now := shopAt(t)
	me := w.Get(ThreadsID)
	v, err := ask(t, w, "POST", me, "threads", "media_type", "VIDEO", "video_url", "https://cdn.example.com/a.mp4")
	id := member(t, v, err, "id")
	status := func() string {
		v, err := ask(t, w, "GET", w.Get(id), "", "fields", "status,error_message")
		return member(t, v, err, "status")
	}
	if got := status(); got != "IN_PROGRESS" {
		t.Errorf("at once it is %s", got)
	}
	if _, err := ask(t, w, "POST", me, "threads_publish", "creation_id", id); rowName(err) != "container_not_visible" {
		t.Errorf("published early: %q", rowName(err))
	}
	*now = now.Add(10 * time.Second)
	if got := status(); got != "FINISHED" {
		t.Errorf("after ten seconds it is %s", got)
	}
	if _, err := ask(t, w, "POST", me, "threads_publish", "creation_id", id); err != nil {
		t.Fatalf("publishing: %s", rowName(err))
	}
	if got := status(); got != "PUBLISHED" {
		t.Errorf("after publishing it is %s", got)
	}
	if _, err := ask(t, w, "POST", me, "threads_publish", "creation_id", id); err == nil {
		t.Error("it was published twice")
	}
	v, err = ask(t, w, "POST", me, "threads", "media_type", "TEXT", "text", "Later")
	id = member(t, v, err, "id")
	*now = now.Add(25 * time.Hour)
	if got := status(); got != "EXPIRED" {
		t.Errorf("after a day it is %s", got)
	}
}

// TestGhostPostsVanish a day after they were published.
func TestGhostPostsVanish(t *testing.T) {
	t.Parallel()
	w, now := shopAt(t)
	me := w.Get(ThreadsID)
	v, err := ask(t, w, "POST", me, "threads", "media_type", "TEXT", "text", "Boo", "is_ghost_post", "true", "auto_publish_text", "true")
	id := member(t, v, err, "id")
	newest := func() string {
		v, err := ask(t, w, "GET", me, "threads", "limit", "1")
		return fmt.Sprint(rowsOf(t, v, err)[0]["id"])
	}
	if newest() != id {
		t.Error("it is not the newest post")
	}
	*now = now.Add(25 * time.Hour)
	if newest() == id {
		t.Error("it is still there after a day")
	}
}

// TestThreadsQuotas: posts, replies and deletions are counted for a day each.
func TestThreadsQuotas(t *testing.T) {
	t.Parallel()
	w, now := shopAt(t)
	me := w.Get(ThreadsID)
	for range threadsPostQuota - 1 { // one of the seed is younger than a day
		if _, err := ask(t, w, "POST", me, "threads", "media_type", "TEXT", "text", "x", "auto_publish_text", "true"); err != nil {
			t.Fatal(rowName(err))
		}
	}
	if _, err := ask(t, w, "POST", me, "threads", "media_type", "TEXT", "text", "x", "auto_publish_text", "true"); rowName(err) != "threads_quota" {
		t.Errorf("one post more: %q", rowName(err))
	}
	if _, err := ask(t, w, "POST", me, "threads", "media_type", "TEXT", "text", "x", "auto_publish_text", "true", "reply_to_id", "6100000000000021"); err != nil {
		t.Errorf("replies have a quota of their own: %q", rowName(err))
	}
	*now = now.Add(25 * time.Hour)
	v, err := ask(t, w, "GET", me, "threads_publishing_limit", "fields", "quota_usage,reply_quota_usage")
	if row := rowsOf(t, v, err)[0]; fmt.Sprint(row["quota_usage"]) != "0" || fmt.Sprint(row["reply_quota_usage"]) != "0" {
		t.Errorf("a day later %v is used", row)
	}
}

// TestThreadsNumbersAddUp: an account's numbers are the sums of its posts', and every
// breakdown of the followers gives all of them.
func TestThreadsNumbersAddUp(t *testing.T) {
	t.Parallel()
	w, now := shopAt(t)
	me := w.Get(ThreadsID)
	want := 0
	for _, o := range w.Linked(me, "posts") {
		want += numbersOf(w, o)["likes"]
	}
	since := fmt.Sprint(now.Add(-90 * 24 * time.Hour).Unix())
	v, err := ask(t, w, "GET", me, "threads_insights", "metric", "likes,views", "since", since, "until", fmt.Sprint(now.Unix()))
	rows := rowsOf(t, v, err)
	if got := rows[0]["total_value"].(map[string]any)["value"]; got != want {
		t.Errorf("%v likes of the account, %d of its posts", got, want)
	}
	for _, breakdown := range []string{"age", "city", "country", "gender"} {
		v, err := ask(t, w, "GET", me, "threads_insights", "metric", "follower_demographics", "breakdown", breakdown)
		total := 0
		parts := rowsOf(t, v, err)[0]["total_value"].(map[string]any)["breakdowns"].([]any)[0].(map[string]any)["results"].([]any)
		for _, p := range parts {
			total += p.(map[string]any)["value"].(int)
		}
		if total != threadsFollowers {
			t.Errorf("by %s there are %d followers, want %d", breakdown, total, threadsFollowers)
		}
	}
	if _, err := ask(t, w, "GET", me, "threads_insights", "metric", "follower_demographics"); rowName(err) != "parameter" {
		t.Errorf("demographics without a breakdown: %q", rowName(err))
	}
}

// TestRepliesAreHiddenAtTheFirstLevel only, with what hangs below.
func TestRepliesAreHiddenAtTheFirstLevel(t *testing.T) {
	t.Parallel()
	w, _ := shopAt(t)
	if _, err := ask(t, w, "POST", w.Get("6100000000000022"), "manage_reply", "hide", "true"); rowName(err) != "parameter" {
		t.Errorf("second level: %q", rowName(err))
	}
	if _, err := ask(t, w, "POST", w.Get("6100000000000021"), "manage_reply", "hide", "true"); err != nil {
		t.Fatal(rowName(err))
	}
	for id, want := range map[string]string{"6100000000000021": "HIDDEN", "6100000000000022": "HIDDEN", "6100000000000023": "NOT_HUSHED"} {
		v, err := ask(t, w, "GET", w.Get(id), "", "fields", "hide_status")
		if got := member(t, v, err, "hide_status"); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}
