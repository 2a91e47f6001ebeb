package world

import (
	"slices"
	"strings"
	"time"
)

// The inbox of the Page, of Messenger and of the linked Instagram account: who wrote
// when decides what the Page may answer (messenger-platform/policy).

var messagingBehaviours = map[string]Behaviour{
	"GET Page.conversations":        listConversations,
	"GET Conversation.messages":     listMessages,
	"POST Page.messages":            sendMessage,
	"GET Page.messenger_profile":    readProfile,
	"POST Page.messenger_profile":   writeProfile,
	"DELETE Page.messenger_profile": deleteProfile,
}

var messagingFields = map[string]fieldOf{
	"Conversation.message_count": func(c *Call, o *Object) any { return len(c.World.Linked(o, "messages")) },
	"Conversation.updated_time":  func(c *Call, o *Object) any { return lastWritten(c.World, o) },
	"Conversation.snippet": func(c *Call, o *Object) any {
		if list := c.World.Linked(o, "messages"); len(list) > 0 {
			return list[0].Attrs["message"]
		}
		return nil
	},
	"Conversation.can_reply": func(c *Call, o *Object) any { return c.Now.Sub(lastInbound(c.World, o)) <= dayWindow },
	"Conversation.link":      func(_ *Call, o *Object) any { return "https://www.facebook.com/messages/" + o.ID },
}

// The windows of the policy.
const (
	dayWindow   = 24 * time.Hour
	humanWindow = 7 * 24 * time.Hour
	// detailed is how many messages of a conversation can be read with details.
	detailed = 20
)

// approvedTemplates are the utility templates that the Page may send outside the window.
var approvedTemplates = []string{"order_shipped", "appointment_reminder"}

type correspondent struct {
	id, name, platform string
	ad                 bool // came through a click-to-message ad and has no answer yet
}

// seedMessaging makes people who wrote one hour, two, three and ten days ago, and two on
// Instagram.
func seedMessaging(w *World) {
	page := w.Get(PageID)
	for _, p := range []struct {
		correspondent
		thread string
		said   []said
	}{
		{correspondent{"4310000000000003", "Customer Three", "messenger", false}, "t_4300000000000003", []said{{240 * time.Hour, "Do you repair cups?", true}}},
		{correspondent{"4310000000000002", "Customer Two", "messenger", false}, "t_4300000000000002", []said{
			{72 * time.Hour, "Is the green cup back?", true}, {71 * time.Hour, "We expect it next week.", false},
		}},
		{correspondent{"4310000000000004", "Customer Six", "messenger", true}, "t_4300000000000004", []said{{48 * time.Hour, "I saw your offer. What does it cost?", true}}},
		{correspondent{"4310000000000001", "Customer One", "messenger", false}, "t_4300000000000001", []said{
			{26 * time.Hour, "Hello, where is order 1001?", true}, {25 * time.Hour, "It leaves tomorrow.", false}, {time.Hour, "Is it on its way now?", true},
		}},
		{correspondent{"4310000000000012", "customer_five", "instagram", false}, "t_4300000000000012", []said{{96 * time.Hour, "Love the new cups", true}}},
		{correspondent{"4310000000000011", "customer_four", "instagram", false}, "t_4300000000000011", []said{{2 * time.Hour, "Does it come in blue?", true}}},
	} {
		thread := w.startThread(page, p.thread, p.correspondent)
		for i, s := range p.said {
			m := w.write(thread, "m_"+strings.TrimPrefix(p.thread, "t_")+string(rune('a'+i)), s.text, s.inbound, w.Now().Add(-s.before))
			m.Made = w.Now().Add(-s.before)
		}
	}
	if post := w.Get(PageID + "_4100000000000003"); post != nil { // a comment too old for a private reply
		w.addComment(PageID+"_4200000000000091", post, visitor(3), "Can you repair a cup?").ago(9 * 24 * time.Hour)
	}
	page.Attrs[profileKey("messenger")] = map[string]any{
		"greeting":     []any{map[string]any{"locale": "default", "text": "Hello {{user_first_name}}, how can we help?"}},
		"ice_breakers": []any{map[string]any{"locale": "default", "call_to_actions": []any{map[string]any{"question": "Where is my order?", "payload": "ORDER"}}}},
		"get_started":  map[string]any{"payload": "START"},
	}
}

