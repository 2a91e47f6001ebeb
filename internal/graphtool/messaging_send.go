package graphtool

import (
	"strings"

	"sluice/internal/graphtool/tool"
)

const sentMembers = "sent:bool recipient_id:id message_id:string window:map would_send:map"

// sendArgs are the arguments that say in which form Meta lets a message through.
func sendArgs() []tool.Arg {
	return []tool.Arg{
		tool.Enum("messaging_type", "RESPONSE UPDATE MESSAGE_TAG UTILITY", "RESPONSE answers a message, UPDATE is unasked for; both within 24 hours. Follows from tag and utility_template when left out."),
		tool.Enum("tag", "HUMAN_AGENT", "The only message tag left: allows 7 days, for what a person wrote. ACCOUNT_UPDATE, CONFIRMED_EVENT_UPDATE and POST_PURCHASE_UPDATE are gone."),
		tool.Bool("human_agent_confirmed", "True when a person wrote this text and confirms it. Never set it for text of a program."),
		tool.Bool("after_ad_click", "True for the first answer to somebody who came through a click-to-message ad: 7 days."),
		tool.Bool("preview", "True checks everything, shows what would be sent, and sends nothing."),
	}
}

func sendRules(more ...tool.Rule) []tool.Rule {
	return append(more, tool.WhenIs("messaging_type", "MESSAGE_TAG", "tag"))
}

