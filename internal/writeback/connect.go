package writeback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Inspector is what a connection is checked with. graph.Client is one.
type Inspector interface {
	Destination
	historian
	Token(ctx context.Context) (graph.Token, error)
	Server(ctx context.Context, dataset string) (graph.Server, error)
	Version() string
}

// Clock skew of Meta against this machine: a warning, and the end.
const (
	skewWarning = time.Minute
	skewLimit   = 10 * time.Minute
)

// tokenWarning is when a token's end is told.
const tokenWarning = 7 * 24 * time.Hour

// The scopes that may send, and those that may read what was sent.
var (
	sendScopes = []string{"ads_management", "business_management", "page_events", "whatsapp_business_manage_events", "instagram_manage_events"}
	readScopes = []string{"ads_management", "ads_read", "business_management"}
)

// ConnectionCheck is one check of a connection.
type ConnectionCheck struct {
	Check string `json:"check"` // token, scopes, dataset, store_events, uploads, clock, version, test_dataset
	State string `json:"state"` // ok, warning, failed
	Text  string `json:"text"`
}

// The states of a check.
const (
	CheckOK      = "ok"
	CheckWarning = "warning"
	CheckFailed  = "failed"
)

// ConnectionReport is a connection after its check.
type ConnectionReport struct {
	tenant.Connection
	Checks []ConnectionCheck `json:"checks"`
	Skew   float64           `json:"clock_skew_seconds"` // Meta's clock less ours
}

// Failed is the first check that failed, nil when none did.
func (r *ConnectionReport) Failed() *ConnectionCheck {
	for i := range r.Checks {
		if r.Checks[i].State == CheckFailed {
			return &r.Checks[i]
		}
	}
	return nil
}

func (r *ConnectionReport) note(check, state, format string, args ...any) {
	r.Checks = append(r.Checks, ConnectionCheck{check, state, fmt.Sprintf(format, args...)})
}

// ConnectRequest makes or checks a connection.
type ConnectRequest struct {
	At          Target
	To          Inspector
	Credential  string // to be sealed; empty: the stored one, or the environment's, goes on being used
	TestDataset string // empty: as it is stored
}

// credentialPurpose binds a sealed token to its connection.
func credentialPurpose(at Target) string {
	return "connection\x00" + at.Profile + "\x00" + at.Realm + "\x00" + at.Dataset
}

// Credential opens the token of a connection; empty when it has none of its own.
func (s *Service) Credential(c *tenant.Connection) (string, error) {
	if len(c.Credential) == 0 {
		return "", nil
	}
	token, err := s.keys.Open(c.Credential, credentialPurpose(Target{c.Profile, c.Realm, c.Dataset}))
	if err != nil {
		return "", fault.New(fault.StoreUnavailable, "the credential of dataset %s does not open with this master key", c.Dataset).
			WithFix("connect the dataset again: `sluice connect %s`", c.Dataset)
	}
	return string(token), nil
}

// Connection returns the connection of a target, nil when there is none.
func (s *Service) Connection(ctx context.Context, at Target) (c *tenant.Connection, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		c, err = tx.Tenants().Connection(ctx, at.Profile, at.Realm, at.Dataset)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return c, err
}

// Connections lists the connections of this service's profile, of all when every is set.
func (s *Service) Connections(ctx context.Context, every bool) (list []tenant.Connection, err error) {
	profile := s.profile
	if every {
		profile = ""
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Tenants().Connections(ctx, profile)
		return err
	})
	return list, err
}

