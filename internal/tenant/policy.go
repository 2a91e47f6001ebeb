package tenant

import (
	"crypto/sha256"
	"encoding/json"
)

// Policy is what a profile allows. Its zero value is the default of every field.
// The digest is part of every plan's hash: a plan is confirmed under the policy it
// was previewed with, or not at all.
type Policy struct {
	// Caps bound confirms; 0 or absent is no cap. Values are decimal text per
	// ISO 4217 currency.
	MaxEventsPerRun int               `json:"max_events_per_run,omitempty"`
	MaxEventsPerDay int               `json:"max_events_per_day,omitempty"`
	MaxValuePerRun  map[string]string `json:"max_value_per_run,omitempty"`
	MaxValuePerDay  map[string]string `json:"max_value_per_day,omitempty"`
	// AgentMaxEvents caps one confirm of an agent's token.
	AgentMaxEvents int `json:"agent_max_events,omitempty"`
	// FourEyes makes every confirm wait for somebody else's approval; agents and
	// operators always propose when ApproveAgents is set.
	FourEyes      bool `json:"four_eyes,omitempty"`
	ApproveAgents bool `json:"approve_agents,omitempty"`
	// RequireDryRun is the level a plan must have passed in the last 24 h:
	// "" (offline), offline, sandbox, test_dataset, none.
	RequireDryRun string `json:"require_dry_run,omitempty"`
	// UnknownPolicy is what happens to requests whose answer was lost:
	// "" (resend_within_half_window), resend_within_half_window, hold.
	UnknownPolicy string `json:"unknown_policy,omitempty"`
	// HoldFor delays outcomes, as Go durations per outcome; a mapping may say more.
	HoldFor map[string]string `json:"hold_for,omitempty"`
	// Events overrides the outcome → event table.
	Events map[string]EventRule `json:"events,omitempty"`
	// SaleRank orders the outcomes of one sale, strongest first; only the first is
	// sent. Empty: payment_received, order_placed, closed_won.
	SaleRank []string `json:"sale_rank,omitempty"`
	// UnknownConsent is what happens to rows of EEA, UK and CH without a consent
	// signal: "" (skip), skip, hold. Never send.
	UnknownConsent string `json:"unknown_consent,omitempty"`
	// ForceLDU sends every US event with limited data use.
	ForceLDU bool `json:"force_ldu,omitempty"`
	// Retention overrides, in days; 0 is the default of docs/privacy.md.
	LedgerDays int `json:"ledger_days,omitempty"`
	RejectDays int `json:"reject_days,omitempty"`
}

// EventRule overrides one row of the outcome → event table.
type EventRule struct {
	EventName    string `json:"event_name,omitempty"`
	ActionSource string `json:"action_source,omitempty"`
}

// The values of UnknownPolicy.
const (
	ResendWithinHalfWindow = "resend_within_half_window"
	HoldUnknown            = "hold"
)

// Digest is the SHA-256 of the policy's JSON.
func (p Policy) Digest() [32]byte {
	raw, err := json.Marshal(p) // sorted maps, fixed field order: one form per policy
	if err != nil {
		panic(err) // strings, numbers and maps of them always encode
	}
	return sha256.Sum256(raw)
}
