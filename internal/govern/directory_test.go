package govern_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/audit"
	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
	"sluice/policy"
)

func TestATokenOpensItsServerOnly(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		h.server("crm")
		h.server("ads")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		token, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents"})
		if len(token) != 74 || !strings.HasPrefix(token, "slg_"+strings.TrimPrefix(g.ID, "grt_")+"_") {
			t.Errorf("the token does not name its grant %s", g.ID)
		}
		d := h.directory()
		e, err := d.Resolve(token, "crm")
		if err != nil {
			t.Fatal(err)
		}
		if e.Grant.ID != g.ID || e.Server.Name != "crm" || len(e.Policies) != 1 || e.Policies[0].Policy.Decide(policy.Call{Tool: "x"}).Verdict != policy.Allow {
			t.Errorf("entry %+v", e)
		}
		if byID, err := d.Resolve(token, e.Server.ID); err != nil || byID != e {
			t.Errorf("by the server's id: %v", err)
		}
		if d.Lookup(g.ID, "crm") != e || d.Lookup(g.ID, "ads") != nil || d.Lookup("grt_none", "crm") != nil {
			t.Error("looking up by grant")
		}
		// A wrong server, a wrong secret, an unknown grant and no token at all look alike.
		last := token[len(token)-1]
		other := byte('A')
		if last == 'A' {
			other = 'B'
		}
		for name, tt := range map[string]struct{ token, server string }{
			"another server":  {token, "ads"},
			"unknown server":  {token, "none"},
			"wrong secret":    {token[:len(token)-2] + string(other) + string(last), "crm"},
			"unknown grant":   {"slg_" + strings.Repeat("0", 26) + token[30:], "crm"},
			"an API token":    {"slt_" + token[4:], "crm"},
			"nothing":         {"", "crm"},
			"token and a bit": {token + "x", "crm"},
		} {
			if e, err := d.Resolve(tt.token, tt.server); e != nil || !errors.Is(err, govern.ErrUnknown) {
				t.Errorf("%s: %v, %v", name, e, err)
			}
		}
	})
}

func TestAChangeIsInForceAtTheNextRead(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
		old, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents", Life: time.Hour})
		d := h.directory()
		changed := d.Changed()
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll), Mode: registry.Observe})
		h.refresh(d)
		select {
		case <-changed:
		default:
			t.Error("nobody was told of a change")
		}
		if p := d.Lookup(g.ID, "crm").Policies[0]; p.Version != 2 || p.Mode != registry.Observe || !p.Policy.DefaultAllow() {
			t.Errorf("in force is %+v", p)
		}
		token, _, err := h.owner.RotateGrant(ctx, "crm/ci")
		if err != nil {
			t.Fatal(err)
		}
		h.refresh(d)
		if _, err := d.Resolve(old, "crm"); !errors.Is(err, govern.ErrUnknown) {
			t.Errorf("the old token after rotating: %v", err)
		}
		if e, err := d.Resolve(token, "crm"); err != nil || e.Grant.ID != g.ID {
			t.Errorf("the new token: %v", err)
		}
		h.clock.forward(time.Hour)
		h.refresh(d)
		if _, err := d.Resolve(token, "crm"); !errors.Is(err, govern.ErrUnknown) || d.Lookup(g.ID, "crm") != nil {
			t.Errorf("after it expired: %v", err)
		}
		forever := time.Duration(0)
		if _, err := h.owner.SetGrant(ctx, "crm/ci", govern.GrantChange{Life: &forever}); err != nil {
			t.Fatal(err)
		}
		h.refresh(d)
		if _, err := d.Resolve(token, "crm"); err != nil {
			t.Errorf("after its time was prolonged: %v", err)
		}
		if _, err := h.owner.RevokeGrant(ctx, "crm/ci", "lost"); err != nil {
			t.Fatal(err)
		}
		h.refresh(d)
		if _, err := d.Resolve(token, "crm"); !errors.Is(err, govern.ErrUnknown) {
			t.Errorf("after it was revoked: %v", err)
		}
		if len(h.cancelled) != 1 || h.cancelled[0] != (enforce.Cancellation{Workspace: tenant.Default, Grant: g.ID, Reason: "the grant was revoked"}) {
			t.Errorf("what waited was cancelled: %+v", h.cancelled)
		}
		_, _, err = h.owner.RotateGrant(ctx, g.ID)
		refused(t, "rotating a revoked grant", err, fault.Usage)
	})
}

