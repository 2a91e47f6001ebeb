package sandbox

// actionSource says where an event happened.
type actionSource uint8

const (
	sourceUnknown actionSource = iota
	sourceWebsite
	sourceApp
	sourceStore
	sourcePhone
	sourceChat
	sourceEmail
	sourceSystem
	sourceMessaging
	sourceOther
	sourceCount
)

var actionSources = [sourceCount]string{
	"", "website", "app", "physical_store", "phone_call", "chat", "email", "system_generated", "business_messaging", "other",
}

func (a actionSource) String() string { return actionSources[a] }

func actionSourceOf(v []byte) actionSource {
	for a := sourceWebsite; a < sourceCount; a++ {
		if actionSources[a] == string(v) {
			return a
		}
	}
	return sourceUnknown
}

// eventKey numbers the keys an element of data may have.
type eventKey uint8

const (
	evName eventKey = iota
	evTime
	evUserData
	evActionSource
	evCustomData
	evSourceURL
	evReferrer
	evID
	evOptOut
	evDPO
	evDPOCountry
	evDPOState
	evAppData
	evChannel
	evOriginal
	evAttribution
	evSegmentation
	evMeasurement
	evStoreData
	eventKeyCount
)

var eventKeyNames = [eventKeyCount]string{
	"event_name", "event_time", "user_data", "action_source", "custom_data", "event_source_url", "referrer_url",
	"event_id", "opt_out", "data_processing_options", "data_processing_options_country", "data_processing_options_state",
	"app_data", "messaging_channel", "original_event_data", "attribution_data", "customer_segmentation",
	"advanced_measurement_table", "store_data",
}

func (k eventKey) String() string { return eventKeyNames[k] }

func eventKeyOf(name []byte) (eventKey, bool) {
	switch string(name) {
	case "event_name":
		return evName, true
	case "event_time":
		return evTime, true
	case "user_data":
		return evUserData, true
	case "action_source":
		return evActionSource, true
	case "custom_data":
		return evCustomData, true
	case "event_source_url":
		return evSourceURL, true
	case "event_id":
		return evID, true
	}
	for k := evReferrer; k < eventKeyCount; k++ {
		if eventKeyNames[k] == string(name) {
			return k, true
		}
	}
	return 0, false
}

// stage orders the checks of one event; the first stage with a problem answers.
type stage uint8

const (
	stageRequired stage = iota
	stageTime
	stageSource
	stageUser
	stageSufficient
	stagePurchase
	stageMessaging
	stageCount
)

// event is what the checks need to know of one event. Byte slices are views of
// the request's body. One value is reused for all events of a request.
type event struct {
	raw    []byte
	has    uint32 // eventKey bits
	name   []byte
	id     []byte
	url    []byte
	time   int64
	source actionSource
	// channel is the messaging channel, as sent.
	channel []byte

	userRaw   []byte // the user_data object
	keys      keySet // keys with a usable value
	userAgent []byte
	hashedOdd bool // a key that is never hashed holds 64 hex digits

	custom      uint32 // customKey bits
	customNames [][]byte
	orderID     []byte
	itemNumber  []byte
	currency    []byte
	valueBad    bool

	ldu        bool
	dpo        bool // data_processing_options was one of [] and ["LDU"]
	dpoCountry int64
	dpoState   int64

	tracking bool // app_data.advertiser_tracking_enabled
	extinfo  extInfo

	originalName bool
	originalTime int64
	touchpoint   int64
	attribution  uint8 // attributionKey bits of the four required ones

	problems [stageCount]*apiError
}

// extInfo is the verdict on app_data.extinfo.
type extInfo uint8

const (
	extAbsent extInfo = iota
	extGood
	extBad
)

func (e *event) set(k eventKey)             { e.has |= 1 << k }
func (e *event) present(k eventKey) bool    { return e.has&(1<<k) != 0 }
func (e *event) hasCustom(k customKey) bool { return e.custom&(1<<k) != 0 }

// reset makes the value ready for the next event and keeps its buffers.
func (e *event) reset() {
	names := e.customNames[:0]
	*e = event{customNames: names}
}

// note keeps the first problem of a stage.
func (e *event) note(at stage, problem *apiError) {
	if e.problems[at] == nil {
		e.problems[at] = problem
	}
}

// purchase is the one event name with required properties.
const purchase = "Purchase"

// appendAttribution is the event name of Meta's attribution beta.
const appendAttribution = "AppendAttribution"
