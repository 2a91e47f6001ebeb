package govern

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/secret"
	"sluice/policy"
)

// How a directory follows the registry. A change is seen within pollEvery, and a poll may
// take pollTime: together less than the second in which a revoked grant is dead.
//
// Trust is how long what was read last counts while nothing can be read. A database that
// is being restarted, or a file that is locked for a moment, must not turn every agent
// away at once; a gateway that is cut off must not go on for long with grants that were
// revoked meanwhile. After it every caller is refused as unavailable, not as unknown, so
// that clients don't throw their tokens away. It only matters for what needs no record:
// a call is denied anyway when its decision can't be recorded.
const (
	pollEvery = 300 * time.Millisecond
	pollTime  = 600 * time.Millisecond
	Trust     = 5 * time.Second
)

// Errors of Resolve and Person. Nothing about the token or the caller is in them.
var (
	ErrUnknown     = errors.New("the token is not valid for this server, or not any more")
	ErrUnavailable = errors.New("who may call can't be read right now")
)

// Bound is a policy as it is in force.
type Bound struct {
	ID      string
	Name    string
	Version int
	Hash    string
	Mode    registry.Mode
	Policy  *policy.Policy // nil: the stored document can't be used, and denies
}

// Entry is one grant as it stands: what the gateway judges its calls by. It is immutable
// and shared.
type Entry struct {
	Workspace string
	Server    *registry.Server
	Grant     *registry.Grant
	// Policies are what a call has to pass, all of them: the server's own first, then the
	// grant's. Empty when the grant has none: that denies, whatever the server's own says.
	// A policy that is both stands once, so that its limits count once.
	Policies []Bound
	// Through is the aggregate that the grant is for, where Server is one of its members.
	// Policies is then the member's own policy alone, and empty where it has none, which
	// allows: the grant's own was asked at the aggregate.
	Through  *registry.Server
	Revision int64
}

// Directory holds who may call what, in memory, as it was within the last second.
type Directory struct {
	o       DirectoryOptions
	key     []byte
	now     atomic.Pointer[snapshot]
	read    atomic.Int64 // when something was read last, Unix nanoseconds
	mu      sync.Mutex   // held while reading
	changed chan struct{}
	wait    sync.Mutex // of changed
	parsed  map[parsedKey]parsedPolicy
	poke    chan struct{}
}

// DirectoryOptions are what a directory works with.
type DirectoryOptions struct {
	Store ledger.Store
	Keys  *secret.Keyring
	// Workspace is the one whose servers are reached by name; those of others by id.
	Workspace string
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
}

// snapshot is what was read at one revision.
type snapshot struct {
	revision int64
	grants   map[string]*Entry            // by id
	through  map[string]map[string]*Entry // by id, then by id of a member of its aggregate
	persons  map[person]*Entry
	named    map[name]*Entry
	servers  map[string]*registry.Server // by id, and by name in the directory's workspace
	// expiring holds when grants will be over, ascending.
	expiring []time.Time
}

type (
	person struct{ server, issuer, subject string }
	name   struct{ server, grant string }
)

type parsedKey struct {
	policy  string
	version int
}

type parsedPolicy struct {
	hash   string
	policy *policy.Policy
}

// OpenDirectory reads the registry. Run keeps it up to date.
func OpenDirectory(ctx context.Context, o DirectoryOptions) (*Directory, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Directory{o: o, key: tokenKey(o.Keys), changed: make(chan struct{}), parsed: map[parsedKey]parsedPolicy{}, poke: make(chan struct{}, 1)}
	return d, d.Refresh(ctx)
}

// Resolve is the entry of the grant that a token proves, for a server by name or id. An
// unknown grant costs as much time as a known one with another token.
func (d *Directory) Resolve(token, server string) (*Entry, error) {
	if d.stale() {
		return nil, ErrUnavailable
	}
	id, ok := grantOf(token)
	if !ok {
		return nil, ErrUnknown
	}
	var none [sha256.Size]byte
	now := d.now.Load()
	e, known := now.grants[id]
	want := none[:]
	if known && len(e.Grant.MAC) == sha256.Size {
		want = e.Grant.MAC
	} else {
		known = false
	}
	if equal := hmac.Equal(want, tokenMAC(d.key, token)); !equal || !known {
		return nil, ErrUnknown
	}
	if !e.Grant.Live(d.o.Now()) || now.servers[server] != e.Server {
		return nil, ErrUnknown
	}
	return e, nil
}

// Person is the entry of a person of an authorization server, for a server by name or
// id; ErrUnknown where there is no grant for them that lives.
func (d *Directory) Person(issuer, subject, server string) (*Entry, error) {
	if d.stale() {
		return nil, ErrUnavailable
	}
	now := d.now.Load()
	if s := now.servers[server]; s != nil && subject != "" {
		if e := now.persons[person{s.ID, issuer, subject}]; e != nil && e.Grant.Live(d.o.Now()) {
			return e, nil
		}
	}
	return nil, ErrUnknown
}

