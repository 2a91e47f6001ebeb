package sqlite

import (
	"sluice/internal/ledger"
	"sluice/internal/store/sqlrepo"
)

// tx is the view of one transaction; every repository is the same connection.
type tx struct {
	sqlrepo.Repos
	session *session
}

func (s *Store) tx(session *session) *tx {
	return &tx{Repos: sqlrepo.Repos{S: session, Clock: s.now, Chain: s.id}, session: session}
}

func (t *tx) Events() ledger.Events { return events{t.session} }
func (t *tx) Claims() ledger.Claims { return claims{t.session} }

type (
	events struct{ s *session }
	claims struct{ s *session }
)
