package graphtool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// How long a person who wrote may be answered, by Meta's messaging policy.
const (
	standardWindow = 24 * time.Hour
	humanWindow    = 7 * 24 * time.Hour // by a person; also after a click on an ad, until the first answer
)

// standing is what is known of the window of one person.
type standing struct {
	Conversation string
	Last         time.Time // when the person last wrote; zero: never, or not seen
	Before       time.Time // not seen, but it was before this
	Answered     bool      // the Page has written since
	Silent       bool      // all messages were seen, and none is the person's
}

// state names where the window stands.
func (s standing) state(now time.Time) string {
	last := s.last()
	switch {
	case s.Conversation == "", s.Silent:
		return "never_wrote"
	case last.IsZero(), s.Last.IsZero() && now.Sub(last) <= standardWindow:
		return "unknown"
	case now.Sub(last) <= standardWindow:
		return "open"
	case now.Sub(last) <= humanWindow:
		return "human_agent_only"
	}
	return "closed"
}

// last is when the person last wrote, at the latest.
func (s standing) last() time.Time {
	if s.Last.IsZero() {
		return s.Before
	}
	return s.Last
}

// seen is how many messages of a thread are looked at: Meta tells details of the
// newest 20 only.
const seen = 20

// readStanding asks when a person last wrote to the Page.
func readStanding(ctx context.Context, e *tool.Env, page, platform, person string) (standing, error) {
	list, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "Page", ID: page, Edge: "conversations", Page: page}, map[string]any{
		"platform": platform, "user_id": person, "fields": fmt.Sprintf("id,updated_time,messages.limit(%d){id,created_time,from}", seen),
	})
	if err != nil {
		return standing{}, err
	}
	var all []standing
	for _, v := range members(list, "data") {
		thread, _ := v.(map[string]any)
		all = append(all, standingOf(thread, person))
	}
	return widest(all, e.Now()), nil
}

// states are the states, the one that leaves the most open first.
var states = []string{"open", "unknown", "human_agent_only", "closed", "never_wrote"}

// widest is the standing that counts where a person has several threads.
func widest(all []standing, now time.Time) standing {
	if len(all) == 0 {
		return standing{}
	}
	return slices.MinFunc(all, func(a, b standing) int {
		return cmp.Or(slices.Index(states, a.state(now))-slices.Index(states, b.state(now)), b.last().Compare(a.last()))
	})
}

// standingOf reads one thread, newest message first.
func standingOf(thread map[string]any, person string) standing {
	s := standing{Conversation: text(thread, "id")}
	messages, _ := thread["messages"].(map[string]any)
	list := members(messages, "data")
	for _, v := range list {
		m, _ := v.(map[string]any)
		from, _ := m["from"].(map[string]any)
		at, ok := graphTime(text(m, "created_time"))
		switch by := text(from, "id"); {
		case !ok:
		case by == person:
			s.Last = at
			return s
		case by == "": // nobody is named: it may be the person's
			return standing{Conversation: s.Conversation}
		default:
			s.Answered, s.Before = true, at
		}
	}
	paging, _ := messages["paging"].(map[string]any)
	s.Silent = s.Answered && paging["next"] == nil && len(list) < seen
	return s
}

// graphTime reads a time as Graph writes it: without a colon in the zone, in places with.
func graphTime(text string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} {
		if at, err := time.Parse(form, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// windowFlow tells what may be sent to a person now.
type windowFlow struct{}

// Calls documents it.
func (windowFlow) Calls() []tool.Call {
	return []tool.Call{{Verb: "GET", On: "Page", Edge: "conversations", Note: "with user_id: when the person last wrote"}}
}

// Run looks and explains.
func (windowFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	platform := e.Args.Str("platform")
	s, err := readStanding(ctx, e, e.Args.Str("page_id"), platform, e.Args.Str("recipient_id"))
	if err != nil {
		return nil, err
	}
	return &tool.Answer{Data: s.tell(e.Now(), platform)}, nil
}

// tell is the standing as an answer: the state, until when, why, and what is allowed.
func (s standing) tell(now time.Time, platform string) map[string]any {
	state := s.state(now)
	data := map[string]any{"state": state, "platform": platform, "why": s.why(now), "allowed": asList(s.allowed(state, platform))}
	if s.Conversation != "" {
		data["conversation_id"] = s.Conversation
	}
	if !s.Last.IsZero() {
		data["last_inbound_time"] = s.Last.UTC().Format(time.RFC3339)
		data["open_until"] = s.Last.Add(standardWindow).UTC().Format(time.RFC3339)
		data["human_agent_until"] = s.Last.Add(humanWindow).UTC().Format(time.RFC3339)
	}
	return data
}

func (s standing) why(now time.Time) string {
	switch state := s.state(now); {
	case state == "never_wrote" && s.Silent:
		return "In the conversation with this person no message is theirs: a Page may not write again before they do."
	case state == "never_wrote":
		return "There is no conversation with this person: they have never written to the Page, and a Page may not write first."
	case state == "unknown":
		return fmt.Sprintf("The person wrote none of the %d newest messages, so that the time of their last one can't be read.", seen)
	}
	least := ""
	if s.Last.IsZero() {
		least = "more than "
	}
	text := fmt.Sprintf("The person last wrote %s%s ago; ", least, ago(now.Sub(s.last())))
	switch s.state(now) {
	case "open":
		return text + "the Page may answer for 24 hours."
	case "human_agent_only":
		return text + "the 24 hours are over, the 7 days for a human agent are not."
	}
	return text + "the 24 hours and the 7 days for a human agent are over."
}

// allowed is what Meta's policy lets a Page send in a state.
func (s standing) allowed(state, platform string) []string {
	const (
		any24   = "RESPONSE or UPDATE: any message, promotions included"
		human   = "MESSAGE_TAG with tag HUMAN_AGENT: an answer that a person wrote, for 7 days after the person's last message, with Meta's approval of the app (human_agent_confirmed)"
		utility = "UTILITY: an approved template about an order, an account or an appointment"
		private = "one private reply to a comment of the person, within 7 days of the comment (meta_send_private_reply)"
		click   = "RESPONSE with after_ad_click: the first answer to a person who came through a click-to-message ad, for 7 days"
	)
	var list []string
	switch state {
	case "open":
		list = append(list, any24)
	case "human_agent_only":
		list = append(list, human)
		if !s.Answered {
			list = append(list, click)
		}
	case "unknown":
		list = append(list, any24+", if the person wrote in the last 24 hours: Meta decides", human)
	}
	if platform == "messenger" && state != "never_wrote" {
		list = append(list, utility)
	}
	return append(list, private)
}

// closed is the refusal of a message that Meta would refuse, before it is sent.
func (s standing) closed(now time.Time, platform string) error {
	state := s.state(now)
	fix := "Wait until the person writes again. Allowed now: "
	for i, line := range s.allowed(state, platform) {
		if i > 0 {
			fix += "; "
		}
		fix += line
	}
	err := fault.New(fault.WindowClosed, "not sent: %s", lowerFirst(s.why(now))).WithFix("%s.", fix).With("state", state)
	if !s.Last.IsZero() {
		err = err.With("last_inbound_time", s.Last.UTC().Format(time.RFC3339))
	}
	return err
}

func ago(d time.Duration) string {
	d = max(d, 0) // clocks differ
	n, unit := int(d.Minutes()), "minute"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d.Hours()/24), "day"
	case d >= time.Hour:
		n, unit = int(d.Hours()), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func asList(texts []string) []any {
	list := make([]any, 0, len(texts))
	for _, t := range texts {
		list = append(list, t)
	}
	return list
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}
