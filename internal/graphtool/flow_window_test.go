package graphtool

import (
	"strings"
	"testing"
	"time"
)

func TestStanding(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		s     standing
		state string
		says  string
	}{
		"never wrote":                       {standing{}, "never_wrote", "may not write first"},
		"a second before the day is over":   {standing{Conversation: "t_1", Last: now.Add(-24*time.Hour + time.Second)}, "open", "23 hours ago"},
		"the day is over":                   {standing{Conversation: "t_1", Last: now.Add(-24*time.Hour - time.Second)}, "human_agent_only", "24 hours ago"},
		"the week is over":                  {standing{Conversation: "t_1", Last: now.Add(-7*24*time.Hour - time.Second)}, "closed", "7 days ago"},
		"not seen, and all is recent":       {standing{Conversation: "t_1", Before: now.Add(-time.Hour)}, "unknown", "none of the 20"},
		"not seen, but it was days ago":     {standing{Conversation: "t_1", Before: now.Add(-50 * time.Hour)}, "human_agent_only", "more than 2 days ago"},
		"not seen, but it was weeks ago":    {standing{Conversation: "t_1", Before: now.Add(-20 * 24 * time.Hour)}, "closed", "more than 20 days ago"},
		"a conversation without a message":  {standing{Conversation: "t_1"}, "unknown", "none of the 20"},
		"a message just now, by the minute": {standing{Conversation: "t_1", Last: now.Add(-time.Minute)}, "open", "1 minute ago"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.s.state(now); got != c.state {
				t.Errorf("state %s, want %s", got, c.state)
			}
			if got := c.s.why(now); !strings.Contains(got, c.says) {
				t.Errorf("%q does not say %q", got, c.says)
			}
		})
	}
}

// TestWhatIsAllowed: outside the window nothing is offered that Meta would refuse.
func TestWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state, platform string
		has, hasNot     []string
	}{
		"open":                 {"open", "messenger", []string{"RESPONSE or UPDATE", "UTILITY", "private reply"}, []string{"HUMAN_AGENT"}},
		"after a day":          {"human_agent_only", "messenger", []string{"HUMAN_AGENT", "UTILITY", "after_ad_click"}, []string{"UPDATE:"}},
		"after a week":         {"closed", "messenger", []string{"UTILITY", "private reply"}, []string{"HUMAN_AGENT", "RESPONSE"}},
		"Instagram after week": {"closed", "instagram", []string{"private reply"}, []string{"UTILITY", "HUMAN_AGENT"}},
		"never wrote":          {"never_wrote", "messenger", []string{"private reply"}, []string{"UTILITY", "HUMAN_AGENT", "RESPONSE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := strings.Join(allowed(c.state, c.platform), "\n")
			for _, w := range c.has {
				if !strings.Contains(all, w) {
					t.Errorf("%q is missing in\n%s", w, all)
				}
			}
			for _, w := range c.hasNot {
				if strings.Contains(all, w) {
					t.Errorf("%q is in\n%s", w, all)
				}
			}
		})
	}
}

func TestGiphyID(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://giphy.com/gifs/tea-time-cup-3o7TKsQ8UQ4l4LhGz6":              "3o7TKsQ8UQ4l4LhGz6",
		"https://giphy.com/gifs/3o7TKsQ8UQ4l4LhGz6":                           "3o7TKsQ8UQ4l4LhGz6",
		"https://media.giphy.com/media/3o7TKsQ8UQ4l4LhGz6/giphy.gif":          "3o7TKsQ8UQ4l4LhGz6",
		"https://media2.giphy.com/media/v1.Y2lk/3o7TKsQ8UQ4l4LhGz6/200w.webp": "3o7TKsQ8UQ4l4LhGz6",
		"https://i.giphy.com/3o7TKsQ8UQ4l4LhGz6.gif":                          "3o7TKsQ8UQ4l4LhGz6",
		"https://media.giphy.com/media/":                                      "",
		"https://giphy.com.example.com/gifs/3o7TKsQ8UQ4l4LhGz6":               "",
		"https://example.com/tea.gif":                                         "",
	} {
		if got := giphyID(address); got != want {
			t.Errorf("%s gives %q, want %q", address, got, want)
		}
	}
}
