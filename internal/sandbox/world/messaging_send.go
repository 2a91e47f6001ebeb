package world

import (
	"slices"
	"time"
	"unicode/utf8"
)

// outgoing is a message on its way.
type outgoing struct {
	Recipient struct {
		ID        string `json:"id"`
		CommentID string `json:"comment_id"`
	}
	Message struct {
		Text       string `json:"text"`
		Attachment *struct {
			Type    string         `json:"type"`
			Payload map[string]any `json:"payload"`
		} `json:"attachment"`
		Template *struct {
			Name string `json:"name"`
		} `json:"template"`
		QuickReplies []struct {
			Kind string `json:"content_type"`
		} `json:"quick_replies"`
	}
}

func sendMessage(c *Call) (any, *Error) {
	var m outgoing
	if err := c.JSON("recipient", &m.Recipient); err != nil {
		return nil, err
	}
	if c.Has("message") {
		if err := c.JSON("message", &m.Message); err != nil {
			return nil, err
		}
	}
	if m.Recipient.CommentID != "" {
		return replyPrivately(c, &m)
	}
	i := slices.IndexFunc(c.World.Linked(c.On, "conversations"), func(o *Object) bool { return o.Str("person") == m.Recipient.ID })
	if i < 0 {
		return nil, Fail("no_matching_user")
	}
	thread := c.World.Linked(c.On, "conversations")[i]
	if c.Has("sender_action") && !c.Has("message") {
		return map[string]any{"recipient_id": m.Recipient.ID}, nil
	}
	if err := c.mayUse(thread.Str("platform")); err != nil {
		return nil, err
	}
	if err := m.check(thread.Str("platform")); err != nil {
		return nil, err
	}
	if err := windowOf(c, thread, &m); err != nil {
		return nil, err
	}
	return c.deliver(thread, &m), nil
}

// check refuses content that the platform does not take.
func (m *outgoing) check(platform string) *Error {
	text := m.Message.Text
	switch {
	case text == "" && m.Message.Attachment == nil && m.Message.Template == nil:
		return Bad("Param message must hold text, an attachment or a template")
	case platform == "messenger" && utf8.RuneCountInString(text) > 2000:
		return Bad("Length of param message[text] must be less than or equal to 2000")
	case platform == "instagram" && len(text) > 1000:
		return Bad("Length of param message[text] must be less than or equal to 1000 bytes")
	}
	for _, q := range m.Message.QuickReplies {
		if q.Kind != "text" {
			return Bad("Param message[quick_replies] has a content_type that is not supported: " + clip(q.Kind))
		}
	}
	return nil
}

// windowOf refuses what the policy does not allow at this time.
func windowOf(c *Call, thread *Object, m *outgoing) *Error {
	closed := "window_closed"
	if thread.Str("platform") == "instagram" {
		closed = "window_closed_instagram"
	}
	age := c.Now.Sub(lastInbound(c.World, thread))
	kind := c.Param("messaging_type")
	switch {
	case m.Message.Template != nil && kind != "UTILITY":
		return Bad("A template needs the messaging_type UTILITY")
	case kind == "UTILITY":
		if m.Message.Template == nil || !slices.Contains(approvedTemplates, m.Message.Template.Name) {
			return Bad("The template does not exist, or is not approved")
		}
	case kind == "MESSAGE_TAG":
		if !c.Has("tag") {
			return Bad("Param tag is required with the messaging_type MESSAGE_TAG")
		}
		if age > humanWindow {
			return Fail(closed)
		}
	case thread.Attrs["from_ad"] == true && age <= humanWindow: // until the first answer
	case age > dayWindow:
		return Fail(closed)
	}
	return nil
}

// deliver writes the message and answers as the API does.
func (c *Call) deliver(thread *Object, m *outgoing) any {
	o := c.World.write(thread, "m_"+c.World.NextID(), m.Message.Text, false, c.Now)
	if a := m.Message.Attachment; a != nil {
		o.Attrs["attachments"] = map[string]any{"data": []any{map[string]any{"id": c.World.NextID(), "mime_type": a.Type, "file_url": a.Payload["url"]}}}
	}
	thread.Attrs["from_ad"] = false
	return map[string]any{"recipient_id": thread.Str("person"), "message_id": o.ID}
}

// replyPrivately writes to the author of a comment: once, within seven days.
func replyPrivately(c *Call, m *outgoing) (any, *Error) {
	comment := c.World.Get(m.Recipient.CommentID)
	if comment == nil || comment.Kind != "Comment" && comment.Kind != "IGComment" {
		return nil, c.NoObject(clip(m.Recipient.CommentID))
	}
	p := correspondent{id: "431" + c.World.NextID(), name: "Customer", platform: "messenger"}
	if comment.Kind == "IGComment" {
		p.platform, p.name = "instagram", "customer"
	}
	if err := m.check(p.platform); err != nil {
		return nil, err
	}
	at, _ := c.Value(comment, "created_time").(time.Time)
	switch {
	case comment.Attrs["private_reply"] == true:
		return nil, Fail("replied_already")
	case c.Now.Sub(at) > humanWindow:
		return nil, Fail("window_closed")
	}
	if ref, ok := comment.Attrs["from"].(Ref); ok && c.World.Get(string(ref)) != nil {
		author := c.World.Get(string(ref))
		p.name = orDefault(author.Str("name"), orDefault(author.Str("username"), p.name))
	}
	comment.Attrs["private_reply"] = true
	return c.deliver(c.World.startThread(c.On, "t_"+c.World.NextID(), p), m), nil
}
