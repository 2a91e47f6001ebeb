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
		"exactly a day":                     {standing{Conversation: "t_1", Last: now.Add(-24 * time.Hour)}, "open", "24 hours ago"},
		"exactly a week":                    {standing{Conversation: "t_1", Last: now.Add(-7 * 24 * time.Hour)}, "human_agent_only", "7 days ago"},
		"by a clock that is ahead of ours":  {standing{Conversation: "t_1", Last: now.Add(5 * time.Minute)}, "open", "0 minutes ago"},
		"only the Page has written":         {standing{Conversation: "t_1", Before: now.Add(-50 * time.Hour), Answered: true, Silent: true}, "never_wrote", "no message is theirs"},
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
			all := strings.Join(standing{}.allowed(c.state, c.platform), "\n")
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

// TestStandingOfThreads: what the threads of a person say together.
func TestStandingOfThreads(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	const person, page = "4310", "4000"
	// thread makes one of its messages, newest first: sender and hours ago.
	thread := func(next bool, said ...any) map[string]any {
		var list []any
		for i := 0; i < len(said); i += 2 {
			m := map[string]any{"created_time": now.Add(-time.Duration(said[i+1].(int)) * time.Hour).Format("2006-01-02T15:04:05-0700")}
			if said[i] != "" {
				m["from"] = map[string]any{"id": said[i]}
			}
			list = append(list, m)
		}
		messages := map[string]any{"data": list}
		if next {
			messages["paging"] = map[string]any{"next": "more"}
		}
		return map[string]any{"id": "t_1", "messages": messages}
	}
	for name, c := range map[string]struct {
		threads  []map[string]any
		state    string
		answered bool
	}{
		"none":                                     {nil, "never_wrote", false},
		"answered, and written again":              {[]map[string]any{thread(false, person, 1, page, 2, person, 30)}, "open", false},
		"answered":                                 {[]map[string]any{thread(false, page, 2, person, 30)}, "human_agent_only", true},
		"the Page alone, all seen":                 {[]map[string]any{thread(false, page, 2)}, "never_wrote", true},
		"the Page alone, more behind":              {[]map[string]any{thread(true, page, 2)}, "unknown", true},
		"the Page alone for days, more behind":     {[]map[string]any{thread(true, page, 2, page, 40)}, "human_agent_only", true},
		"somebody without a name":                  {[]map[string]any{thread(false, page, 2, "", 3, person, 400)}, "unknown", false},
		"empty":                                    {[]map[string]any{thread(false)}, "unknown", false},
		"the open one is not the newest":           {[]map[string]any{thread(false, page, 1, person, 100), thread(false, person, 3)}, "open", false},
		"the open one is the first":                {[]map[string]any{thread(false, person, 3), thread(false, page, 9, person, 100)}, "open", false},
		"a private reply beside an old thread":     {[]map[string]any{thread(false, page, 1), thread(false, person, 100)}, "human_agent_only", false},
		"one that can't be read beside an old one": {[]map[string]any{thread(false, person, 300), thread(true, page, 2)}, "unknown", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []standing
			for _, th := range c.threads {
				all = append(all, standingOf(th, person))
			}
			s := widest(all, now)
			if got := s.state(now); got != c.state || s.Answered != c.answered {
				t.Errorf("state %s, answered %v; want %s, %v", got, s.Answered, c.state, c.answered)
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
