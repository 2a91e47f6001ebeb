package graphtool

import (
	"context"

	"sluice/internal/graphtool/tool"
)

// What a Page says by itself: greeting, questions to start with, menu. Instant reply
// and away message exist in Meta's own screens only.

const profileFields = "greeting,ice_breakers,persistent_menu,get_started,whitelisted_domains"

func profilePlatform() tool.Arg {
	return tool.Enum("platform", "messenger instagram", "Profile of Messenger, or of the linked Instagram account (ice breakers and menu only).").Is("messenger")
}

func callToActions(doc string) tool.Arg {
	return tool.List("call_to_actions", tool.Object("", "",
		tool.Enum("type", "postback web_url", "postback sends payload to the app, web_url opens url."),
		tool.Text("question", "Of an ice breaker: the question.").Max(80),
		tool.Text("title", "Of a menu entry: its words.").Max(30),
		tool.Text("payload", "What comes back when it is pressed.").Max(1000),
		tool.URL("url", "Page that a web_url entry opens."),
	), doc).Req()
}

func locale() tool.Arg {
	return tool.Text("locale", "Such as en_US; default is for all that have none of their own.").Is("default")
}

var profileTools = []*tool.Tool{
	{
		Name: "meta_get_page_automated_responses", Title: "Read the messenger profile", Set: "messages.read",
		Does: "Reads what a Facebook Page says by itself in messages: greeting, ice breakers, menu and get-started button.",
		Use:  "Before meta_set_messenger_profile or meta_set_greeting, which replace what is there.",
		Note: "What was never set is absent. Instant reply and away message can't be read: Meta shows them only in Business Suite.",
		Args: []tool.Arg{tool.ID("page_id", "Page", "Page to read."), profilePlatform()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "Page", ID: "page_id", Edge: "messenger_profile", Fields: profileFields}},
		Out:   tool.Out{Heading: "Messenger profile of {page_id}"},
		Cases: []tool.Case{
			{
				Name: "reads", Args: `{"page_id":"4000000000000001"}`, Asks: []string{"GET /4000000000000001/messenger_profile platform=messenger fields=" + profileFields},
				Has: []string{"data.0.greeting.0.text", "data.0.ice_breakers.0.call_to_actions.0.question"},
			},
			{Name: "no such page", Args: `{"page_id":"4999999999999999"}`, Error: "object_not_found"},
			{Name: "no id", Args: `{"page_id":"shop"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
	{
		Name: "meta_set_greeting", Title: "Set the Messenger greeting", Set: "messages.write",
		Does: "Sets the greeting that people see in Messenger before they first write to a Facebook Page.",
		Use:  "For greetings in several languages, ice breakers or the menu use meta_set_messenger_profile. An automatic first answer is something else: Meta offers it in Business Suite only.",
		Note: "Replaces the greetings of all languages. {{user_first_name}} and {{user_full_name}} are filled in by Meta.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page to change."),
			tool.Text("greeting_text", "Text, 1 to 160 characters.").Min(1).Max(160).Req().Local(),
		},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Flow: greetingWrite{}, Out: tool.Out{Members: "result:string", Heading: "Greeting of {page_id} was set"},
		Cases: []tool.Case{
			{
				Name: "sets", Args: `{"page_id":"4000000000000001","greeting_text":"Hello!"}`,
				Asks: []string{`POST /4000000000000001/messenger_profile greeting=[{"locale":"default","text":"Hello!"}]`}, Has: []string{"data.result=success"},
			},
			{Name: "empty", Args: `{"page_id":"4000000000000001","greeting_text":""}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"greeting_text"}},
		},
	},
	{
		Name: "meta_set_messenger_profile", Title: "Set the messenger profile", Set: "messages.write",
		Does: "Sets greetings by language, ice breakers, persistent menu or get-started button of a Facebook Page's messages.",
		Use:  "For one greeting for everybody meta_set_greeting is shorter. Read meta_get_page_automated_responses first: each property that is given replaces the old one whole. Remove one with meta_delete_messenger_profile.",
		Note: "A menu needs a get-started button, in the same call or before. Shows to people within minutes.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page to change."),
			profilePlatform(),
			tool.List("greeting", tool.Object("", "", locale(), tool.Text("text", "Text, up to 160 characters.").Req().Max(160)), "Greetings, one per language; Messenger only."),
			tool.List("ice_breakers", tool.Object("", "", locale(), callToActions("1 to 4 questions with their payload.").Min(1).Max(4)), "Questions to start a conversation with, one set per language."),
			tool.List("persistent_menu", tool.Object("", "", locale(),
				tool.Bool("composer_input_disabled", "True lets people answer through the menu only.").Is(false),
				callToActions("Up to 20 entries.").Min(1).Max(20)), "Menu that is always at hand, one per language."),
			tool.Object("get_started", "Button of the first screen.", tool.Text("payload", "What comes back when it is pressed.").Req().Max(1000)),
		},
		AnyOf:    []string{"greeting ice_breakers persistent_menu get_started"},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "Page", ID: "page_id", Edge: "messenger_profile"}},
		Out:   tool.Out{Heading: "Messenger profile of {page_id} was set"},
		Cases: []tool.Case{
			{
				Name: "ice breakers", Args: `{"page_id":"4000000000000001","ice_breakers":[{"call_to_actions":[{"question":"Are you open today?","payload":"OPEN"}]}]}`,
				Asks: []string{"POST /4000000000000001/messenger_profile platform=messenger"}, Has: []string{"data.result=success"},
			},
			{
				Name: "menu without a button", Before: []tool.Prior{{Tool: "meta_delete_messenger_profile", Args: `{"page_id":"4000000000000001","properties":["get_started","persistent_menu"]}`}},
				Args:  `{"page_id":"4000000000000001","persistent_menu":[{"call_to_actions":[{"type":"web_url","title":"Shop","url":"https://example.com/"}]}]}`,
				Error: "meta_refused", Says: []string{"get_started"},
			},
			{Name: "nothing to set", Args: `{"page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"greeting"}},
		},
	},
	{
		Name: "meta_delete_messenger_profile", Title: "Delete from the messenger profile", Set: "messages.write",
		Does: "Removes greeting, ice breakers, menu or get-started button from a Facebook Page's messages.",
		Use:  "To change a property, meta_set_messenger_profile is enough: it replaces.",
		Note: "People stop seeing it within minutes. The get-started button can't go while there is a menu.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page to change."),
			profilePlatform(),
			tool.Enums("properties", "greeting ice_breakers persistent_menu get_started whitelisted_domains", "What to remove.").Min(1).Req().To("fields"),
		},
		Category: tool.Destructive, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "Page", ID: "page_id", Edge: "messenger_profile"}},
		Out:   tool.Out{Heading: "Removed from the messenger profile of {page_id}"},
		Cases: []tool.Case{
			{Name: "removes", Args: `{"page_id":"4000000000000001","properties":["greeting"]}`, Asks: []string{`DELETE /4000000000000001/messenger_profile fields=["greeting"]`}, Has: []string{"data.result=success"}},
			{Name: "unknown property", Args: `{"page_id":"4000000000000001","properties":["away"]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"properties"}},
		},
	},
	automatic("meta_set_instant_reply", "Set the instant reply", "Would set the automatic first answer of a Page's inbox.", "instant replies"),
	automatic("meta_set_away_message", "Set the away message", "Would set the away message of a Page's inbox.", "away messages"),
}

