package capi

// Tier is a local estimate of how well an event can be matched to a person. The
// measured values are Meta's own (event match quality, offline match-key
// coverage); these only order events before anything is sent.
type Tier uint8

const (
	// TierInvalid means Meta refuses the keys: see KeySet.Sufficient.
	TierInvalid Tier = iota
	// TierWeak means sufficient, but unlikely to match.
	TierWeak
	// TierGood means likely to match.
	TierGood
	// TierGreat means as good as it gets.
	TierGreat
)

// String returns invalid, weak, good or great.
func (t Tier) String() string {
	switch t {
	case TierWeak:
		return "weak"
	case TierGood:
		return "good"
	case TierGreat:
		return "great"
	default:
		return "invalid"
	}
}

// CompatibilityTier is the three-step tier that browser-minded tools show. It
// never returns TierInvalid, ignores fbc, and calls every sale in a shop weak,
// because a till has no cookie, address or user agent. Use ChannelTier where a
// decision hangs on it.
func CompatibilityTier(keys KeySet) Tier {
	const all = KeySet(1)<<FieldFBP | 1<<FieldEmail | 1<<FieldPhone | 1<<FieldClientIPAddress | 1<<FieldClientUserAgent
	switch {
	case keys.Contains(all):
		return TierGreat
	case keys.any(1<<FieldEmail|1<<FieldPhone) && keys.any(1<<FieldClientIPAddress|1<<FieldClientUserAgent):
		return TierGood
	default:
		return TierWeak
	}
}

// ChannelTier judges keys by what the channel can know. For physical_store,
// phone_call and system_generated it asks for what a till or a CRM can hold; for
// every other source it is the compatibility tier. Keys Meta refuses are
// TierInvalid on every channel.
func ChannelTier(keys KeySet, source ActionSource) Tier {
	if !keys.Sufficient() {
		return TierInvalid
	}
	if !personChannel(source) {
		return CompatibilityTier(keys)
	}
	const contact = KeySet(1)<<FieldEmail | 1<<FieldPhone
	const name = KeySet(1)<<FieldFirstName | 1<<FieldLastName
	const town = KeySet(1)<<FieldCity | 1<<FieldCountry
	switch {
	case keys.Has(FieldLeadID),
		keys.Contains(contact|name) && (keys.Has(FieldZip) || keys.Contains(town)):
		return TierGreat
	case keys.any(contact | 1<<FieldMadID),
		keys.Contains(name|1<<FieldBirthDate) && keys.any(1<<FieldZip|1<<FieldCity):
		return TierGood
	default:
		return TierWeak
	}
}

// Lift returns the smallest set of keys that would raise the event from weak (or
// invalid) to good on its channel, preferring keys a business is likely to hold:
// contact details before personal data. It is empty when the tier is good already.
func Lift(keys KeySet, source ActionSource) []Field {
	if ChannelTier(keys, source) >= TierGood {
		return nil
	}
	for _, add := range lifts {
		if ChannelTier(keys|add, source) >= TierGood {
			return (add &^ keys).Fields()
		}
	}
	return nil
}

// lifts are the additions Lift tries, cheapest first. The last but one reaches
// good on every browser-like channel, the first on every other, so the search
// always ends.
var lifts = [...]KeySet{
	1 << FieldEmail,
	1 << FieldClientUserAgent,
	1<<FieldEmail | 1<<FieldClientUserAgent,
}

// personChannel reports whether a channel meets people rather than browsers.
func personChannel(source ActionSource) bool {
	switch source {
	case PhysicalStore, PhoneCall, SystemGenerated:
		return true
	default:
		return false
	}
}

// any reports whether s and t share a key.
func (s KeySet) any(t KeySet) bool { return s&t != 0 }
