package capi

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxEventName is the length limit of the pixel's custom events, in characters.
const maxEventName = 50

// EventInfo is what Meta documents about a standard event.
type EventInfo struct {
	Name string
	// Properties are the custom_data keys Meta documents for it.
	Properties []string
	// Required are the ones Meta refuses the event without.
	Required []string
	// ForCatalogue names what advertising from a catalogue needs besides: contents
	// or content_ids.
	ForCatalogue []string
}

var (
	contentsOrIDs = []string{"contents", "content_ids"}
	cartKeys      = []string{"content_category", "content_ids", "contents", "currency", "value"}
)

// standardEvents are the pixel's standard events. Source: Meta Pixel reference.
var standardEvents = [...]EventInfo{
	{Name: "AddPaymentInfo", Properties: cartKeys},
	{Name: "AddToCart", Properties: []string{"content_ids", "content_name", "content_type", "contents", "currency", "value"}, ForCatalogue: contentsOrIDs},
	{Name: "AddToWishlist", Properties: append([]string{"content_name"}, cartKeys...)},
	{Name: "CompleteRegistration", Properties: []string{"content_name", "currency", "status", "value"}},
	{Name: "Contact"},
	{Name: "CustomizeProduct"},
	{Name: "Donate"},
	{Name: "FindLocation"},
	{Name: "InitiateCheckout", Properties: append([]string{"num_items"}, cartKeys...)},
	{Name: "Lead", Properties: []string{"content_category", "content_name", "currency", "value"}},
	{Name: "PageView"},
	{Name: eventPurchase, Properties: []string{"content_ids", "content_name", "content_type", "contents", "currency", "num_items", "value"},
		Required: []string{"currency", "value"}, ForCatalogue: contentsOrIDs},
	{Name: "Schedule"},
	{Name: "Search", Properties: append([]string{"content_type", "search_string"}, cartKeys...)},
	{Name: "StartTrial", Properties: []string{"currency", "predicted_ltv", "value"}},
	{Name: "SubmitApplication"},
	{Name: "Subscribe", Properties: []string{"currency", "predicted_ltv", "value"}},
	{Name: "ViewContent", Properties: []string{"content_category", "content_ids", "content_name", "content_type", "contents", "currency", "value"}, ForCatalogue: contentsOrIDs},
}

const (
	eventPurchase          = "Purchase"
	eventAppendAttribution = "AppendAttribution"
)

// messagingEvents are the names Meta takes from business messaging. Source:
// Conversions API for business messaging.
var messagingEvents = []string{
	"AddToCart", "CartAbandoned", "InitiateCheckout", "LeadSubmitted", "OrderCanceled", "OrderCreated",
	"OrderDelivered", "OrderReturned", "OrderShipped", eventPurchase, "QualifiedLead", "RatingProvided",
	"ReviewProvided", "ViewContent",
}

// StandardEvents returns the standard events in alphabetical order.
func StandardEvents() []EventInfo { return slices.Clone(standardEvents[:]) }

// StandardEvent returns what is documented about a standard event. Names are
// case-sensitive.
func StandardEvent(name string) (EventInfo, bool) {
	i, ok := slices.BinarySearchFunc(standardEvents[:], name, func(e EventInfo, name string) int { return strings.Compare(e.Name, name) })
	if !ok {
		return EventInfo{}, false
	}
	return standardEvents[i], true
}

var standardNames = func() map[string]bool {
	names := make(map[string]bool, len(standardEvents))
	for _, e := range standardEvents {
		names[e.Name] = true
	}
	return names
}()

// looseNames maps standard and messaging names in lower case to themselves.
var looseNames = func() map[string]string {
	loose := make(map[string]string)
	for _, e := range standardEvents {
		loose[strings.ToLower(e.Name)] = e.Name
	}
	for _, name := range messagingEvents {
		loose[strings.ToLower(name)] = name
	}
	return loose
}()

// NearMiss returns the event name that a name differs from only in case, dashes,
// underscores, spaces and invisible characters; "" when it is exact or not near
// any. Meta takes a near miss for a custom event, and the advertiser's Purchase
// stays empty.
func NearMiss(name string) string {
	if standardNames[name] || len(name) > maxEventName*4 {
		return ""
	}
	var buf [maxEventName * 4]byte
	loose := buf[:0]
	for _, r := range name {
		switch {
		case r == '-', r == '_', isInvisible(r):
		case 'A' <= r && r <= 'Z':
			loose = append(loose, byte(r)|0x20)
		default:
			loose = utf8.AppendRune(loose, r)
		}
	}
	if near := looseNames[string(loose)]; near != name {
		return near
	}
	return ""
}

// eventNameFault returns the code that refuses a name, "" for none.
func eventNameFault(name string) string {
	switch {
	case strings.TrimFunc(name, isInvisible) == "":
		return CodeMissingEventName
	case len(name) > maxEventName && runeCount(name) > maxEventName:
		return CodeEventNameTooLong
	case strings.IndexFunc(name, unicode.IsControl) >= 0:
		return CodeEventNameCharacters
	case !isPlain(name[0]) || !isPlain(name[len(name)-1]):
		// Nobody sees these in a spreadsheet, and Meta does not trim names.
		if strings.TrimFunc(name, isInvisible) != name {
			return CodeEventNameCharacters
		}
	}
	return ""
}

// isInvisible reports blanks and format characters.
func isInvisible(r rune) bool { return isBlank(r) || unicode.Is(unicode.Cf, r) }