// Connect checks the access to a dataset and stores it, active or inactive with the
// reason. A token that Meta refuses makes no new connection.
func (s *Service) Connect(ctx context.Context, req ConnectRequest) (*ConnectionReport, error) {
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{}); err != nil {
		return nil, err
	}
	known, err := s.Connection(ctx, req.At)
	if err != nil {
		return nil, err
	}
	r := &ConnectionReport{}
	if known != nil {
		r.Connection = *known
	} else {
		now := s.now()
		r.Connection = tenant.Connection{ID: ids.New("conn", now), Profile: req.At.Profile, Dataset: req.At.Dataset, Realm: req.At.Realm, CreatedAt: now}
	}
	if req.TestDataset != "" {
		r.TestDataset = req.TestDataset
	}
	if err := s.inspect(ctx, req.To, req.At, r); err != nil {
		return nil, err
	}
	if f := r.Failed(); known == nil && f != nil && f.Check == "token" {
		return r, fault.New(fault.ConnectorExpired, "%s; nothing was stored", f.Text)
	}
	if req.Credential != "" {
		r.Credential = s.keys.Seal([]byte(req.Credential), credentialPurpose(req.At))
	}
	r.State, r.Reason, r.CheckedAt = tenant.ConnActive, "", s.now()
	if f := r.Failed(); f != nil {
		r.State, r.Reason = tenant.ConnInactive, f.Text
	}
	op := "connection.check"
	if req.Credential != "" || known == nil {
		op = "connection.set"
	}
	return r, s.store.Do(ctx, func(tx ledger.Tx) error {
		if _, err := tx.Tenants().Profile(ctx, req.At.Profile); err != nil {
			if errors.Is(err, ledger.ErrNotFound) {
				return fault.New(fault.NotFound, "there is no profile %s", req.At.Profile).WithFix("make it first: `sluice profile set %s`", req.At.Profile)
			}
			return err
		}
		if err := tx.Tenants().PutConnection(ctx, &r.Connection); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, tx.Now(), s.connectionRecord(op, req.At, r.State))
		return err
	})
}

func (s *Service) connectionRecord(op string, at Target, result string) audit.Record {
	return audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Op: op, Profile: at.Profile, Dataset: at.Dataset, Realm: at.Realm, Result: result, AppVersion: s.version,
	}
}

// inspect asks Meta about token, dataset, history, clock and version. An error says
// that Meta could not be asked.
func (s *Service) inspect(ctx context.Context, to Inspector, at Target, r *ConnectionReport) error {
	if err := s.inspectToken(ctx, to, r); err != nil || r.Failed() != nil {
		return err
	}
	before := s.now()
	server, err := to.Server(ctx, at.Dataset)
	if err == nil {
		s.inspectServer(server, before, to.Version(), r)
	}
	if err := s.inspectDataset(ctx, to, at.Dataset, r); err != nil {
		return err
	}
	if r.TestDataset != "" {
		if _, err := to.Dataset(ctx, r.TestDataset); err == nil {
			r.note("test_dataset", CheckOK, "dataset %s can be used for dry runs", r.TestDataset)
		} else if !refused(err) {
			return deliver.Stopped(err)
		} else {
			r.note("test_dataset", CheckFailed, "the test dataset %s can't be used with this token", r.TestDataset)
		}
	}
	if r.Failed() != nil {
		return nil
	}
	found, err := s.strangers(ctx, to, at)
	switch {
	case err != nil:
		return err
	case found.fault(at.Dataset) != nil:
		r.note("uploads", CheckWarning, "%v; confirms are refused until that is settled", found.fault(at.Dataset))
	default:
		r.note("uploads", CheckOK, "no other ledger has sent store events in the last %d days", int(uploadsBack/(24*time.Hour)))
	}
	return nil
}

// refused reports an answer that says no for good.
func refused(err error) bool {
	var e *graph.Error
	return errors.As(err, &e) && (e.Class == graph.Auth || e.Class == graph.Config || e.Class == graph.Content || e.Class == graph.Blocked)
}