// greetingWrite sets one greeting for all languages: the API takes a list of them.
type greetingWrite struct{}

// Calls documents it.
func (greetingWrite) Calls() []tool.Call {
	return []tool.Call{{Verb: "POST", On: "Page", Edge: "messenger_profile"}}
}

// Run sets it.
func (greetingWrite) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	page := e.Args.Str("page_id")
	answer, err := e.Ask(ctx, tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "messenger_profile", Page: page, Repeat: true}, map[string]any{
		"greeting": []any{map[string]any{"locale": "default", "text": e.Args.Str("greeting_text")}},
	})
	if err != nil {
		return nil, err
	}
	return &tool.Answer{Data: answer}, nil
}

// automatic is a tool for what only Meta's own screens offer.
func automatic(name, title, does, what string) *tool.Tool {
	return &tool.Tool{
		Name: name, Title: title, Set: "messages.write",
		Does: does,
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page to change."),
			tool.Text("message", "Text of the message.").Min(1).Req(),
			tool.Bool("enabled", "Whether it is sent.").Is(true),
		},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Gone: &tool.Gone{
			Why:     "Meta's API has no " + what + "; they are set in Business Suite, under Inbox, Automations",
			Instead: "A person sets it in Business Suite. meta_set_greeting and meta_set_messenger_profile change the greeting, the ice breakers and the menu.",
		},
		Cases: []tool.Case{
			{Name: "says so", Args: `{"page_id":"4000000000000001","message":"We are away"}`, Asks: []string{}, Error: "unsupported", Says: []string{"Business Suite"}},
		},
	}
}