var sendTools = []*tool.Tool{
	{
		Name: "meta_send_page_message", Title: "Send a Page message", Set: "messages.write", Core: true,
		Does: "Sends one Messenger message from a Facebook Page to a person who has written to it: a text, an attachment, or an approved template.",
		Use: "For Instagram use meta_send_instagram_message; to answer a comment in private meta_send_private_reply; in public meta_reply_post_comment. " +
			"meta_check_messaging_window says what is allowed without sending.",
		Note: "Looks first when the person last wrote: after 24 hours it sends nothing and answers window_closed with what is allowed.",
		Args: append([]tool.Arg{
			tool.ID("page_id", "Page", "Page that writes."),
			recipient("Page-scoped id of the person, as in the participants of a conversation."),
			tool.Text("message", "Text, up to 2000 characters.").Min(1).Max(2000),
			tool.Enum("attachment_type", "image video audio file", "Kind of attachment_url."),
			tool.URL("attachment_url", "Public https address of a file to send in place of a text; up to 25 MB."),
			tool.List("quick_replies", tool.Object("", "",
				tool.Text("content_type", "text. user_phone_number and user_email were switched off on 2026-10-05.").Req(),
				tool.Text("title", "Words on the button.").Max(20),
				tool.Text("payload", "What comes back when it is pressed.").Max(1000),
				tool.URL("image_url", "Small picture on the button."),
			), "Buttons under the message.").Max(13),
			tool.Object("utility_template", "Approved utility template: needs no window, but the permission page_utility_messaging; offered in some countries only.",
				tool.Text("name", "Name of the template.").Req(), tool.Text("language", "Language code, such as en_US.").Req(),
				tool.List("components", tool.Object("", ""), "Values of its placeholders, as Meta describes components.")),
			tool.Enum("notification_type", "REGULAR SILENT_PUSH NO_PUSH", "How the person's phone tells of it."),
		}, sendArgs()...),
		OneOf:    []string{"message attachment_url utility_template"},
		Rules:    sendRules(tool.Needs("attachment_url", "attachment_type"), tool.Needs("attachment_type", "attachment_url"), tool.WhenIs("messaging_type", "UTILITY", "utility_template")),
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: sendFlow{inbox: inbox{Platform: "messenger"}},
		Out:  tool.Out{Members: sentMembers, Heading: "Message to {recipient_id}"},
		Cases: []tool.Case{
			{
				Name: "inside the window", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Sent!"}`,
				Asks: []string{
					"GET /4000000000000001/conversations platform=messenger user_id=4310000000000001",
					`POST /4000000000000001/messages messaging_type=RESPONSE recipient={"id":"4310000000000001"} message={"text":"Sent!"}`,
				},
				Has: []string{"data.sent=true", "data.message_id", "data.recipient_id=4310000000000001", "data.window.state=open"},
			},
			{
				Name: "first answer after an ad", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000004","message":"Twelve pounds.","after_ad_click":true}`,
				Asks: []string{"GET /4000000000000001/conversations", "POST /4000000000000001/messages messaging_type=RESPONSE"}, Has: []string{"data.sent=true"},
			},
			{
				Name: "second answer after an ad", Before: []tool.Prior{{Tool: "meta_send_page_message", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000004","message":"Twelve pounds.","after_ad_click":true}`}},
				Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000004","message":"And green ones.","after_ad_click":true}`,
				Asks: []string{"GET /4000000000000001/conversations"}, Error: "window_closed", Says: []string{"2 days"},
			},
			{
				Name: "unasked for after an ad", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000004","message":"Sale!","messaging_type":"UPDATE","after_ad_click":true}`,
				Asks: []string{"GET /4000000000000001/conversations"}, Error: "window_closed",
			},
			{
				Name: "arrives", Before: []tool.Prior{{Tool: "meta_send_page_message", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Thank you!"}`, Save: "message=message_id"}},
				Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","attachment_type":"image","attachment_url":"https://example.com/cup.jpg"}`, Has: []string{"data.sent=true"},
			},
			{
				Name: "after three days", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000002","message":"Sorry for the wait"}`,
				Asks: []string{"GET /4000000000000001/conversations"}, Error: "window_closed", Says: []string{"3 days", "HUMAN_AGENT", "UTILITY", "private reply"},
			},
			{
				Name: "after three days by a person", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000002","message":"Sorry for the wait","tag":"HUMAN_AGENT","human_agent_confirmed":true}`,
				Asks: []string{"GET /4000000000000001/conversations", "POST /4000000000000001/messages messaging_type=MESSAGE_TAG tag=HUMAN_AGENT"}, Has: []string{"data.sent=true"},
			},
			{
				Name: "Meta counts the window as closed", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hi"}`,
				Faults: `{"kind":"error","edge":"messages","name":"window_closed"}`, Error: "window_closed", Says: []string{"meta_check_messaging_window"},
			},
			{
				Name: "person not available", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hi"}`,
				Faults: `{"kind":"error","edge":"messages","name":"person_unavailable"}`, Error: "window_closed", Says: []string{"blocked"},
			},
			{
				Name: "no answer came", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hi"}`,
				Faults: `{"kind":"drop_after","edge":"messages","next":1}`, Error: "call_outcome_unknown", Says: []string{"meta_get_conversation_messages"},
				Asks: []string{"GET /4000000000000001/conversations", "POST /4000000000000001/messages"},
			},
			{Name: "no permission", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hi"}`, Token: "only:pages_show_list", Error: "scope_missing", Says: []string{"pages_messaging"}},
			{Name: "a program as a person", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000002","message":"Hi","tag":"HUMAN_AGENT"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"human_agent_confirmed"}},
			{Name: "after ten days by a person", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000003","message":"Hi","tag":"HUMAN_AGENT","human_agent_confirmed":true}`, Asks: []string{"GET /4000000000000001/conversations"}, Error: "window_closed", Says: []string{"10 days"}},
			{
				Name: "a template needs no window", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000003","utility_template":{"name":"order_shipped","language":"en_US"}}`,
				Asks: []string{"POST /4000000000000001/messages messaging_type=UTILITY"}, Has: []string{"data.sent=true"},
			},
			{Name: "preview", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Hello","preview":true}`, Asks: []string{"GET /4000000000000001/conversations"}, Has: []string{"data.sent=false", "data.would_send.messaging_type=RESPONSE", "notices"}},
			{Name: "never wrote", Args: `{"page_id":"4000000000000001","recipient_id":"4319999999999999","message":"Buy now"}`, Error: "window_closed", Says: []string{"never written"}},
			{
				Name: "a second one after a private reply", Before: []tool.Prior{{Tool: "meta_send_private_reply", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":"Hello"}`, Save: "person=recipient_id"}},
				Args: `{"page_id":"4000000000000001","recipient_id":"${person}","message":"Are you there?"}`, Asks: []string{"GET /4000000000000001/conversations"}, Error: "window_closed", Says: []string{"before they do"},
			},
			{Name: "asks for a phone number", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Call you?","quick_replies":[{"content_type":"user_phone_number"}]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"2026-10-05"}},
			{
				Name: "quick replies", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Which?","quick_replies":[{"content_type":"text","title":"Tea","payload":"TEA"}]}`,
				Asks: []string{"GET /4000000000000001/conversations", `POST /4000000000000001/messages message={"quick_replies":[{"content_type":"text","payload":"TEA","title":"Tea"}],"text":"Which?"}`}, Has: []string{"data.sent=true"},
			},
			{Name: "quick reply without words", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"Which?","quick_replies":[{"content_type":"text"}]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"quick_replies.0"}},
			{Name: "retired tag", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000002","message":"Hi","tag":"ACCOUNT_UPDATE"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"tag"}},
			{Name: "too long", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","message":"` + strings.Repeat("cups ", 400) + `!"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"2000"}},
			{Name: "an attachment of no kind", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001","attachment_url":"https://example.com/cup.jpg"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"attachment_type"}},
			{Name: "no content", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"message"}},
		},
	},
	{
		Name: "meta_send_instagram_message", Title: "Send an Instagram message", Set: "messages.write",
		Does: "Sends one direct text message from an Instagram professional account to a person who has written to it.",
		Use:  "For an image or a link use meta_send_instagram_media_message; for Messenger meta_send_page_message; to answer a comment in private meta_send_private_reply.",
		Note: "Goes through the linked Page. Looks first when the person last wrote: after 24 hours it sends nothing and answers window_closed with what is allowed.",
		Args: append([]tool.Arg{
			instagramAccount(),
			recipient("Instagram-scoped id of the person, as in the participants of a conversation."),
			tool.Text("message", "Text, up to 1000 bytes of UTF-8.").Min(1).Max(1000).Req(),
			throughPage(),
		}, sendArgs()...),
		Rules:    sendRules(),
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Scopes: []string{"instagram_manage_messages"},
		Flow:   sendFlow{inbox: inbox{Platform: "instagram", Account: "ig_account_id"}},
		Out:    tool.Out{Members: sentMembers, Heading: "Message to {recipient_id}"},
		Cases: []tool.Case{
			{
				Name: "inside the window", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","message":"Yes!"}`,
				Asks: []string{"GET /me/accounts", "GET /4000000000000001/conversations platform=instagram", `POST /4000000000000001/messages recipient={"id":"4310000000000011"} message={"text":"Yes!"}`},
				Has:  []string{"data.sent=true", "data.message_id"},
			},
			{
				Name: "Meta counts the window as closed", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","message":"Hi"}`,
				Faults: `{"kind":"error","edge":"messages","name":"window_closed_instagram"}`, Error: "window_closed",
			},
			{
				Name: "UTILITY is no way around the window", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000012","message":"Buy now","messaging_type":"UTILITY"}`,
				Asks: []string{}, Error: "argument_invalid", Says: []string{"messaging_type", "template"},
			},
			{Name: "window over", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000012","message":"Hi"}`, Error: "window_closed", Says: []string{"HUMAN_AGENT"}},
			{Name: "too many bytes", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","message":"` + manyCups + `"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"1000 bytes"}},
		},
	},
	{
		Name: "meta_send_instagram_media_message", Title: "Send an Instagram image or link", Set: "messages.write",
		Does: "Sends one image, or one link, as a direct message from an Instagram professional account to a person who has written to it.",
		Use:  "For words use meta_send_instagram_message. Give image_url or link_url, not both; a link is sent as text, which Instagram shows with a preview.",
		Note: "Goes through the linked Page, with the same 24-hour check as the text tool.",
		Args: append([]tool.Arg{
			instagramAccount(),
			recipient("Instagram-scoped id of the person."),
			tool.URL("image_url", "Public https address of a JPEG or PNG, up to 8 MB."),
			tool.URL("link_url", "Link to send.").Max(1000),
			throughPage(),
		}, sendArgs()...),
		OneOf: []string{"image_url link_url"}, Rules: sendRules(),
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Scopes: []string{"instagram_manage_messages"},
		Flow:   sendFlow{inbox: inbox{Platform: "instagram", Account: "ig_account_id"}},
		Out:    tool.Out{Members: sentMembers, Heading: "Message to {recipient_id}"},
		Cases: []tool.Case{
			{
				Name: "image", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","image_url":"https://example.com/cup.jpg","page_id":"4000000000000001"}`,
				Asks: []string{"GET /4000000000000001/conversations", `POST /4000000000000001/messages message={"attachment":{"payload":{"url":"https://example.com/cup.jpg"},"type":"image"}}`},
				Has:  []string{"data.sent=true"},
			},
			{Name: "link", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","link_url":"https://example.com/cups"}`, Has: []string{"data.sent=true"}},
			{Name: "both", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011","link_url":"https://example.com/","image_url":"https://example.com/cup.jpg"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"link_url"}},
			{Name: "neither", Args: `{"ig_account_id":"5000000000000001","recipient_id":"4310000000000011"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"image_url"}},
		},
	},
	{
		Name: "meta_send_private_reply", Title: "Reply to a comment in private", Set: "messages.write",
		Does: "Sends one private message to the author of a comment on a Page post or an Instagram media.",
		Use:  "The way to write to somebody who commented and never wrote a message. To answer where all can read use meta_reply_post_comment or meta_reply_instagram_comment.",
		Note: "Once per comment and within 7 days of it; further messages only after the person answers.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page of the post, or the Page that the Instagram account is linked to."),
			tool.ID("comment_id", "Comment|IGComment", "Comment to reply to."),
			tool.Text("message", "Text: up to 2000 characters, on Instagram 1000 bytes.").Min(1).Max(2000).Req(),
			tool.Enum("platform", "messenger instagram", "Where the comment is: messenger for a Page post, instagram for a media.").Is("messenger"),
			tool.Bool("preview", "True checks everything, shows what would be sent, and sends nothing."),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: sendFlow{inbox: inbox{Platform: "messenger"}, Comment: "comment_id"},
		Out:  tool.Out{Members: sentMembers, Heading: "Private reply to {comment_id}"},
		Cases: []tool.Case{
			{
				Name: "replies", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":"We wrote to you about the order."}`,
				Asks: []string{"GET /4000000000000001_4200000000000001 fields=created_time", `POST /4000000000000001/messages recipient={"comment_id":"4000000000000001_4200000000000001"}`},
				Has:  []string{"data.sent=true", "data.message_id"},
			},
			{
				Name: "only once", Before: []tool.Prior{{Tool: "meta_send_private_reply", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":"First"}`}},
				Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":"Second"}`, Error: "done_already",
			},
			{
				Name: "on Instagram", Args: `{"page_id":"4000000000000001","comment_id":"5200000000000001","message":"We do!","platform":"instagram"}`,
				Asks: []string{"GET /5200000000000001 fields=timestamp", `POST /4000000000000001/messages recipient={"comment_id":"5200000000000001"}`}, Has: []string{"data.sent=true"},
			},
			{
				Name: "after nine days", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000091","message":"We do!"}`,
				Asks: []string{"GET /4000000000000001_4200000000000091"}, Error: "window_closed", Says: []string{"9 days", "meta_reply_post_comment"},
			},
			{Name: "on Instagram, not said", Args: `{"page_id":"4000000000000001","comment_id":"5200000000000001","message":"We do!"}`, Asks: []string{"GET /5200000000000001"}, Error: "meta_refused", Says: []string{"platform instagram"}},
			{Name: "no such comment", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_1","message":"Hi"}`, Error: "object_not_found"},
			{Name: "empty", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":""}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"message"}},
		},
	},
}

// manyCups is 335 characters and 1005 bytes.
var manyCups = strings.Repeat("☕", 335)
