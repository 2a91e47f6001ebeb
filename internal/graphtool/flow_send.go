package graphtool

import (
	"context"
	"fmt"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// instagramBytes is how long an Instagram text may be, in bytes of UTF-8.
const instagramBytes = 1000

// sendFlow sends one message: it looks whether Meta allows it now, and refuses by
// itself what Meta would refuse. It reads these arguments, as far as a record has them:
// message, quick_replies, attachment_type, attachment_url, image_url, link_url,
// utility_template, messaging_type, tag, human_agent_confirmed, after_ad_click,
// notification_type, preview, platform.
type sendFlow struct {
	inbox
	Comment string // argument with a comment that is answered privately, in place of recipient_id
}

// Calls documents it.
func (f sendFlow) Calls() []tool.Call {
	var list []tool.Call
	if f.Account != "" {
		list = append(list, tool.Call{Verb: "GET", On: "User", Edge: "accounts", Note: "finds the Page, unless page_id names it"})
	}
	if f.Comment != "" {
		list = append(list, tool.Call{Verb: "GET", On: "Comment", Note: "when it was written"})
	} else {
		list = append(list, tool.Call{Verb: "GET", On: "Page", Edge: "conversations", Note: "with user_id: when the person last wrote"})
	}
	return append(list, tool.Call{Verb: "POST", On: "Page", Edge: "messages"})
}

// Run sends.
func (f sendFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	if platform := e.Args.Str("platform"); platform != "" {
		f.Platform = platform
	}
	form, err := f.form(e)
	if err != nil {
		return nil, err
	}
	page, err := f.page(ctx, e)
	if err != nil {
		return nil, err
	}
	var window map[string]any
	if f.Comment != "" {
		err = f.commentAge(ctx, e, page)
	} else {
		window, err = f.permit(ctx, e, page, form["messaging_type"])
	}
	if err != nil {
		return nil, err
	}
	if e.Args.Bool("preview") {
		e.Notice("Preview: nothing was sent.")
		return &tool.Answer{Data: map[string]any{"sent": false, "window": window, "would_send": form}}, nil
	}
	answer, err := e.Ask(ctx, tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "messages", Page: page}, form)
	if err != nil {
		return nil, f.refused(err)
	}
	answer["sent"] = true
	if window != nil {
		answer["window"] = window
	}
	return &tool.Answer{Data: answer}, nil
}

// form is what is posted.
func (f sendFlow) form(e *tool.Env) (map[string]any, error) {
	message, err := f.message(e)
	if err != nil {
		return nil, err
	}
	form := map[string]any{"message": message}
	if f.Comment != "" {
		form["recipient"] = map[string]any{"comment_id": e.Args.Str(f.Comment)}
		return form, nil
	}
	form["recipient"] = map[string]any{"id": e.Args.Str("recipient_id")}
	if silent := e.Args.Str("notification_type"); silent != "" {
		form["notification_type"] = silent
	}
	return form, messagingType(e, form)
}

// messagingType sets messaging_type and tag. Which goes with which is in the records.
func messagingType(e *tool.Env, form map[string]any) error {
	kind, tag := e.Args.Str("messaging_type"), e.Args.Str("tag")
	template := e.Args.Has("utility_template")
	if kind == "" {
		switch {
		case tag != "":
			kind = "MESSAGE_TAG"
		case template:
			kind = "UTILITY"
		default:
			kind = "RESPONSE"
		}
	}
	switch {
	case kind != "MESSAGE_TAG" && tag != "":
		return tool.Bad("messaging_type", "must be MESSAGE_TAG with a tag", "Leave messaging_type out, or the tag.")
	case kind == "UTILITY" && !template:
		return tool.Bad("messaging_type", "UTILITY is for an approved template, and there is none", "Leave messaging_type out. Templates go through meta_send_page_message, with utility_template.")
	case kind != "UTILITY" && template:
		return tool.Bad("messaging_type", "must be UTILITY with a template", "Leave messaging_type out, or the template.")
	case tag != "" && !e.Args.Bool("human_agent_confirmed"):
		return tool.Bad("human_agent_confirmed", "must be true with tag HUMAN_AGENT", "Meta allows the tag only for what a person wrote. Ask the person who wrote this text to confirm it; a program must not confirm for itself.")
	}
	form["messaging_type"] = kind
	if tag != "" {
		form["tag"] = tag
	}
	return nil
}

