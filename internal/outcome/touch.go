package outcome

import "strings"

// Touch is one contact of a person with the business's advertising before the
// outcome.
type Touch struct {
	Time       int64  `json:"ts,omitempty"` // Unix seconds
	Channel    string `json:"channel,omitempty"`
	Source     string `json:"source,omitempty"`
	CampaignID string `json:"campaign_id,omitempty"`
	AdID       string `json:"ad_id,omitempty"`
	ClickID    string `json:"click_id,omitempty"`
}

// metaNames are how Meta's own places are called in the wild.
var metaNames = map[string]bool{
	"meta": true, "facebook": true, "fb": true, "instagram": true, "ig": true, "messenger": true, "msg": true, "whatsapp": true, "wa": true,
	"threads": true, "th": true, "audience_network": true, "an": true, "facebook.com": true, "m.facebook.com": true, "l.facebook.com": true,
	"instagram.com": true, "l.instagram.com": true, "facebook_ads": true, "meta_ads": true, "paid_social_meta": true,
}

// Meta reports whether the touch was in one of Meta's places: its source or channel
// says so, or its click id is one of Meta's.
func (t *Touch) Meta() bool {
	for _, s := range []string{t.Source, t.Channel} {
		s = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(s)))
		if metaNames[s] {
			return true
		}
	}
	id := strings.TrimSpace(t.ClickID)
	return strings.HasPrefix(id, "fb.") || strings.HasPrefix(id, "IwAR") || strings.HasPrefix(id, "IwY2") || strings.HasPrefix(id, "IwZX")
}
