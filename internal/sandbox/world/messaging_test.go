package world

import (
	"fmt"
	"testing"
	"time"
)

// shopAt is the documented world and its clock.
func shopAt(t *testing.T) (*World, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	return New(func() time.Time { return now }), &now
}

func rowName(err *Error) string {
	if err == nil {
		return ""
	}
	return err.Row.Name
}

// TestWindowsClose: who may be written to follows from the clock, by the policy.
func TestWindowsClose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		person string
		after  time.Duration
		params []string
		want   string
	}{
		"within a day":                   {"4310000000000001", 22 * time.Hour, nil, ""},
		"a day later":                    {"4310000000000001", 24 * time.Hour, nil, "window_closed"},
		"a day later, by a person":       {"4310000000000001", 24 * time.Hour, []string{"messaging_type", "MESSAGE_TAG", "tag", "HUMAN_AGENT"}, ""},
		"a week later, by a person":      {"4310000000000001", 7 * 24 * time.Hour, []string{"messaging_type", "MESSAGE_TAG", "tag", "HUMAN_AGENT"}, "window_closed"},
		"a tag that is gone":             {"4310000000000001", 0, []string{"messaging_type", "MESSAGE_TAG", "tag", "ACCOUNT_UPDATE"}, "parameter"},
		"first answer after an ad":       {"4310000000000004", 24 * time.Hour, nil, ""},
		"after an ad, but a week":        {"4310000000000004", 6 * 24 * time.Hour, nil, "window_closed"},
		"on Instagram":                   {"4310000000000012", 0, nil, "window_closed_instagram"},
		"template that is not approved":  {"4310000000000003", 0, []string{"messaging_type", "UTILITY", "message", `{"template":{"name":"sale"}}`}, "parameter"},
		"template that is":               {"4310000000000003", 0, []string{"messaging_type", "UTILITY", "message", `{"template":{"name":"order_shipped"}}`}, ""},
		"somebody who never wrote":       {"4319999999999999", 0, nil, "no_matching_user"},
		"a quick reply for phone number": {"4310000000000001", 0, []string{"message", `{"text":"x","quick_replies":[{"content_type":"user_phone_number"}]}`}, "parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, now := shopAt(t)
			*now = now.Add(c.after)
			params := append([]string{"recipient", fmt.Sprintf(`{"id":%q}`, c.person), "message", `{"text":"Hello"}`}, c.params...)
			if _, err := ask(t, w, "POST", w.Get(PageID), "messages", params...); rowName(err) != c.want {
				t.Errorf("answered with %q, want %q", rowName(err), c.want)
			}
		})
	}
}

// TestMessageIsThere: what was sent is the newest message, and nothing is unread.
func TestMessageIsThere(t *testing.T) {
	t.Parallel()
	w, now := shopAt(t)
	*now = now.Add(time.Minute)
	if _, err := ask(t, w, "POST", w.Get(PageID), "messages", "recipient", `{"id":"4310000000000001"}`, "message", `{"text":"On its way"}`); err != nil {
		t.Fatal(rowName(err))
	}
	v, err := ask(t, w, "GET", w.Get(PageID), "conversations", "fields", "id,snippet,unread_count,message_count,can_reply,messages.limit(1){message,from}")
	first := rowsOf(t, v, err)[0]
	if first["snippet"] != "On its way" || fmt.Sprint(first["unread_count"]) != "0" || fmt.Sprint(first["message_count"]) != "4" || first["can_reply"] != true {
		t.Errorf("the conversation is %v", first)
	}
	newest := first["messages"].(*Page).Data[0].(map[string]any)
	if from := newest["from"].(map[string]any); from["id"] != PageID {
		t.Errorf("it is from %v", from)
	}
}

// TestDetailsOfTwenty: older messages come without details.
func TestDetailsOfTwenty(t *testing.T) {
	t.Parallel()
	w, _ := shopAt(t)
	for range 20 {
		if _, err := ask(t, w, "POST", w.Get(PageID), "messages", "recipient", `{"id":"4310000000000001"}`, "message", `{"text":"Hello"}`); err != nil {
			t.Fatal(rowName(err))
		}
	}
	v, err := ask(t, w, "GET", w.Get("t_4300000000000001"), "messages", "fields", "id,message", "limit", "50")
	list := rowsOf(t, v, err)
	if len(list) != 23 || list[19]["message"] != "Hello" || list[20]["message"] != nil || list[20]["id"] == nil {
		t.Errorf("%d messages, the 20th %v, the 21st %v", len(list), list[19], list[20])
	}
}
