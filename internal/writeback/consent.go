package writeback

import (
	"context"

	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/tenant"
)

// holdUnknownConsent is the policy value that keeps rows without a consent signal
// instead of leaving them out; nothing makes them go.
const holdUnknownConsent = "hold"

// policyOf reads the policy of the service's profile.
func (s *Service) policyOf(ctx context.Context, tx ledger.Tx) (tenant.Policy, error) {
	p, err := s.profileIn(ctx, tx)
	if err != nil {
		return tenant.Policy{}, err
	}
	return p.Policy, nil
}

// waits reports whether a record the mapper left out is held instead: consent is
// not recorded, and the profile's policy waits for it.
func (g *guard) waits(m *mapping.Result) bool {
	return m.Code == mapping.SkipConsentUnknown && g.policy.UnknownConsent == holdUnknownConsent
}
