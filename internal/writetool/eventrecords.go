package writetool

import (
	"context"
	"encoding/json"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

const eventMembers = receiptMembers + " plan_hash duplicate:bool level events:int ok:bool messages:list<string> findings:json rules:map dataset"

// person are the identifiers of user_data. Values may be plain or hashed already.
var person = []tool.Arg{
	tool.Text("em", "E-mail address."), tool.Text("ph", "Phone number with country code."), tool.Text("fn", "First name."), tool.Text("ln", "Last name."),
	tool.Text("ge", "Gender, f or m."), tool.Text("db", "Date of birth, YYYYMMDD."), tool.Text("ct", "City."), tool.Text("st", "State or region."),
	tool.Text("zp", "Postcode."), tool.Text("country", "Country, two letters."), tool.Text("external_id", "Your own id of the person."),
	tool.Text("fbc", "Click id, fb.1.…, never hashed."), tool.Text("fbp", "Browser id, fb.1.…, never hashed."),
	tool.Text("client_ip_address", "IP address, never hashed."), tool.Text("client_user_agent", "User agent, never hashed; needed for website."),
	tool.Text("madid", "Mobile advertising id."), tool.Text("lead_id", "Id of a Meta lead, 15 to 17 digits."),
	tool.Text("subscription_id", "Subscription id."), tool.Text("fb_login_id", "Id from Facebook Login."),
}

var purchase = []tool.Arg{
	tool.Text("currency", "Needed for Purchase.").Like(tool.CurrencyFormat), tool.Number("value", "Amount in major units: 49.90. Needed for Purchase."),
	tool.Text("content_name", "Name of the product or page."), tool.Strings("content_ids", "Ids of products."), tool.Text("content_type", "product or product_group."),
	tool.Text("content_category", "Category."),
	tool.List("contents", tool.Object("", "", tool.Text("id", "Product id.").Req(), tool.Number("quantity", "How many; 1 when left out."), tool.Number("item_price", "Price of one.")), "Products of the order."),
	tool.Text("order_id", "Order number: tells the event from all others."), tool.Number("num_items", "Number of items."), tool.Text("search_string", "Of Search."),
	tool.Text("status", "Of CompleteRegistration."), tool.Number("predicted_ltv", "Predicted lifetime value."),
	tool.Enum("delivery_category", "in_store curbside home_delivery", "How the goods reach the buyer."),
}

func local(args []tool.Arg) []tool.Arg {
	for i := range args {
		args[i].As = "-"
	}
	return args
}

func (w *tools) offlineEvent() *tool.Tool {
	return &tool.Tool{
		Name: "meta_send_offline_event", Title: "Send a store sale", Set: set, Core: true,
		Category: tool.Financial, Severity: tool.High, Irreversible: true, Repeat: true,
		Does: "Sends one sale or other event from a shop, by phone or from a CRM to a dataset of Meta, as a physical_store event.",
		Use:  "Use it for single events; for files or many orders use send_meta_conversions, for websites and apps meta_send_conversion_event.",
		Note: "Identifiers are normalised and hashed here; values hashed already are kept. Goes through ledger and audit: the same order_id (or, without one, the same arguments) again gets the first answer with duplicate: true. At most 62 days old. Refused while write-back is off.",
		Args: local([]tool.Arg{
			tool.ID("event_set_id", "AdsPixel", "Dataset; offline event sets have become datasets."),
			tool.Text("event_name", "Purchase, Lead, Schedule, or a name of your own.").Req().Max(50),
			tool.Int("event_time", "When it happened, Unix seconds.").Req().Min(1),
			tool.Object("user_data", "Who it was: email, phone, fn, ln, ct, st, zip, country, external_id, plain or SHA-256.").Req(),
			tool.Object("custom_data", "value with currency (Purchase needs both), order_id, content_name, and properties of your own."),
			tool.Text("upload_tag", "Your word for the batch: it is kept as a label in Sluice's reports. At Meta, Sluice names its uploads itself.").Max(100),
			first, profile,
		}),
		Out: tool.Out{Members: eventMembers, Heading: "Event sent"},
		Cases: []tool.Case{
			{
				Name: "a sale", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":${now-3600},"user_data":{"email":"Customer.One@example.com","zip":"SW1A 1AA","country":"GB"},"custom_data":{"value":49.9,"currency":"GBP","order_id":"A-1"},"upload_tag":"till-7"}`,
				Has: []string{"data.duplicate=false", "data.counts.delivered=1"},
			},
			{
				Name: "the same again", Before: []tool.Prior{{Tool: "meta_send_offline_event", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":1795000000,"user_data":{"email":"customer.one@example.com"},"custom_data":{"value":49.9,"currency":"GBP","order_id":"A-1"}}`}},
				Args: `{"event_name":"Purchase","event_set_id":"1000000000000001","event_time":1795000000,"user_data":{"email":"customer.one@example.com"},"custom_data":{"order_id":"A-1","value":49.90,"currency":"GBP"}}`,
				Asks: []string{}, Has: []string{"data.duplicate=true", "data.replayed=true", "data.counts.delivered=1"},
			},
			{
				Name: "the same order with another value", Before: []tool.Prior{{Tool: "meta_send_offline_event", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":1795000000,"user_data":{"email":"customer.one@example.com"},"custom_data":{"value":49.9,"currency":"GBP","order_id":"A-1"}}`}},
				Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":1795000000,"user_data":{"email":"customer.one@example.com"},"custom_data":{"value":99,"currency":"GBP","order_id":"A-1"}}`,
				Asks: []string{}, Error: "payload_invalid", Says: []string{"id_conflict"},
			},
			{Name: "no value", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":${now-3600},"user_data":{"email":"customer.one@example.com"}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"value and currency"}},
			{Name: "too old", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":${now-6000000},"user_data":{"email":"customer.one@example.com"},"custom_data":{"value":1,"currency":"GBP"}}`, Asks: []string{}, Error: "payload_invalid", Says: []string{"62 days"}},
			{Name: "nobody", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":${now-3600},"user_data":{},"custom_data":{"value":1,"currency":"GBP"}}`, Asks: []string{}, Error: "argument_invalid"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			user, err := words(e.Args.Map("user_data"), "user_data")
			if err != nil {
				return nil, err
			}
			a := &eventArgs{
				namespace: "agent/offline", name: e.Args.Str("event_name"), at: e.Args["event_time"].(json.Number), source: "physical_store",
				tag: e.Args.Str("upload_tag"), user: user, custom: e.Args.Map("custom_data"),
			}
			if id, ok := a.custom["order_id"].(string); ok {
				a.record = id
			}
			return w.send(ctx, e, a, e.Args.Str("event_set_id"), "", false)
		},
	}
}

// words checks an open object of texts.
func words(m map[string]any, at string) (map[string]any, error) {
	for name, v := range m {
		switch v.(type) {
		case string:
		default:
			return nil, tool.Bad(at+"."+name, "it is no text", "write identifiers as text: numbers lose digits")
		}
	}
	return m, nil
}

func (w *tools) conversionEvent() *tool.Tool {
	return &tool.Tool{
		Name: "meta_send_conversion_event", Title: "Send a conversion event", Set: set, Core: true,
		Category: tool.Financial, Severity: tool.High, Irreversible: true, Repeat: true,
		Does: "Sends one conversion event of a website, app, call, chat or shop to a dataset of Meta.",
		Use:  "Use it for single events with a source of your choice; for stored orders use send_meta_conversions, for till receipts meta_send_offline_event.",
		Note: "Identifiers are normalised and hashed here. website needs event_source_url and client_user_agent. Give the browser's event_id where a pixel sends the same event. The same event again gets the first answer with duplicate: true. At most 7 days old (physical_store 62). Refused while write-back is off.",
		Args: local(eventArguments(tool.Text("test_event_code", "Code from Events Manager: the event shows there, and counts all the same; needs acknowledge_live_test. Not with physical_store.").Max(40))),
		Out:  tool.Out{Members: eventMembers, Heading: "Event sent"},
		Cases: []tool.Case{
			{
				Name: "a purchase on a website", Args: `{"pixel_id":"1000000000000001","event_name":"Purchase","event_time":${now-600},"action_source":"website","event_source_url":"https://example.com/checkout","user_data":{"em":"customer.one@example.com","client_ip_address":"192.0.2.1","client_user_agent":"Example/1.0"},"custom_data":{"value":20,"currency":"EUR","contents":[{"id":"mug","quantity":2,"item_price":10}]},"event_id":"web-1"}`,
				Has: []string{"data.duplicate=false", "data.counts.delivered=1"},
			},
			{
				Name: "a store sale that the other tool has sent", Before: []tool.Prior{{Tool: "meta_send_offline_event", Args: `{"event_set_id":"1000000000000001","event_name":"Purchase","event_time":1795000000,"user_data":{"email":"customer.one@example.com"},"custom_data":{"value":49.9,"currency":"GBP","order_id":"A-1"}}`}},
				Args: `{"pixel_id":"1000000000000001","event_name":"Purchase","event_time":1795000000,"action_source":"physical_store","user_data":{"em":"customer.one@example.com"},"custom_data":{"value":49.9,"currency":"GBP","order_id":"A-1"}}`,
				Asks: []string{}, Error: "done_already",
			},
			{Name: "no user agent", Args: `{"pixel_id":"1000000000000001","event_name":"Lead","event_time":${now-600},"action_source":"website","event_source_url":"https://example.com/","user_data":{"em":"customer.one@example.com"}}`, Asks: []string{}, Error: "payload_invalid"},
			{Name: "an unknown identifier", Args: `{"pixel_id":"1000000000000001","event_name":"Lead","event_time":${now-600},"action_source":"chat","user_data":{"emal":"customer.one@example.com"}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"user_data.emal"}},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			return w.send(ctx, e, eventOf(e), e.Args.Str("pixel_id"), e.Args.Str("test_event_code"), e.Args.Bool("acknowledge_live_test"))
		},
	}
}

func (w *tools) testEvents() *tool.Tool {
	return &tool.Tool{
		Name: "meta_test_conversion_events", Title: "Test a conversion event", Set: set,
		Category: tool.Write, Severity: tool.Medium, Irreversible: true, Repeat: true,
		Does: "Checks one conversion event against every rule of Meta offline; with test_event_code it also sends it, to be seen under Test Events.",
		Use:  "Use it while you set up events. Without a code nothing leaves the machine. Real events go with meta_send_conversion_event.",
		Note: "Events sent with a code count at Meta like any other: acknowledge_live_test has to say so. A code must be the one that Events Manager shows; others are shown nowhere.",
		Args: local(eventArguments(tool.Text("test_event_code", "Code from Events Manager. Left out, the check is offline.").Max(40))),
		Out:  tool.Out{Members: eventMembers + " counts:map rejects:map tiers:map samples:json", Heading: "Event checked"},
		Cases: []tool.Case{
			{
				Name: "offline", Args: `{"pixel_id":"1000000000000001","event_name":"Lead","event_time":${now-600},"action_source":"chat","user_data":{"em":"customer.one@example.com","ph":"+44 20 7946 0001"}}`,
				Asks: []string{}, Has: []string{"data.ok=true", "data.level=offline"},
			},
			{
				Name: "with a code", Args: `{"pixel_id":"1000000000000001","event_name":"Lead","event_time":${now-600},"action_source":"chat","user_data":{"em":"customer.one@example.com","ph":"+44 20 7946 0001"},"test_event_code":"TEST123","acknowledge_live_test":true}`,
				Has: []string{"data.level=live_test", "data.events_received=1"},
			},
			{Name: "not acknowledged", Args: `{"pixel_id":"1000000000000001","event_name":"Lead","event_time":${now-600},"action_source":"chat","user_data":{"em":"customer.one@example.com"},"test_event_code":"TEST123"}`, Asks: []string{}, Error: "live_test_unsupported"},
		},
		Run: func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			if code := e.Args.Str("test_event_code"); code != "" {
				if !e.Args.Bool("acknowledge_live_test") {
					return nil, fault.New(fault.LiveTestUnsupported, "a test event counts at Meta like any other").WithFix("set acknowledge_live_test, or leave test_event_code out for an offline check")
				}
				return w.send(ctx, e, eventOf(e), e.Args.Str("pixel_id"), code, true)
			}
			return w.check(ctx, e)
		},
	}
}

// check plans and rehearses an event offline.
func (w *tools) check(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	s, err := w.session(ctx, e, plans)
	if err != nil {
		return nil, err
	}
	a := eventOf(e)
	if a.record == "" {
		if a.record, err = digest(map[string]any{"user": a.user, "custom": a.custom, "at": a.at, "name": a.name}); err != nil {
			return nil, err
		}
	}
	a.namespace = "agent/check"
	v, err := w.planOne(ctx, s, a, e.Args.Str("pixel_id"))
	if err != nil {
		return nil, err
	}
	if v.Summary.Counts.Planned == 0 {
		return nil, notPlanned(ctx, s, v)
	}
	r, err := rehearse(ctx, s, e, v.ID)
	if err != nil {
		return nil, err
	}
	answer, err := rehearsalAnswer(r)
	if err != nil {
		return nil, err
	}
	shown, err := shownPlan(v)
	if err != nil {
		return nil, err
	}
	m := answer.Data.(map[string]any)
	m["tiers"], m["samples"], m["counts"] = shown["tiers"], shown["samples"], shown["counts"]
	m["next"] = "meta_send_conversion_event sends it"
	return answer, nil
}

func eventArguments(code tool.Arg) []tool.Arg {
	return []tool.Arg{
		tool.ID("pixel_id", "AdsPixel", "Dataset (pixel)."),
		tool.Text("event_name", "Purchase, Lead, AddToCart, or a name of your own.").Req().Max(50),
		tool.Int("event_time", "When it happened, Unix seconds.").Req().Min(1),
		tool.Enum("action_source", "website app email phone_call chat physical_store system_generated business_messaging other", "Where it happened.").Req(),
		tool.Object("user_data", "Who it was, plain or SHA-256.", person...).Req(),
		tool.Object("custom_data", "What it was worth.", purchase...),
		tool.Text("event_source_url", "Address of the page it happened on; needed for website.").Max(2048),
		tool.Text("event_id", "Id that a browser pixel sends with the same event.").Max(100),
		code, live, first, profile,
	}
}

func eventOf(e *tool.Env) *eventArgs {
	a := &eventArgs{
		namespace: "agent/event", name: e.Args.Str("event_name"), at: e.Args["event_time"].(json.Number), source: e.Args.Str("action_source"),
		url: e.Args.Str("event_source_url"), eventID: e.Args.Str("event_id"), user: e.Args.Map("user_data"), custom: e.Args.Map("custom_data"),
	}
	if a.source == "physical_store" { // the same order through either tool is one sale
		a.namespace = "agent/offline"
	}
	if id, ok := a.custom["order_id"].(string); ok {
		a.record = id
	}
	return a
}