// Named is the entry of a grant by its name on a server, by name or id.
func (d *Directory) Named(grant, server string) (*Entry, error) {
	if d.stale() {
		return nil, ErrUnavailable
	}
	now := d.now.Load()
	if s := now.servers[server]; s != nil {
		if e := now.named[name{s.ID, grant}]; e != nil && e.Grant.Live(d.o.Now()) {
			return e, nil
		}
	}
	return nil, ErrUnknown
}

// Lookup is the entry of a grant as of now, for a server by name or id: its own, or a
// member of the aggregate that it is for. nil says that it may not call there, or not
// any more; or, see Available, that nobody can tell.
func (d *Directory) Lookup(grant, server string) *Entry {
	if d.stale() {
		return nil
	}
	now := d.now.Load()
	e, s := now.grants[grant], now.servers[server]
	if e == nil || s == nil || !e.Grant.Live(d.o.Now()) {
		return nil
	}
	if e.Server == s {
		return e
	}
	return now.through[grant][s.ID]
}

// Server is a server by name or id; nil when there is none.
func (d *Directory) Server(server string) *registry.Server { return d.now.Load().servers[server] }

// Servers lists the servers, of every workspace.
func (d *Directory) Servers() []*registry.Server {
	var list []*registry.Server
	for key, s := range d.now.Load().servers {
		if key == s.ID {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *registry.Server) int {
		if a.Workspace != b.Workspace {
			return compare(a.Workspace, b.Workspace)
		}
		return compare(a.Name, b.Name)
	})
	return list
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Revision is that of what is in force here.
func (d *Directory) Revision() int64 { return d.now.Load().revision }

// Changed is closed when some entry may have changed, a grant that is over included; ask
// anew then, for another channel too.
func (d *Directory) Changed() <-chan struct{} {
	d.wait.Lock()
	defer d.wait.Unlock()
	return d.changed
}

func (d *Directory) tell() {
	d.wait.Lock()
	defer d.wait.Unlock()
	close(d.changed)
	d.changed = make(chan struct{})
}

// Available is nil while what is held here may be trusted, else ErrUnavailable.
func (d *Directory) Available() error {
	if d.stale() {
		return ErrUnavailable
	}
	return nil
}

func (d *Directory) stale() bool {
	return d.o.Now().UnixNano()-d.read.Load() > int64(Trust)
}

// Poke makes Run look at once. It does not wait.
func (d *Directory) Poke() {
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// Run follows the registry until ctx ends.
func (d *Directory) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	failing, wasStale := false, false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.poke:
		}
		reading, cancel := context.WithTimeout(ctx, pollTime)
		err := d.Refresh(reading)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			d.o.Log.Warn("servers, policies and grants can't be read; after a while every caller is refused", "error", err, "after", Trust)
		case err == nil && failing:
			d.o.Log.Info("servers, policies and grants can be read again")
		}
		failing = err != nil
		if stale := d.stale(); stale != wasStale {
			wasStale = stale
			d.tell()
		}
		d.expire()
	}
}

// expire tells of grants that are over.
func (d *Directory) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, now := d.now.Load(), d.o.Now()
	n := 0
	for n < len(s.expiring) && !now.Before(s.expiring[n]) {
		n++
	}
	if n > 0 {
		next := *s
		next.expiring = s.expiring[n:]
		d.now.Store(&next)
		d.tell()
	}
}

// Refresh reads the registry if it changed. When it returns without error, whatever was
// stored before it was called is in force.
func (d *Directory) Refresh(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.o.Now()
	var next *snapshot
	err := d.o.Store.View(ctx, func(tx ledger.Tx) error {
		revision, err := tx.Registry().Revision(ctx)
		if err != nil {
			return err
		}
		if old := d.now.Load(); old != nil && old.revision == revision {
			return nil
		}
		next, err = d.load(ctx, tx, revision)
		return err
	})
	if err != nil {
		if d.now.Load() == nil {
			d.now.Store(&snapshot{})
		}
		return err
	}
	d.read.Store(at.UnixNano())
	if next != nil {
		d.now.Store(next)
		d.tell()
	}
	return nil
}

