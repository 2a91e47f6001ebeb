package govern

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
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