// message is the message object: a text, an attachment or a template.
func (f sendFlow) message(e *tool.Env) (map[string]any, error) {
	message := map[string]any{}
	words := e.Args.Str("message") + e.Args.Str("link_url")
	if f.Platform == "instagram" && len(words) > instagramBytes {
		return nil, tool.Bad("message", fmt.Sprintf("has %d bytes", len(words)), "Instagram takes 1000 bytes of UTF-8; send it in parts.")
	}
	if words != "" {
		message["text"] = words
	}
	kind, address := e.Args.Str("attachment_type"), e.Args.Str("attachment_url")
	if image := e.Args.Str("image_url"); image != "" {
		kind, address = "image", image
	}
	if address != "" {
		message["attachment"] = map[string]any{"type": kind, "payload": map[string]any{"url": address}}
	}
	if template := e.Args.Map("utility_template"); template != nil {
		message["template"] = map[string]any{
			"name": template["name"], "language": map[string]any{"code": template["language"]}, "components": orEmpty(template["components"]),
		}
	}
	replies, err := quickReplies(e)
	if len(replies) > 0 {
		message["quick_replies"] = replies
	}
	return message, err
}

// quickReplies are buttons under a message. Those that asked for phone number and
// e-mail address are gone since 2026-10-05.
func quickReplies(e *tool.Env) ([]any, error) {
	list := e.Args.List("quick_replies")
	for i, v := range list {
		reply, _ := v.(map[string]any)
		switch kind, _ := reply["content_type"].(string); kind {
		case "text":
		case "user_phone_number", "user_email":
			return nil, tool.Bad(fmt.Sprintf("quick_replies.%d.content_type", i), kind+" was switched off by Meta on 2026-10-05", "Use text, and ask for it in words.")
		default:
			return nil, tool.Bad(fmt.Sprintf("quick_replies.%d.content_type", i), "is no kind of quick reply", "Use text.")
		}
		if reply["title"] == nil || reply["payload"] == nil {
			return nil, tool.Bad(fmt.Sprintf("quick_replies.%d", i), "has no title or no payload", "Give both.")
		}
	}
	return list, nil
}

// permit looks at the window and refuses what is outside it.
func (f sendFlow) permit(ctx context.Context, e *tool.Env, page string, kind any) (map[string]any, error) {
	if kind == "UTILITY" {
		return nil, nil // a template needs no window
	}
	s, err := readStanding(ctx, e, page, f.Platform, e.Args.Str("recipient_id"))
	if err != nil {
		return nil, err
	}
	now := e.Now()
	longer := kind == "MESSAGE_TAG" || kind == "RESPONSE" && e.Args.Bool("after_ad_click") && !s.Answered
	switch state := s.state(now); {
	case state == "open", state == "human_agent_only" && longer:
	case state == "unknown":
		e.Notice(s.why(now) + " Meta decides.")
	default:
		return nil, s.closed(now, f.Platform)
	}
	return s.tell(now, f.Platform), nil
}

// commentAge refuses a private reply that comes too late.
func (f sendFlow) commentAge(ctx context.Context, e *tool.Env, page string) error {
	on, field := "Comment", "created_time"
	if f.Platform == "instagram" {
		on, field = "IGComment", "timestamp"
	}
	c, err := e.Ask(ctx, tool.Target{Verb: "GET", On: on, ID: e.Args.Str(f.Comment), Page: page}, map[string]any{"fields": field})
	if have, ok := fault.As(err); ok && have.Code == fault.MetaRefused && f.Platform == "messenger" {
		with := *have
		return (&with).WithFix("If the comment is on an Instagram post, give platform instagram.")
	}
	if err != nil {
		return err
	}
	at, ok := graphTime(text(c, field))
	if !ok || e.Now().Sub(at) <= humanWindow {
		return nil // Meta decides
	}
	return fault.New(fault.WindowClosed, "not sent: the comment was written %s ago, and a private reply may follow within 7 days", ago(e.Now().Sub(at))).
		WithFix("Answer the comment in public (meta_reply_post_comment), or wait until the person writes to the Page.")
}

// refused adds to Meta's refusals what an agent would do next.
func (f sendFlow) refused(err error) error {
	have, ok := fault.As(err)
	if !ok {
		return err
	}
	with := *have
	switch {
	case have.Code == fault.WindowClosed && fmt.Sprint(have.Details["code"]) == "551":
		return (&with).WithFix("The person can't be messaged at present: they blocked the Page, left, or are restricted. Don't try again.")
	case have.Code == fault.WindowClosed:
		return (&with).WithFix("Meta counts the window as closed. Wait until the person writes again; meta_check_messaging_window says what may be sent.")
	case have.Code == fault.CallUnknown:
		return (&with).WithFix("Look whether it arrived (meta_get_conversation_messages) before you send it again.")
	}
	return err
}

func orEmpty(v any) any {
	if v == nil {
		return []any{}
	}
	return v
}