// load reads everything at one revision.
func (d *Directory) load(ctx context.Context, tx ledger.Tx, revision int64) (*snapshot, error) {
	servers, err := tx.Registry().Servers(ctx, "")
	if err != nil {
		return nil, err
	}
	policies, err := tx.Registry().Policies(ctx, "")
	if err != nil {
		return nil, err
	}
	grants, err := tx.Registry().Grants(ctx, "")
	if err != nil {
		return nil, err
	}
	s := &snapshot{
		revision: revision, grants: make(map[string]*Entry, len(grants)), through: map[string]map[string]*Entry{},
		persons: map[person]*Entry{}, named: make(map[name]*Entry, len(grants)), servers: make(map[string]*registry.Server, 2*len(servers)),
	}
	for i := range servers {
		if r := &servers[i]; r.Workspace == d.o.Workspace {
			s.servers[r.Name] = r
		}
	}
	for i := range servers { // after the names, so that none can stand for another's id
		s.servers[servers[i].ID] = &servers[i]
	}
	bound, err := d.bind(ctx, tx, policies)
	if err != nil {
		return nil, err
	}
	own := func(r *registry.Server) []Bound {
		if r.Settings.Policy == "" {
			return nil
		}
		for i := range policies {
			if policies[i].Server == r.ID && policies[i].Name == r.Settings.Policy {
				return []Bound{bound[policies[i].ID]}
			}
		}
		// One that every call has to pass and that is not there can't be passed.
		return []Bound{{Name: r.Settings.Policy, Mode: registry.Enforce}}
	}
	now := d.o.Now()
	for i := range grants {
		g := &grants[i]
		r := s.servers[g.Server]
		if !g.Live(now) || r == nil {
			continue
		}
		e := &Entry{Workspace: g.Workspace, Server: r, Grant: g, Revision: revision}
		if g.Policy != "" {
			mine, ok := bound[g.Policy]
			if !ok || !of(policies, g.Policy, r.ID) {
				mine = Bound{ID: g.Policy, Mode: registry.Enforce}
			}
			e.Policies = own(r)
			if len(e.Policies) == 0 || e.Policies[0].ID != mine.ID {
				e.Policies = append(e.Policies, mine)
			}
		}
		s.grants[g.ID], s.named[name{r.ID, g.Name}] = e, e
		if g.Subject != "" {
			s.persons[person{r.ID, g.Issuer, g.Subject}] = e
		}
		if !g.ExpiresAt.IsZero() {
			s.expiring = append(s.expiring, g.ExpiresAt)
		}
		for _, m := range r.Members {
			member := memberOf(servers, r.Workspace, m.Server)
			if member == nil {
				continue
			}
			if s.through[g.ID] == nil {
				s.through[g.ID] = map[string]*Entry{}
			}
			s.through[g.ID][member.ID] = &Entry{Workspace: g.Workspace, Server: member, Grant: g, Policies: own(member), Through: r, Revision: revision}
		}
	}
	slices.SortFunc(s.expiring, time.Time.Compare)
	return s, nil
}

func of(policies []registry.Policy, id, server string) bool {
	return slices.ContainsFunc(policies, func(p registry.Policy) bool { return p.ID == id && p.Server == server })
}

func memberOf(servers []registry.Server, workspace, name string) *registry.Server {
	for i := range servers {
		if servers[i].Workspace == workspace && servers[i].Name == name {
			return &servers[i]
		}
	}
	return nil
}

// bind compiles the versions in force; those that were before are not parsed again.
func (d *Directory) bind(ctx context.Context, tx ledger.Tx, policies []registry.Policy) (map[string]Bound, error) {
	bound := make(map[string]Bound, len(policies))
	parsed := make(map[parsedKey]parsedPolicy, len(policies))
	for i := range policies {
		p := &policies[i]
		key := parsedKey{p.ID, p.Version}
		known, ok := d.parsed[key]
		if !ok {
			v, err := tx.Registry().Version(ctx, p.ID, p.Version)
			switch {
			case errors.Is(err, ledger.ErrNotFound): // denies
			case err != nil:
				return nil, err
			default:
				known = d.compile(p, v)
			}
		}
		parsed[key] = known
		bound[p.ID] = Bound{ID: p.ID, Name: p.Name, Version: p.Version, Hash: known.hash, Mode: p.Mode, Policy: known.policy}
	}
	d.parsed = parsed
	return bound, nil
}

// compile makes a stored document fit for deciding. One that is not the one whose hash
// was stored, or does not parse any more, denies.
func (d *Directory) compile(p *registry.Policy, v *registry.Version) parsedPolicy {
	out := parsedPolicy{hash: v.Hash}
	if sum := sha256.Sum256(v.Document); hex.EncodeToString(sum[:]) != v.Hash {
		d.o.Log.Error("a stored policy is not what was stored: its hash differs; it denies everything", "policy", p.ID, "version", p.Version)
		return out
	}
	document, faults := policy.Parse(v.Document)
	if document == nil {
		code := ""
		if len(faults) > 0 {
			code = faults[0].Code
		}
		d.o.Log.Error("a stored policy can't be used any more; it denies everything", "policy", p.ID, "version", p.Version, "fault", code)
		return out
	}
	out.policy = document.Compile()
	return out
}