// What can't be judged denies: no policy, one that is gone or does not parse, a server's
// own policy that is not there.
func TestWhatIsMissingDenies(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		h.set(govern.PolicyChange{Server: "crm", Name: "floor", Document: []byte(allowAll)})
		_, bare := h.grant(govern.NewGrant{Server: "crm", Name: "bare"})
		_, ci := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents"})
		_, same := h.grant(govern.NewGrant{Server: "crm", Name: "same", Policy: "floor"})
		d := h.directory()
		if e := d.Lookup(bare.ID, "crm"); e == nil || len(e.Policies) != 0 {
			t.Errorf("a grant without policy: %+v", e)
		}
		set := func(policy string) {
			if _, err := h.owner.PutServer(t.Context(), govern.ServerSpec{Name: "crm", Text: []byte("url: https://crm.example.com/mcp\npolicy: " + policy + "\n")}, true); err != nil {
				t.Fatal(err)
			}
			h.refresh(d)
		}
		set("floor")
		if p := d.Lookup(ci.ID, "crm").Policies; len(p) != 2 || p[0].Name != "floor" || p[1].Name != "agents" {
			t.Errorf("the server's own policy comes first: %+v", p)
		}
		if p := d.Lookup(same.ID, "crm").Policies; len(p) != 1 || p[0].Name != "floor" {
			t.Errorf("one policy for both reasons counts once: %+v", p)
		}
		if e := d.Lookup(bare.ID, "crm"); len(e.Policies) != 0 {
			t.Errorf("the server's own policy lets a grant without one in: %+v", e)
		}
		set("typo")
		if p := d.Lookup(ci.ID, "crm").Policies; len(p) != 2 || p[0].Policy != nil {
			t.Errorf("a policy of the server's that is not there: %+v", p)
		}
		set("floor")
		h.do(func(ctx context.Context, tx ledger.Tx) error {
			p, err := tx.Registry().Policy(ctx, ci.Policy)
			if err != nil {
				return err
			}
			p.Version = 2
			return errors.Join(tx.Registry().PutPolicy(ctx, p, 1), tx.Registry().AddVersion(ctx, &registry.Version{
				Policy: p.ID, Version: 2, Document: []byte(allowAll), Hash: "not that of the document", CreatedAt: h.clock.now(),
			}))
		})
		h.refresh(d)
		if p := d.Lookup(ci.ID, "crm").Policies; len(p) != 2 || p[1].Policy != nil || p[1].Version != 2 {
			t.Errorf("a document that is not the one that was stored: %+v", p)
		}
	})
}

