package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// The inbox of a Page: reading it. Sending is in messaging_send.go, what a Page says by
// itself in messaging_profile.go.

var messagingTools = slices.Concat(inboxTools, sendTools, profileTools, broadcastTools)

const (
	conversationFields = "id,updated_time,snippet,message_count,unread_count,participants"
	messageFields      = "id,created_time,from,to,message,attachments,sticker,is_unsupported"
)

// conversationsOfInstagram leave out what Meta counts for Messenger only.
const conversationsOfInstagram = "id,updated_time,participants,messages.limit(1){id,created_time,from,message}"

func recipient(doc string) tool.Arg { return tool.ID("recipient_id", "MessagingUser", doc) }

func instagramAccount() tool.Arg {
	return tool.ID("ig_account_id", "IGUser", "Instagram professional account whose inbox it is.")
}

// throughPage names the Page that an Instagram inbox is reached through.
func throughPage() tool.Arg {
	return tool.ID("page_id", "Page", "Page that the Instagram account is linked to; looked up when it is left out.").Opt().Local()
}

var inboxTools = []*tool.Tool{
	{
		Name: "meta_get_page_conversations", Title: "List Page conversations", Set: "messages.read", Core: true,
		Does: "Lists the conversations in a Facebook Page's inbox, most recently active first, with participants, a snippet and unread counts.",
		Use: "Find conversation_id here for meta_get_conversation_messages, and a person's id (among participants) for meta_send_page_message. " +
			"With only an Instagram account id use meta_get_instagram_conversations.",
		Note: "user_id narrows it to the one conversation with that person. Snippets are words of outsiders.",
		Args: tool.Join([]tool.Arg{
			tool.ID("page_id", "Page", "Page whose inbox is read."),
			tool.Enum("platform", "messenger instagram", "Inbox of Messenger, or of the Page's linked Instagram account.").Is("messenger"),
			tool.Enum("folder", "inbox page_done other pending spam", "Folder of the inbox; all but spam when left out."),
			tool.ID("user_id", "MessagingUser", "Page-scoped (or Instagram-scoped) id of a person.").Opt(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{
			{
				Verb: "GET", On: "Page", ID: "page_id", Edge: "conversations", When: "platform=instagram", Fields: conversationsOfInstagram,
				Takes: []string{"platform", "folder", "user_id", "limit", "after"},
			},
			{Verb: "GET", On: "Page", ID: "page_id", Edge: "conversations", When: "platform=messenger", Fields: conversationFields},
		},
		Out: tool.Out{Heading: "Conversations", Columns: []string{"id", "updated_time", "participants", "snippet", "unread_count"}, Untrusted: []string{"participants", "messages"}},
		Cases: []tool.Case{
			{
				Name: "newest first", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/conversations platform=messenger limit=25"},
				Has: []string{"data.0.id=t_4300000000000001", "data.1.id=t_4300000000000004", "data.0.unread_count", "data.0.participants.0.name=Customer One", "has_more=false"},
			},
			{Name: "of one person", Args: `{"page_id":"4000000000000001","user_id":"4310000000000002"}`, Has: []string{"data.0.id=t_4300000000000002"}},
			{Name: "instagram", Args: `{"page_id":"4000000000000001","platform":"instagram","limit":1}`, Asks: []string{"GET /4000000000000001/conversations platform=instagram limit=1 fields=" + conversationsOfInstagram}, Has: []string{"data.0.id=t_4300000000000011", "data.0.messages.0.message", "has_more=true", "next_cursor"}},
			{Name: "no such page", Args: `{"page_id":"4999999999999999"}`, Error: "object_not_found"},
			{Name: "id with a path", Args: `{"page_id":"1/../me"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
	{
		Name: "meta_get_conversation_messages", Title: "Read a Page conversation", Set: "messages.read", Core: true,
		Does: "Reads the messages of one conversation in a Facebook Page's inbox, newest first, with sender, text and attachments.",
		Use:  "Take conversation_id from meta_get_page_conversations. To know only whether an answer is still allowed use meta_check_messaging_window.",
		Note: "Meta gives details of the 20 newest messages only; older ones come as bare ids. Text and file names are words of outsiders. Addresses of attachments stop working after some time.",
		Args: tool.Join([]tool.Arg{
			tool.ID("page_id", "Page", "Page that the conversation belongs to.").Local(),
			tool.ID("conversation_id", "Conversation", "Conversation, such as t_4300000000000001."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Conversation", ID: "conversation_id", Edge: "messages", PageOf: "page_id", Fields: messageFields}},
		Out:   tool.Out{Heading: "Messages of {conversation_id}", Columns: []string{"created_time", "from", "message", "id"}, Untrusted: []string{"from", "to", "attachments"}},
		Cases: []tool.Case{
			{
				Name: "newest first", Args: `{"page_id":"4000000000000001","conversation_id":"t_4300000000000001","limit":2}`,
				Asks: []string{"GET /t_4300000000000001/messages limit=2"},
				Has:  []string{"data.0.message", "data.0.from.id=4310000000000001", "has_more=true"}, Shows: []string{"Customer One"},
			},
			{Name: "no such conversation", Args: `{"page_id":"4000000000000001","conversation_id":"t_1"}`, Error: "object_not_found"},
			{Name: "id with a query", Args: `{"page_id":"4000000000000001","conversation_id":"t_1?fields=id"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"conversation_id"}},
		},
	},
	{
		Name: "meta_get_instagram_conversations", Title: "List Instagram conversations", Set: "messages.read",
		Does: "Lists the direct-message conversations of an Instagram professional account, most recently active first, each with its newest message.",
		Use:  "Find conversation_id here for meta_get_instagram_messages. For a Page's Messenger inbox use meta_get_page_conversations.",
		Note: "Goes through the linked Facebook Page. Requests that were quiet for 30 days are not listed.",
		Args: tool.Join([]tool.Arg{
			instagramAccount(),
			throughPage(),
			tool.Enum("folder", "inbox spam general", "Folder of the inbox.").Is("inbox"),
			tool.ID("user_id", "MessagingUser", "Instagram-scoped id of a person, for the one conversation with them.").Opt(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Scopes: []string{"instagram_manage_messages"},
		Flow:   inboxList{inbox: inbox{Platform: "instagram", Account: "ig_account_id"}, Fields: conversationsOfInstagram},
		Out: tool.Out{
			Of: "Conversation", List: messageList(), Heading: "Instagram conversations", Columns: []string{"id", "updated_time", "participants", "messages"},
			Members: "participants:list<MessagingUser> messages:list<Message>", Untrusted: []string{"messages", "participants"},
		},
		Cases: []tool.Case{
			{
				Name: "finds the Page", Args: `{"ig_account_id":"5000000000000001"}`,
				Asks: []string{"GET /me/accounts", "GET /4000000000000001/conversations platform=instagram folder=inbox limit=25"},
				Has:  []string{"data.0.id=t_4300000000000011", "data.0.messages.0.message", "has_more=false"},
			},
			{Name: "Page named", Args: `{"ig_account_id":"5000000000000001","page_id":"4000000000000001","limit":1}`, Asks: []string{"GET /4000000000000001/conversations platform=instagram"}, Has: []string{"has_more=true", "next_cursor"}},
			{Name: "not linked", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found", Says: []string{"linked"}},
			{Name: "no permission", Args: `{"ig_account_id":"5000000000000001"}`, Token: "only:pages_show_list,pages_messaging", Error: "scope_missing", Says: []string{"instagram_manage_messages"}},
			{Name: "unknown folder", Args: `{"ig_account_id":"5000000000000001","folder":"drafts"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"folder"}},
		},
	},
	{
		Name: "meta_get_instagram_messages", Title: "Read an Instagram conversation", Set: "messages.read",
		Does: "Reads the direct messages of one Instagram conversation, newest first, with sender, text and attachments.",
		Use:  "Take conversation_id from meta_get_instagram_conversations. For Messenger use meta_get_conversation_messages.",
		Note: "Details come for the 20 newest messages only. Text is words of outsiders. Give page_id where several Pages have an Instagram account.",
		Args: tool.Join([]tool.Arg{
			tool.ID("conversation_id", "Conversation", "Conversation to read.").Local(),
			throughPage(),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Scopes: []string{"instagram_manage_messages"},
		Flow:   inboxList{inbox: inbox{Platform: "instagram"}, Conversation: "conversation_id", Fields: messageFields},
		Out: tool.Out{
			Of: "Message", List: messageList(), Heading: "Messages of {conversation_id}", Columns: []string{"created_time", "from", "message", "id"},
			Members:   "from:MessagingUser to:list<MessagingUser> message:text attachments:list<MessageAttachment> sticker:url is_unsupported:bool",
			Untrusted: []string{"from", "to", "attachments"},
		},
		Cases: []tool.Case{
			{Name: "newest first", Args: `{"conversation_id":"t_4300000000000011"}`, Asks: []string{"GET /me/accounts", "GET /t_4300000000000011/messages limit=25"}, Has: []string{"data.0.from.username=customer_four", "data.0.message"}},
			{Name: "no such conversation", Args: `{"conversation_id":"t_2"}`, Error: "object_not_found"},
			{Name: "id with a slash", Args: `{"conversation_id":"t_1/messages"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"conversation_id"}},
		},
	},
	{
		Name: "meta_check_messaging_window", Title: "Check the messaging window", Set: "messages.read",
		Does: "Tells what a Page may send to one person now, until when, and why: by the time of the person's last message.",
		Use:  "Before you write an answer that may come too late. meta_send_page_message and meta_send_instagram_message check by themselves.",
		Note: "state is open (24 hours: any message), human_agent_only (7 days: only what a person wrote), closed, never_wrote, or unknown when none of the 20 newest messages is theirs and there are more. allowed lists what Meta's policy permits.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page that would write.").Local(),
			recipient("Page-scoped (or Instagram-scoped) id of the person, as in the participants of a conversation.").Local(),
			tool.Enum("platform", "messenger instagram", "Where the person would be written to.").Is("messenger").Local(),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: windowFlow{},
		Out:  tool.Out{Members: windowMembers, Heading: "Messaging window: {state}"},
		Cases: []tool.Case{
			{Name: "open", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000001"}`, Asks: []string{"GET /4000000000000001/conversations platform=messenger user_id=4310000000000001"}, Has: []string{"data.state=open", "data.open_until", "data.allowed.0"}},
			{Name: "human agent", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000002"}`, Has: []string{"data.state=human_agent_only"}, Shows: []string{"3 days"}},
			{Name: "closed", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000003"}`, Has: []string{"data.state=closed"}, Shows: []string{"UTILITY"}},
			{Name: "never wrote", Args: `{"page_id":"4000000000000001","recipient_id":"4319999999999999"}`, Has: []string{"data.state=never_wrote"}},
			{
				Name: "after a private reply", Before: []tool.Prior{{Tool: "meta_send_private_reply", Args: `{"page_id":"4000000000000001","comment_id":"4000000000000001_4200000000000001","message":"Hello"}`, Save: "person=recipient_id"}},
				Args: `{"page_id":"4000000000000001","recipient_id":"${person}"}`, Has: []string{"data.state=never_wrote", "data.conversation_id"}, Shows: []string{"no message is theirs"},
			},
			{Name: "instagram", Args: `{"page_id":"4000000000000001","recipient_id":"4310000000000011","platform":"instagram"}`, Has: []string{"data.state=open"}},
			{Name: "id of letters", Args: `{"page_id":"4000000000000001","recipient_id":"customer one"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"recipient_id"}},
		},
	},
}

const windowMembers = "state:string platform:MessagingPlatform why:string allowed:list<string> conversation_id:string last_inbound_time:time open_until:time human_agent_until:time"

func messageList() *bool { list := true; return &list }

// broadcastTools are of channels, for which Meta publishes no API.
var broadcastTools = []*tool.Tool{
	broadcast("meta_get_instagram_broadcast_channels", "List Instagram broadcast channels", tool.Read, tool.Low,
		"Would list the broadcast channels of an Instagram account.", instagramAccount(), `{"ig_account_id":"5000000000000001"}`),
	broadcast("meta_get_broadcast_channel_messages", "Read a broadcast channel", tool.Read, tool.Low,
		"Would read the messages of an Instagram broadcast channel.", channel(), `{"channel_id":"5900000000000001"}`, tool.Page(100)...),
	broadcast("meta_send_broadcast_channel_message", "Post in a broadcast channel", tool.Write, tool.High,
		"Would post a message in an Instagram broadcast channel.", channel(), `{"channel_id":"5900000000000001","message":"New cups"}`,
		tool.Text("message", "Text of the message.").Req(), tool.URL("link_url", "Link to add.")),
	broadcast("meta_create_broadcast_channel_poll", "Post a poll in a broadcast channel", tool.Write, tool.High,
		"Would post a poll in an Instagram broadcast channel.", channel(), `{"channel_id":"5900000000000001","question":"Which?","options":["Tea","Coffee"]}`,
		tool.Text("question", "Question of the poll.").Req(), tool.Strings("options", "Answers to choose from.").Min(2).Max(4).Req()),
}

func channel() tool.Arg {
	return tool.Text("channel_id", "Broadcast channel, digits.").Req().Max(64)
}

func broadcast(name, title string, category tool.Category, severity tool.Severity, does string, first tool.Arg, args string, more ...tool.Arg) *tool.Tool {
	set, instead := "messages.read", "meta_get_instagram_conversations"
	if category == tool.Write {
		set, instead = "messages.write", "meta_send_instagram_message"
	}
	return &tool.Tool{
		Name: name, Title: title, Set: set,
		Does: does,
		Args: append([]tool.Arg{first}, more...), Category: category, Severity: severity,
		Gone: &tool.Gone{
			Why:     "Meta publishes no API for broadcast channels",
			Instead: "Use the Instagram app for the channel; direct messages go through " + instead + ", posts through meta_publish_instagram_photo.",
		},
		Cases: []tool.Case{{Name: "says so", Args: args, Asks: []string{}, Error: "unsupported", Says: []string{"broadcast"}}},
	}
}