func (s *Service) inspectToken(ctx context.Context, to Inspector, r *ConnectionReport) error {
	t, err := to.Token(ctx)
	switch {
	case err != nil && refused(err):
		r.note("token", CheckFailed, "Meta refuses the access token (%v)", err)
		return nil
	case err != nil:
		return deliver.Stopped(err)
	case !t.Valid:
		r.note("token", CheckFailed, "the access token is not valid any more")
		return nil
	}
	r.Scopes, r.TokenExpires = t.Scopes, t.Expires
	slices.Sort(r.Scopes)
	left := t.Expires.Sub(s.now())
	switch {
	case t.Expires.IsZero():
		r.note("token", CheckOK, "valid, of type %s, without an end", t.Type)
	case left < tokenWarning:
		r.note("token", CheckWarning, "ends on %s; a system user's token has no end", t.Expires.Format(time.DateOnly))
	default:
		r.note("token", CheckOK, "valid until %s", t.Expires.Format(time.DateOnly))
	}
	has := func(any []string) bool {
		return slices.ContainsFunc(any, func(scope string) bool { return slices.Contains(t.Scopes, scope) })
	}
	switch {
	case !has(sendScopes):
		r.note("scopes", CheckFailed, "the token may not send events: it has none of %s", strings.Join(sendScopes[:3], ", "))
	case !has(readScopes):
		r.note("scopes", CheckWarning, "the token may send but not read what was sent: a second ledger can't be noticed; add ads_read")
	default:
		r.note("scopes", CheckOK, "may send and read")
	}
	return nil
}

func (s *Service) inspectServer(server graph.Server, before time.Time, asked string, r *ConnectionReport) {
	r.GraphVersion = asked
	if server.Version != "" && server.Version != asked {
		r.note("version", CheckFailed, "Meta answers %s with %s: that version is not served any more", asked, server.Version)
	} else {
		r.note("version", CheckOK, "pinned to %s", asked)
	}
	if server.Time.IsZero() {
		return
	}
	// The header has whole seconds and was written between the two readings.
	skew := server.Time.Sub(before.Truncate(time.Second))
	r.Skew = skew.Seconds()
	switch {
	case skew.Abs() > skewLimit:
		r.note("clock", CheckFailed, "this machine's clock is %s off Meta's: windows and deduplication would be wrong", skew.Abs().Round(time.Second))
	case skew.Abs() > skewWarning:
		r.note("clock", CheckWarning, "this machine's clock is %s off Meta's", skew.Abs().Round(time.Second))
	default:
		r.note("clock", CheckOK, "agrees with Meta's to %s", max(time.Second, skew.Abs()))
	}
}

func (s *Service) inspectDataset(ctx context.Context, to Inspector, dataset string, r *ConnectionReport) error {
	d, err := to.Dataset(ctx, dataset)
	switch {
	case err != nil && refused(err):
		r.note("dataset", CheckFailed, "the dataset can't be used with this token (%v)", err)
		return nil
	case err != nil:
		return deliver.Stopped(err)
	case d.Unavailable:
		r.note("dataset", CheckFailed, "the dataset is not available")
		return nil
	}
	r.Name, r.Consolidated = d.Name, d.Consolidated
	r.note("dataset", CheckOK, "can be used")
	switch {
	case d.Consolidated == nil:
		r.note("store_events", CheckWarning, "Meta does not say whether the dataset takes store events")
	case *d.Consolidated:
		r.note("store_events", CheckOK, "taken: a consolidated dataset")
	default:
		r.note("store_events", CheckWarning, "not taken: the dataset is not consolidated; website events are")
	}
	return nil
}

// Disconnect removes a connection with its credential.
func (s *Service) Disconnect(ctx context.Context, at Target) error {
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{}); err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		err := tx.Tenants().DeleteConnection(ctx, at.Profile, at.Realm, at.Dataset)
		if errors.Is(err, ledger.ErrLost) {
			return fault.New(fault.NotFound, "profile %s has no connection to dataset %s", at.Profile, at.Dataset).WithFix("see `sluice connect list`")
		}
		if err != nil {
			return err
		}
		_, err = tx.Audit().Append(ctx, tx.Now(), s.connectionRecord("connection.remove", at, "ok"))
		return err
	})
}