func TestAGrantOfAnAggregateReachesItsMembers(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	h.server("ads")
	h.set(govern.PolicyChange{Server: "crm", Name: "floor", Document: []byte(denyAll)})
	if _, err := h.owner.PutServer(t.Context(), govern.ServerSpec{Name: "crm", Text: []byte("url: https://crm.example.com/mcp\npolicy: floor\n")}, true); err != nil {
		t.Fatal(err)
	}
	_, err := h.owner.PutServer(t.Context(), govern.ServerSpec{Name: "all", Members: []registry.Member{{Server: "crm", Prefix: "crm_"}, {Server: "none", Prefix: "x_"}}}, false)
	refused(t, "a member that is not there", err, fault.NotFound)
	if _, err := h.owner.PutServer(t.Context(), govern.ServerSpec{Name: "all", Members: []registry.Member{{Server: "crm", Prefix: "crm_"}, {Server: "ads", Prefix: "ads_"}}}, false); err != nil {
		t.Fatal(err)
	}
	h.set(govern.PolicyChange{Server: "all", Name: "agents", Document: []byte(allowAll)})
	token, g := h.grant(govern.NewGrant{Server: "all", Name: "ci", Policy: "agents"})
	d := h.directory()
	e := d.Lookup(g.ID, "crm")
	if e == nil || e.Through == nil || e.Through.Name != "all" || len(e.Policies) != 1 || e.Policies[0].Name != "floor" {
		t.Errorf("a member with a policy of its own: %+v", e)
	}
	if e := d.Lookup(g.ID, "ads"); e == nil || e.Through == nil || len(e.Policies) != 0 {
		t.Errorf("a member without one: %+v", e)
	}
	if _, err := d.Resolve(token, "crm"); !errors.Is(err, govern.ErrUnknown) {
		t.Errorf("the aggregate's token at a member: %v", err)
	}
	_, err = h.owner.RemoveServer(t.Context(), "crm")
	refused(t, "removing a member", err, fault.InUse)
}

func TestAPersonsGrant(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		s, err := h.owner.Server(ctx, "crm")
		if err != nil {
			t.Fatal(err)
		}
		const issuer, subject = "https://id.example.com", "alice@example.com"
		if _, err := h.owner.GrantFor(ctx, s.ID, issuer, subject, nil); !errors.Is(err, govern.ErrRefused) {
			t.Errorf("a person without a grant where none is made: %v", err)
		}
		first := &govern.FirstUse{Policy: "agents", Scopes: []string{"mcp:read"}}
		g, err := h.owner.GrantFor(ctx, s.ID, issuer, subject, first)
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.owner.GrantFor(ctx, s.ID, issuer, subject, first)
		if err != nil || again.ID != g.ID || len(g.MAC) != 0 || strings.Contains(g.Name, "alice") {
			t.Errorf("%+v, then %+v, %v", g, again, err)
		}
		d := h.directory()
		if e, err := d.Person(issuer, subject, "crm"); err != nil || e.Grant.ID != g.ID {
			t.Errorf("the person's entry: %v", err)
		}
		if _, err := d.Person("https://other.example.com", subject, "crm"); !errors.Is(err, govern.ErrUnknown) {
			t.Errorf("the same name of another issuer: %v", err)
		}
		if _, err := h.owner.RevokeGrant(ctx, g.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := h.owner.GrantFor(ctx, s.ID, issuer, subject, first); !errors.Is(err, govern.ErrRefused) {
			t.Errorf("calling again does not undo a revocation: %v", err)
		}
		if _, _, err := h.owner.AddGrant(ctx, govern.NewGrant{Server: "crm", Name: "alice", Policy: "agents", Issuer: issuer, Subject: subject}); err != nil {
			t.Fatal(err)
		}
		if g, err := h.owner.GrantFor(ctx, s.ID, issuer, subject, first); err != nil || g.Name != "alice" {
			t.Errorf("after somebody made a new one: %+v, %v", g, err)
		}
		for _, r := range h.records() {
			if strings.Contains(r, "alice@") {
				t.Errorf("the log names the person: %s", r)
			}
		}
	})
}

// failing is a store that can be switched off.
type failing struct {
	ledger.Store
	off bool
}

func (f *failing) View(ctx context.Context, fn func(ledger.Tx) error) error {
	if f.off {
		return errors.New("no database")
	}
	return f.Store.View(ctx, fn)
}

