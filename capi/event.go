package capi

// Event is one conversion in the terms of Meta's Conversions API, before
// normalisation: identifiers are as the business wrote them (or already hashed,
// see Options.Hashed). Encoder turns it into wire bytes.
//
// The zero value of a string, slice or Optional means "absent"; absent keys are
// never written.
type Event struct {
	EventName    string       // required, at most 50 characters
	EventTime    int64        // required, Unix seconds, UTC
	EventID      string       // deduplication key; recommended always
	ActionSource ActionSource // required

	EventSourceURL string // required for website
	ReferrerURL    string

	OptOut         Optional[bool]
	DataProcessing *DataProcessing

	MessagingChannel         MessagingChannel // required for business_messaging
	CustomerSegmentation     string           // emitted inside custom_data
	AdvancedMeasurementTable string

	UserData          UserData
	CustomData        CustomData
	AppData           *AppData
	OriginalEventData *OriginalEventData
	AttributionData   *AttributionData
	StoreData         *StoreData
}

// Optional is a value that may be absent. Its zero value is absent.
type Optional[T any] struct {
	Value T
	Set   bool
}

// Some returns a present Optional.
func Some[T any](v T) Optional[T] { return Optional[T]{Value: v, Set: true} }

// ActionSource says where a conversion happened. Sending it asserts that it is true.
type ActionSource string

// The action sources Meta accepts.
const (
	Website           ActionSource = "website"
	App               ActionSource = "app"
	PhysicalStore     ActionSource = "physical_store"
	PhoneCall         ActionSource = "phone_call"
	Chat              ActionSource = "chat"
	EmailSource       ActionSource = "email"
	SystemGenerated   ActionSource = "system_generated"
	BusinessMessaging ActionSource = "business_messaging"
	Other             ActionSource = "other"
)

// MessagingChannel is the channel of a business_messaging event.
type MessagingChannel string

// The messaging channels Meta accepts.
const (
	Messenger MessagingChannel = "messenger"
	Instagram MessagingChannel = "instagram"
	WhatsApp  MessagingChannel = "whatsapp"
)

// UserData holds the customer information of an event. Lists may hold several
// values of one person (two e-mail addresses); duplicates are removed after hashing.
type UserData struct {
	// Hashed on the wire.
	Email, Phone, FirstName, LastName, BirthDate, Gender []string
	City, State, Zip, Country, ExternalID                []string

	// Never hashed.
	ClientIPAddress, ClientUserAgent   string
	FBC, FBP                           string
	SubscriptionID, AnonID, MadID      string
	LeadID, FBLoginID                  string // decimal digits; they exceed 2^53
	PageID, PageScopedUserID, CTWAClid string
	IGAccountID, IGSID                 string
	InstagramBusinessAccountID         string
	WhatsAppBusinessAccountID          string
	PartnerID, PartnerName             string

	// Legacy keys that only SDKs know (f5first, f5last, fi, dobd, dobm, doby,
	// app_user_id): already hashed values, passed through.
	Legacy map[string]string

	// PhoneCountry is the ISO 3166-1 alpha-2 country that completes national
	// phone numbers and chooses state and zip rules. Empty: the first Country
	// that normalises, else Options.DefaultCountry.
	PhoneCountry string
}

// CustomData is the business side of an event.
type CustomData struct {
	Currency         string
	Value            Optional[Decimal]
	NetRevenue       Optional[Decimal]
	PredictedLTV     Optional[Decimal]
	ContentIDs       []string
	ContentType      string
	Contents         []Content
	ContentName      string
	ContentCategory  string
	NumItems         Optional[int64]
	OrderID          string
	ItemNumber       string
	SearchString     string
	Status           string
	DeliveryCategory string
	EventSource      string // "crm" for lead-stage events
	LeadEventSource  string // name of the CRM
	// Properties are further keys, each value one JSON value. A key that repeats
	// a standard one is refused.
	Properties []Property
}

// Property is one custom property: a key and the JSON text of its value.
type Property struct {
	Key  string
	JSON string
}

// Content is one line of an order.
type Content struct {
	ID               string
	Quantity         Optional[int64]
	ItemPrice        Optional[Decimal]
	Title            string
	Description      string
	Brand            string
	Category         string
	DeliveryCategory string
}

// DataProcessing is Limited Data Use. Options is empty (explicitly off) or {"LDU"}.
type DataProcessing struct {
	Options []string
	Country Optional[int64]
	State   Optional[int64]
}

// AppData describes the app and device of an app event.
type AppData struct {
	AdvertiserTrackingEnabled  Optional[bool]
	ApplicationTrackingEnabled Optional[bool]
	ExtInfo                    []string // exactly 16
	CampaignIDs                string
	InstallReferrer            string
	InstallerPackage           string
	URLSchemes                 []string
	VendorID                   string
	WindowsAttributionID       string
	ConsiderViews              Optional[bool]
	IncludeDwellData           Optional[bool]
	IncludeVideoData           Optional[bool]
	ReceiptData                string
}

// OriginalEventData links a delayed event to an earlier one.
type OriginalEventData struct {
	EventName string
	EventTime int64
	OrderID   string
	EventID   string
}

// AttributionData carries an advertiser's own attribution (beta, event name
// AppendAttribution).
type AttributionData struct {
	AdID             string
	TouchpointTS     int64
	AttributionShare Optional[Decimal]
	AttributionValue Optional[Decimal]
	// Properties are the further keys of Meta's specification (scope, adset_id,
	// attribution_model …), passed through when known.
	Properties []Property
}

// StoreData names the shop of a physical_store event.
type StoreData struct {
	StorePageID string
	BrandPageID string
	StoreCode   string // at most 64 letters and digits
}
