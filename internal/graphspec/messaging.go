package graphspec

// The inbox of a Page: conversations of Messenger and, for the Instagram account that
// is linked to the Page, of Instagram. Both are reached through the Page, with its token.
//
// Messenger needs pages_messaging, Instagram instagram_manage_messages.
var messagingNodes = []*Node{
	{
		Name: "Conversation", ID: Opaque, Evidence: Specified,
		Fields: "id* link:url updated_time*:time message_count:int unread_count:int snippet:text " +
			"participants:list<MessagingUser> senders:list<MessagingUser> can_reply:bool is_subscribed:bool name:text subject:text",
		Read: &Op{Scopes: inboxScopes, Token: PageToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "messages", Get: &Op{
				Returns: "Message", Scopes: inboxScopes, Token: PageToken, Evidence: Specified,
				Note: "Details can be read of the 20 newest messages only.",
			}},
		},
	},
	{
		Name: "Message", ID: Opaque, Evidence: Specified,
		Fields: "id* created_time*:time message:text from:MessagingUser to:list<MessagingUser> attachments:list<MessageAttachment> " +
			"sticker:url tags:json shares:json reply_to:json reactions:json is_unsupported:bool",
		Read: &Op{Scopes: inboxScopes, Token: PageToken, Evidence: Specified},
	},
	{
		// Page-scoped (Messenger) or Instagram-scoped ids; a Page that takes part is one too.
		Name: "MessagingUser", ID: Digits, Evidence: Specified,
		Fields: "id* name:text username:text",
	},
	{
		Name: "MessageAttachment", ID: Opaque, Evidence: Specified,
		Fields: "id* mime_type name:text size:int file_url:url image_data:json video_data:json",
	},
	{
		Name: "MessengerProfile", ID: NoID, Evidence: Documented,
		Fields: "greeting:list<ProfileText> ice_breakers:list<IceBreakers> persistent_menu:list<PersistentMenu> get_started:map " +
			"whitelisted_domains:list<url> account_linking_url:url",
	},
	{Name: "ProfileText", ID: NoID, Evidence: Documented, Fields: "locale* text*"},
	{Name: "IceBreakers", ID: NoID, Evidence: Documented, Fields: "locale* call_to_actions*:list<map> question payload"},
	{Name: "PersistentMenu", ID: NoID, Evidence: Documented, Fields: "locale* composer_input_disabled*:bool call_to_actions*:list<map>"},
}

var messagingEnums = map[string]string{
	"MessagingPlatform": "messenger instagram",
	"MessagingFolder":   "inbox page_done other pending spam general",
	"MessagingType":     "RESPONSE UPDATE MESSAGE_TAG UTILITY",
	"MessageTag":        "HUMAN_AGENT",
	"SenderAction":      "TYPING_ON TYPING_OFF MARK_SEEN REACT UNREACT",
	"NotificationType":  "REGULAR SILENT_PUSH NO_PUSH",
}

const inboxScopes = "pages_messaging|instagram_manage_messages"

// pageInbox are the edges of a Page that belong to messaging.
var pageInbox = []Edge{
	{Name: "conversations", Get: &Op{
		Params: "platform:MessagingPlatform folder:MessagingFolder user_id:id tags:list<string>", Returns: "Conversation",
		Scopes: inboxScopes, Token: PageToken, Evidence: Specified,
		Note: "Instagram's folder of requests lists no thread that was quiet for 30 days.",
	}},
	{Name: "messages", Post: &Op{
		Params: "recipient:map! message:map messaging_type:MessagingType tag:MessageTag sender_action:SenderAction notification_type:NotificationType",
		Answer: "recipient_id:id message_id:string",
		Scopes: inboxScopes, Token: PageToken, Evidence: Documented,
		Note: "A person who wrote can be answered for 24 hours; see the messaging policy for what goes after that.",
	}},
	{
		Name: "messenger_profile",
		Get: &Op{
			Params: "fields! platform:MessagingPlatform", Returns: "MessengerProfile",
			Scopes: inboxScopes, Token: PageToken, Evidence: Documented,
		},
		Post: &Op{
			Params: "platform:MessagingPlatform greeting:list<map> ice_breakers:list<map> persistent_menu:list<map> get_started:map whitelisted_domains:list<url> account_linking_url:url",
			Answer: "result:string",
			Scopes: inboxScopes, Token: PageToken, Evidence: Documented,
		},
		Delete: &Op{
			Params: "fields:list<string>! platform:MessagingPlatform", Answer: "result:string",
			Scopes: inboxScopes, Token: PageToken, Evidence: Documented,
		},
	},
}

var messagingErrors = []ErrorRow{
	row("no_matching_user", 400, 100, 2018001, ClassInput, Known, "(#100) No matching user found",
		"Take the person's id from the participants of a conversation with this Page: ids of other Pages and apps don't fit."),
	row("replied_already", 400, 10900, 0, ClassDuplicate, Known, "(#10900) Activity already replied to",
		"One private reply goes to a comment; further messages only after the person answers."),
}
