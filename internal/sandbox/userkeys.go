package sandbox

// userKey numbers the keys of user_data in the order of Meta's table. It is a bit
// position in a keySet.
type userKey uint8

// keySet is a set of user_data keys.
type keySet uint64

func (k userKey) bit() keySet { return 1 << k }

const (
	keyEM userKey = iota
	keyPH
	keyFN
	keyLN
	keyDB
	keyGE
	keyCT
	keyST
	keyZP
	keyCountry
	keyExternalID
	keyIP
	keyUserAgent
	keyFBC
	keyFBP
	keySubscriptionID
	keyFBLoginID
	keyLeadID
	keyMadID
	keyAnonID
	keyPageID
	keyPageScopedUserID
	keyCTWAClid
	keyIGAccountID
	keyIGSID
	keyWABA
	keyIGBusiness
	keyPartnerID
	keyPartnerName
	keyF5First
	keyF5Last
	keyFI
	keyDobD
	keyDobM
	keyDobY
	keyAppUserID
	userKeyCount
)

// userKeyNames are the wire names, in the order of the constants.
var userKeyNames = [userKeyCount]string{
	"em", "ph", "fn", "ln", "db", "ge", "ct", "st", "zp", "country", "external_id",
	"client_ip_address", "client_user_agent", "fbc", "fbp", "subscription_id", "fb_login_id", "lead_id",
	"madid", "anon_id", "page_id", "page_scoped_user_id", "ctwa_clid", "ig_account_id", "ig_sid",
	"whatsapp_business_account_id", "instagram_business_account_id", "partner_id", "partner_name",
	"f5first", "f5last", "fi", "dobd", "dobm", "doby", "app_user_id",
}

func (k userKey) String() string { return userKeyNames[k] }

// userKeyOf finds a key by its exact name. A switch, because it runs a dozen times
// for every event and beats a map there.
func userKeyOf(name []byte) (userKey, bool) {
	switch string(name) {
	case "em":
		return keyEM, true
	case "ph":
		return keyPH, true
	case "fn":
		return keyFN, true
	case "ln":
		return keyLN, true
	case "db":
		return keyDB, true
	case "ge":
		return keyGE, true
	case "ct":
		return keyCT, true
	case "st":
		return keyST, true
	case "zp":
		return keyZP, true
	case "country":
		return keyCountry, true
	case "external_id":
		return keyExternalID, true
	case "client_ip_address":
		return keyIP, true
	case "client_user_agent":
		return keyUserAgent, true
	case "fbc":
		return keyFBC, true
	case "fbp":
		return keyFBP, true
	}
	for k := keySubscriptionID; k < userKeyCount; k++ {
		if userKeyNames[k] == string(name) {
			return k, true
		}
	}
	return 0, false
}

// hashedKeys must hold SHA-256, or Meta refuses the request.
const hashedKeys = keySet(1<<keyEM | 1<<keyPH | 1<<keyFN | 1<<keyLN | 1<<keyDB | 1<<keyGE |
	1<<keyCT | 1<<keyST | 1<<keyZP | 1<<keyCountry)

// listKeys may hold one value or a list of them.
const listKeys = hashedKeys | 1<<keyExternalID

// legacyKeys are known to SDKs only: one string each, which may be hashed.
const legacyKeys = keySet(1<<keyF5First | 1<<keyF5Last | 1<<keyFI | 1<<keyDobD | 1<<keyDobM | 1<<keyDobY | 1<<keyAppUserID)

// tooBroad are the combinations Meta lists as matching too many people; an event
// whose keys are a subset of one of them is refused (since Graph v13.0).
var tooBroad = [...]keySet{
	1<<keyCT | 1<<keyCountry | 1<<keyST | 1<<keyZP | 1<<keyGE | 1<<keyUserAgent,
	1<<keyDB | 1<<keyUserAgent,
	1<<keyFN | 1<<keyGE,
	1<<keyLN | 1<<keyGE,
}

// sufficient reports whether the keys may match a person at all.
func (s keySet) sufficient() bool {
	for _, broad := range tooBroad {
		if s&^broad == 0 {
			return false // also the empty set
		}
	}
	return true
}

func (s keySet) has(k userKey) bool { return s&k.bit() != 0 }

// any reports whether at least one of the keys is there.
func (s keySet) any(keys keySet) bool { return s&keys != 0 }

// all reports whether every one of the keys is there.
func (s keySet) all(keys keySet) bool { return s&keys == keys }

// grade ranks an event's chance to match, our own scale: it never refuses.
type grade uint8

const (
	gradeWeak grade = iota
	gradeGood
	gradeGreat
)

func (g grade) String() string { return [...]string{"weak", "good", "great"}[g] }

// grade computes the match grade of a key set.
func (s keySet) grade() grade {
	contact := s.any(1<<keyEM | 1<<keyPH)
	device := s.any(1<<keyFBC|1<<keyFBP|1<<keyLeadID) || s.all(1<<keyIP|1<<keyUserAgent)
	person := s.has(keyExternalID) || s.all(1<<keyFN|1<<keyLN|1<<keyZP)
	switch {
	case contact && device && person:
		return gradeGreat
	case contact || s.has(keyLeadID):
		return gradeGood
	}
	return gradeWeak
}