func TestTrustEnds(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	token, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci"})
	store := &failing{Store: h.store}
	d, err := govern.OpenDirectory(t.Context(), govern.DirectoryOptions{Store: store, Keys: h.keys, Workspace: tenant.Default, Now: h.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	store.off = true
	for _, tt := range []struct {
		after time.Duration
		want  error
	}{{govern.Trust, nil}, {time.Second, govern.ErrUnavailable}} {
		h.clock.forward(tt.after)
		if err := d.Refresh(t.Context()); err == nil {
			t.Error("a store that is off was read")
		}
		_, err := d.Resolve(token, "crm")
		if !errors.Is(err, tt.want) || !errors.Is(d.Available(), tt.want) || (d.Lookup(g.ID, "crm") == nil) != (tt.want != nil) {
			t.Errorf("%s later: %v", tt.after, err)
		}
	}
	store.off = false
	h.refresh(d)
	if _, err := d.Resolve(token, "crm"); err != nil {
		t.Errorf("when it can be read again: %v", err)
	}
}

// nowhere is an installation whose registry is empty, without a real database.
type nowhere struct {
	ledger.Store
	ledger.Tx
	registry.Repo
	mu       sync.Mutex
	grants   []registry.Grant
	revision int64
}

func (n *nowhere) View(_ context.Context, fn func(ledger.Tx) error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fn(n)
}
func (n *nowhere) Registry() registry.Repo                 { return n }
func (n *nowhere) Revision(context.Context) (int64, error) { return n.revision, nil }
func (n *nowhere) Servers(context.Context, string) ([]registry.Server, error) {
	return []registry.Server{{ID: "srv_1", Workspace: tenant.Default, Name: "crm"}}, nil
}
func (n *nowhere) Policies(context.Context, string) ([]registry.Policy, error) { return nil, nil }
func (n *nowhere) Grants(context.Context, string) ([]registry.Grant, error)    { return n.grants, nil }
func (n *nowhere) Close() error                                                { return nil }
func (n *nowhere) ID() string                                                  { return "st" }
func (n *nowhere) Do(context.Context, func(ledger.Tx) error) error             { return nil }
func (n *nowhere) Shared() bool                                                { return false }
func (n *nowhere) Now() time.Time                                              { return time.Now() }

// Run sees a change, and the end of a grant, within a second.
func TestRunFollowsWithinASecond(t *testing.T) {
	t.Parallel()
	keys := open(t, "sqlite").keys
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := &nowhere{revision: 1, grants: []registry.Grant{
			{ID: "grt_1", Workspace: tenant.Default, Server: "srv_1", Name: "one", ExpiresAt: time.Now().Add(10 * time.Second)},
		}}
		d, err := govern.OpenDirectory(ctx, govern.DirectoryOptions{Store: n, Keys: keys, Workspace: tenant.Default})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { d.Run(ctx); close(ended) }()
		told := func(what string, within time.Duration) {
			t.Helper()
			changed := d.Changed()
			select {
			case <-changed:
			case <-time.After(within):
				t.Errorf("%s: nobody was told within %s", what, within)
			}
		}
		time.Sleep(time.Second)
		n.mu.Lock()
		n.grants = append(slices.Clone(n.grants), registry.Grant{ID: "grt_2", Workspace: tenant.Default, Server: "srv_1", Name: "two"})
		n.revision = 2
		n.mu.Unlock()
		told("a new grant", time.Second)
		if d.Lookup("grt_2", "crm") == nil || d.Revision() != 2 {
			t.Error("a new grant is not there")
		}
		time.Sleep(8 * time.Second)
		told("a grant that is over", 2*time.Second)
		if d.Lookup("grt_1", "crm") != nil {
			t.Error("a grant that is over is still there")
		}
		cancel()
		<-ended
	})
}

// What a record says was left is what the next one says was found.
func TestRecordsFollowEachOther(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.clock.forward(123456 * time.Nanosecond) // a time that is not stored as exactly
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
		_, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents", Life: time.Hour})
		life := 2 * time.Hour
		_, err := h.owner.SetGrant(ctx, g.ID, govern.GrantChange{Life: &life})
		if err == nil {
			_, _, err = h.owner.RotateGrant(ctx, g.ID)
		}
		if err == nil {
			_, err = h.owner.RevokeGrant(ctx, g.ID, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Mode: registry.Observe})
		if _, err := h.owner.RemovePolicy(ctx, "crm", "agents"); err != nil {
			t.Fatal(err)
		}
		after := map[string]string{}
		changes := 0
		for _, text := range h.records() {
			var r audit.Record
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			if r.Before != after[r.Object] {
				t.Errorf("%s of %s found %q, and %q was left", r.Op, r.Object, r.Before, after[r.Object])
			}
			after[r.Object] = r.After
			changes++
		}
		if changes != 9 {
			t.Errorf("%d records", changes)
		}
	})
}