type said struct {
	before  time.Duration
	text    string
	inbound bool
}

// startThread makes the conversation with a person.
func (w *World) startThread(page *Object, id string, p correspondent) *Object {
	them, us := w.sides(page, p)
	thread := w.AddAs(id, "Conversation", page, Attrs{
		"platform": p.platform, "person": p.id, "from_ad": p.ad, "folder": "inbox", "unread_count": 0, "is_subscribed": true,
		"participants": map[string]any{"data": []any{them, us}}, "senders": map[string]any{"data": []any{them, us}}, "them": them, "us": us,
	})
	w.Link(page, "conversations", thread)
	return thread
}

// sides are how a person and the Page are named in a conversation: by name on Messenger,
// by username on Instagram.
func (w *World) sides(page *Object, p correspondent) (them, us map[string]any) {
	if p.platform == "instagram" {
		return map[string]any{"username": p.name, "id": p.id}, map[string]any{"username": "sandbox_shop", "id": InstagramID}
	}
	return map[string]any{"name": p.name, "id": p.id}, map[string]any{"name": page.Str("name"), "id": page.ID}
}

// write adds a message to a conversation.
func (w *World) write(thread *Object, id, text string, inbound bool, at time.Time) *Object {
	from, to := thread.Attrs["us"], thread.Attrs["them"]
	unread, _ := thread.Attrs["unread_count"].(int)
	if inbound {
		from, to = to, from
		thread.Attrs["unread_count"] = unread + 1
	} else {
		thread.Attrs["unread_count"] = 0
	}
	m := w.AddAs(id, "Message", thread, Attrs{
		"message": text, "from": from, "to": map[string]any{"data": []any{to}}, "created_time": at, "inbound": inbound,
	})
	w.Link(thread, "messages", m)
	return m
}

func lastWritten(w *World, thread *Object) time.Time {
	for _, m := range w.Linked(thread, "messages") {
		at, _ := m.Attrs["created_time"].(time.Time)
		return at
	}
	return thread.Made
}

// lastInbound is when the person last wrote; zero when never.
func lastInbound(w *World, thread *Object) time.Time {
	for _, m := range w.Linked(thread, "messages") {
		if m.Attrs["inbound"] == true {
			at, _ := m.Attrs["created_time"].(time.Time)
			return at
		}
	}
	return time.Time{}
}

// mayUse asks for the permission of a platform's inbox.
func (c *Call) mayUse(platform string) *Error {
	scope := "pages_messaging"
	if platform == "instagram" {
		scope = "instagram_manage_messages"
	}
	if c.Token != nil && !slices.Contains(c.Token.Scopes, scope) {
		return Fail("permission_to_read", "scope", scope)
	}
	return nil
}

func listConversations(c *Call) (any, *Error) {
	platform := orDefault(c.Param("platform"), "messenger")
	if err := c.mayUse(platform); err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(c.World.Linked(c.On, "conversations"), func(o *Object) bool {
		folder := c.Param("folder")
		return o.Str("platform") != platform || c.Has("user_id") && o.Str("person") != c.Param("user_id") || folder != "" && o.Str("folder") != folder
	})
	slices.SortStableFunc(list, func(a, b *Object) int { return lastWritten(c.World, b).Compare(lastWritten(c.World, a)) })
	return c.List(list)
}

// listMessages gives details of the newest messages only, as the API does.
func listMessages(c *Call) (any, *Error) {
	wanted, err := c.Fields()
	if err != nil {
		return nil, err
	}
	if err := c.mayUse(c.On.Str("platform")); err != nil {
		return nil, err
	}
	list := c.World.Linked(c.On, "messages")
	return Paged(c, list, func(o *Object) string { return o.ID }, func(o *Object) (any, *Error) {
		if slices.Index(list, o) >= detailed {
			return c.Render(o, []Selection{{Name: "id"}, {Name: "created_time"}})
		}
		return c.Render(o, wanted)
	})
}
