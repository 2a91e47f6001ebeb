package govern_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

func TestAPolicyIsSetAsItWasPreviewed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.server("crm")
		first := govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)}
		v, err := h.owner.PreviewPolicy(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		if !v.New || v.Next != 1 || v.Confirm == "" || v.Mode != registry.Enforce {
			t.Errorf("preview of a new policy: %+v", v)
		}
		_, err = h.owner.SetPolicy(ctx, first, "", "")
		refused(t, "without a hash", err, fault.ConfirmationNeeded)
		_, err = h.owner.SetPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)}, v.Confirm, "")
		refused(t, "another document than was previewed", err, fault.ChangeStale)
		_, err = h.owner.SetPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll), Mode: registry.Observe}, v.Confirm, "")
		refused(t, "another mode than was previewed", err, fault.ChangeStale)
		p, err := h.owner.SetPolicy(ctx, first, v.Confirm, "first")
		if err != nil || p.Version != 1 || p.Hash != v.Hash {
			t.Fatalf("%+v, %v", p, err)
		}
		// Two people preview the same version; the second to confirm has seen what is no more.
		open := govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(`{"version":"1","default":"deny","tools":{"list":{}}}`)}
		seen, err := h.owner.PreviewPolicy(ctx, open)
		if err != nil {
			t.Fatal(err)
		}
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		_, err = h.owner.SetPolicy(ctx, open, seen.Confirm, "")
		refused(t, "after somebody else's change", err, fault.ChangeStale)
		same, err := h.owner.PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(` { "default":"allow", "version":"1" } `)})
		if err != nil || !same.Unchanged || same.Confirm != "" || same.Next != 2 {
			t.Errorf("the same document written otherwise: %+v, %v", same, err)
		}
		if p, err = h.owner.SetPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Mode: registry.Enforce}, "", ""); err != nil || p.Version != 2 {
			t.Errorf("setting what is set: %+v, %v", p, err)
		}
	})
}

func TestVersionsDiffAndRollback(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.server("crm")
		doc := `{"version":"1","default":"deny","tools":{"send":{"limits":[{"counter":"sends","window":"hour","max":%MAX%,"scope":"grant"}]}}}`
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(strings.Replace(doc, "%MAX%", "10", 1))})
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(strings.Replace(doc, "%MAX%", "20", 1))})
		d, err := h.owner.Compare(ctx, "crm", "agents", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := []govern.Difference{{
			Change: "changed", Place: "/tools/send/limits/sends-per-hour",
			Before: []byte(`{"counter":"sends","window":"hour","max":10,"scope":"grant"}`), After: []byte(`{"counter":"sends","window":"hour","max":20,"scope":"grant"}`),
		}}
		if diff := cmp.Diff(want, d.Differences); diff != "" || d.From != 1 || d.To != 2 {
			t.Errorf("versions %d and %d differ (-want +got):\n%s", d.From, d.To, diff)
		}
		p := h.set(govern.PolicyChange{Server: "crm", Name: "agents", Rollback: 1})
		if p.Version != 3 || !strings.Contains(string(p.Document), `"max":10`) {
			t.Errorf("after going back: version %d, %s", p.Version, p.Document)
		}
		all, err := h.owner.Versions(ctx, "crm", "agents")
		if err != nil || len(all) != 3 || all[0].Of != 1 || all[0].Hash != all[2].Hash {
			t.Errorf("versions %+v, %v", all, err)
		}
		_, err = h.owner.PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Rollback: 9})
		refused(t, "going back to what never was", err, fault.NotFound)
	})
}

func TestADocumentWithErrorsIsNotStored(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	c := govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(`{"version":"1","default":"maybe","tools":{"x":{"denyif":[]}}}`)}
	v, err := h.owner.PreviewPolicy(t.Context(), c)
	if err != nil || v.Confirm != "" || len(v.Faults) < 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	_, err = h.owner.SetPolicy(t.Context(), c, "", "")
	refused(t, "a document with errors", err, fault.PolicyInvalid)
}

func TestAPolicyInUseStays(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
		h.set(govern.PolicyChange{Server: "crm", Name: "floor", Document: []byte(allowAll)})
		_, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents"})
		_, err := h.owner.RemovePolicy(ctx, "crm", "agents")
		refused(t, "a grant has it", err, fault.InUse)
		if _, err := h.owner.PutServer(ctx, govern.ServerSpec{Name: "crm", Text: []byte("url: https://crm.example.com/mcp\npolicy: floor\n")}, true); err != nil {
			t.Fatal(err)
		}
		_, err = h.owner.RemovePolicy(ctx, "crm", "floor")
		refused(t, "the server asks for it", err, fault.InUse)
		v, err := h.owner.PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "floor", Mode: registry.Observe})
		if err != nil || !cmp.Equal(v.Grants, []string{"ci"}) {
			t.Errorf("the server's own policy judges %v, %v", v.Grants, err)
		}
		if _, err := h.owner.RevokeGrant(ctx, g.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := h.owner.RemovePolicy(ctx, "crm", "agents"); err != nil {
			t.Errorf("after its grant was revoked: %v", err)
		}
		_, err = h.owner.Policy(ctx, "crm", "agents")
		refused(t, "a removed policy", err, fault.NotFound)
	})
}