func TestOrphans(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	made := h.as("ada", tenant.Admin, false)
	if _, _, err := made.AddGrant(t.Context(), govern.NewGrant{Server: "crm", Name: "hers"}); err != nil {
		t.Fatal(err)
	}
	h.as("bo", tenant.Viewer, false)
	h.grant(govern.NewGrant{Server: "crm", Name: "his", User: "bo"})
	h.grant(govern.NewGrant{Server: "crm", Name: "ci"})
	orphans := func() (names []string) {
		all, err := h.owner.Grants(t.Context(), "crm", false)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].Orphan {
				names = append(names, all[i].Name)
			}
		}
		return names
	}
	if names := orphans(); len(names) != 0 {
		t.Errorf("orphans while all are there: %v", names)
	}
	h.do(func(ctx context.Context, tx ledger.Tx) error {
		return errors.Join(tx.Tenants().DeleteMember(ctx, tenant.Default, "ada"), tx.Tenants().DeleteMember(ctx, tenant.Default, "bo"))
	})
	if names := orphans(); !slices.Equal(names, []string{"hers", "his"}) {
		t.Errorf("orphans after both are gone: %v", names)
	}
}

func TestConfiguredServers(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		crm := config.MCPServer{Command: []string{"crm-mcp"}}
		spec, err := crm.Spec()
		if err != nil {
			t.Fatal(err)
		}
		all := []govern.Configured{{Name: "crm", Spec: spec, Settings: registry.Settings{List: "callable"}}}
		sync := func(all []govern.Configured, whole bool) {
			t.Helper()
			if err := h.owner.SyncServers(ctx, all, whole); err != nil {
				t.Fatal(err)
			}
		}
		sync(all, true)
		before := len(h.records())
		sync(all, true)
		if len(h.records()) != before {
			t.Error("what does not differ was written again")
		}
		s, err := h.owner.Server(ctx, "crm")
		if err != nil || s.ManagedBy != "config" || s.Settings.List != "callable" {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err = h.owner.PutServer(ctx, govern.ServerSpec{Name: "crm", Text: []byte("url: https://other.example.com/mcp")}, true)
		refused(t, "setting a server of sluice.yaml", err, fault.ManagedByFiles)
		_, err = h.owner.RemoveServer(ctx, "crm")
		refused(t, "removing a server of sluice.yaml", err, fault.ManagedByFiles)
		token, _ := h.grant(govern.NewGrant{Server: "crm", Name: "ci"})
		d := h.directory()
		other := []govern.Configured{{Name: "crm", Spec: []byte(`{"url":"https://other.example.com/"}`)}, {Name: "ads", Spec: spec}}
		sync(other, false)
		h.refresh(d)
		if e, err := d.Resolve(token, "crm"); err != nil || string(e.Server.Spec) != string(spec) || d.Server("ads") == nil {
			t.Errorf("a command that sees another file only adds: %v", err)
		}
		sync(nil, true)
		h.refresh(d)
		if _, err := d.Resolve(token, "crm"); !errors.Is(err, govern.ErrUnknown) || len(d.Servers()) != 0 {
			t.Errorf("servers that left sluice.yaml: %v", err)
		}
		sync(other, false)
		h.refresh(d)
		if _, err := d.Resolve(token, "crm"); !errors.Is(err, govern.ErrUnknown) {
			t.Errorf("a command brings nothing back: %v", err)
		}
		sync(all, true)
		h.refresh(d)
		if e, err := d.Resolve(token, "crm"); err != nil || e.Server.ID != s.ID {
			t.Errorf("a server that came back: %v", err)
		}
	})
}
