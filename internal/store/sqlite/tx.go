package sqlite

import (
	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// tx is the view of one transaction; every repository is the same connection.
type tx struct {
	*session
	store string
}

func (t *tx) Plans() ledger.Plans     { return plans{t.session} }
func (t *tx) Events() ledger.Events   { return events{t.session} }
func (t *tx) Batches() ledger.Batches { return batches{t.session} }
func (t *tx) Claims() ledger.Claims   { return claims{t.session} }
func (t *tx) Runs() ledger.Runs       { return runs{t.session} }
func (t *tx) Rejects() ledger.Rejects { return rejects{t.session} }
func (t *tx) Audit() audit.Log        { return auditLog{t.session, t.store} }

type (
	plans    struct{ s *session }
	events   struct{ s *session }
	batches  struct{ s *session }
	claims   struct{ s *session }
	runs     struct{ s *session }
	rejects  struct{ s *session }
	auditLog struct {
		s     *session
		chain string
	}
)