// Ruling 16: the flag policy edits policies and grants, admins and owners too, agents'
// tokens never.
func TestWhoMayGovern(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	ctx := t.Context()
	h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
	agent := h.as("ada", tenant.Admin, true)
	agent = agent.As(tenant.Caller{Type: "token", ID: "tok_agent", Workspace: tenant.Default, User: "ada", Role: tenant.Admin, Policy: true, Agent: true, Scopes: []tenant.Scope{tenant.Read, tenant.Write}})
	reader := h.owner.As(tenant.Caller{Type: "token", ID: "tok_r", Workspace: tenant.Default, User: "ada", Role: tenant.Admin, Scopes: []tenant.Scope{tenant.Read}})
	for name, tt := range map[string]struct {
		s       *govern.Service
		governs bool
		servers bool
		code    fault.Code
	}{
		"owner":              {h.as("olga", tenant.Owner, false), true, true, ""},
		"admin":              {h.as("ada", tenant.Admin, false), true, true, ""},
		"operator":           {h.as("omar", tenant.Operator, false), false, false, fault.RoleRequired},
		"viewer with policy": {h.as("vera", tenant.Viewer, true), true, false, fault.RoleRequired},
		"viewer":             {h.as("vito", tenant.Viewer, false), false, false, fault.RoleRequired},
		"an agent":           {agent, false, false, fault.RoleRequired},
		"read scope":         {reader, false, false, fault.InsufficientScope},
	} {
		change := govern.PolicyChange{Server: "crm", Name: "agents", Mode: registry.Observe}
		v, err := tt.s.PreviewPolicy(ctx, change)
		if err != nil {
			t.Errorf("%s can't look: %v", name, err)
			continue
		}
		_, setErr := tt.s.SetPolicy(ctx, change, v.Confirm, "")
		_, _, grantErr := tt.s.AddGrant(ctx, govern.NewGrant{Server: "crm", Name: "g-" + strings.ReplaceAll(name, " ", "-")})
		_, serverErr := tt.s.PutServer(ctx, govern.ServerSpec{Name: "s-" + strings.ReplaceAll(name, " ", "-"), Text: []byte("url: https://x.example.com/mcp")}, false)
		for what, got := range map[string]error{"policy": setErr, "grant": grantErr} {
			if tt.governs && got != nil {
				t.Errorf("%s, %s: %v", name, what, got)
			} else if !tt.governs {
				refused(t, name+", "+what, got, tt.code)
			}
		}
		if tt.servers && serverErr != nil {
			t.Errorf("%s, server: %v", name, serverErr)
		} else if !tt.servers {
			refused(t, name+", server", serverErr, tt.code)
		}
		if tt.governs {
			h.set(govern.PolicyChange{Server: "crm", Name: "agents", Mode: registry.Enforce})
		}
	}
}

func TestAnotherWorkspaceSeesNothing(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
	_, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents"})
	s, err := h.owner.Server(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	other := h.owner.As(tenant.Caller{Type: "token", ID: "t", Workspace: "other", User: "eve", Role: tenant.Owner, Policy: true, Scopes: []tenant.Scope{tenant.Read, tenant.Write}})
	ctx := t.Context()
	for what, call := range map[string]func() error{
		"server by name": func() error { _, err := other.Server(ctx, "crm"); return err },
		"server by id":   func() error { _, err := other.Server(ctx, s.ID); return err },
		"grant":          func() error { _, err := other.Grant(ctx, g.ID); return err },
		"revoke":         func() error { _, err := other.RevokeGrant(ctx, g.ID, ""); return err },
		"rotate":         func() error { _, _, err := other.RotateGrant(ctx, g.ID); return err },
		"policy":         func() error { _, err := other.Policy(ctx, s.ID, "agents"); return err },
	} {
		refused(t, what, call(), fault.NotFound)
	}
	if list, err := other.Grants(ctx, "", true); err != nil || len(list) != 0 {
		t.Errorf("grants of another workspace: %d, %v", len(list), err)
	}
}

// Of many who confirm the same preview at once, one makes the change.
func TestOneOfManyConfirms(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		h.server("crm")
		h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
		shown := map[string]string{}
		documents := []string{allowAll, `{"version":"1","default":"deny","tools":{"a":{}}}`}
		for _, doc := range documents {
			v, err := h.owner.PreviewPolicy(t.Context(), govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(doc)})
			if err != nil {
				t.Fatal(err)
			}
			shown[doc] = v.Confirm
		}
		var done atomic.Int32
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				doc := documents[i%2]
				_, err := h.owner.SetPolicy(t.Context(), govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(doc)}, shown[doc], "")
				if err == nil {
					done.Add(1)
				} else if fault.CodeOf(err) != fault.ChangeStale {
					t.Error(err)
				}
			})
		}
		group.Wait()
		all, err := h.owner.Versions(t.Context(), "crm", "agents")
		// Who confirms what is in force already is told so, and changes nothing.
		if err != nil || len(all) != 2 || done.Load() < 1 || done.Load() > 4 {
			t.Errorf("%d versions, %d changes, %v", len(all), done.Load(), err)
		}
	})
}
