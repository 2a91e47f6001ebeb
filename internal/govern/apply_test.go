package govern_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/registry"
	"sluice/internal/tenant"
	"sluice/policy"
)

// directory of files, as a team has it in git.
func production() map[string][]byte {
	return map[string][]byte{
		"crm.yaml": []byte("kind: server\nname: crm\nurl: https://crm.example.com/mcp\npolicy: floor\n---\nkind: policy\nserver: crm\nname: floor\ndocument: |\n  " + allowAll + "\n" +
			"---\nkind: policy\nserver: crm\nname: agents\nmode: observe\ndocument: policies/agents.json\n"),
		"policies/agents.json": []byte(denyAll),
		"grants.yaml": []byte("kind: grant\nserver: crm\nname: ci\npolicy: agents\nscopes: [mcp:read]\nexpires: 2027-06-30T00:00:00Z\n" +
			"---\nkind: grant\nserver: crm\nname: alice\npolicy: agents\nexpires: never\nissuer: https://id.example.com\nsubject: alice\n"),
	}
}

func manifest(t *testing.T, files map[string][]byte) *govern.Manifest {
	t.Helper()
	m, err := govern.ReadManifest("prod", files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func actions(a *govern.Application) (list []string) {
	for i := range a.Changes {
		list = append(list, a.Changes[i].Action+" "+a.Changes[i].Kind+" "+a.Changes[i].Object)
	}
	return list
}

func TestApply(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		files := production()
		m := manifest(t, files)
		shown, err := h.owner.PreviewApply(ctx, m, false)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"create server crm", "create policy crm/floor", "create policy crm/agents", "create grant crm/ci", "create grant crm/alice"}
		if diff := cmp.Diff(want, actions(shown)); diff != "" || shown.Applied || len(shown.Tokens) != 0 {
			t.Errorf("the preview (-want +got):\n%s", diff)
		}
		if list, err := h.owner.Servers(ctx); err != nil || len(list) != 0 || len(h.records()) != 0 {
			t.Errorf("a preview left %d servers and %d records, %v", len(list), len(h.records()), err)
		}
		_, err = h.owner.Apply(ctx, m, false, "")
		refused(t, "without a hash", err, fault.ConfirmationNeeded)
		done, err := h.owner.Apply(ctx, m, false, shown.Confirm)
		if err != nil {
			t.Fatal(err)
		}
		if !done.Applied || len(done.Tokens) != 1 || done.Tokens[0].Grant != "crm/ci" {
			t.Errorf("applied: %+v", done)
		}
		d := h.directory()
		if e, err := d.Resolve(done.Tokens[0].Token, "crm"); err != nil || len(e.Policies) != 2 || e.Policies[1].Mode != "observe" || !cmp.Equal(e.Grant.Scopes, []string{"mcp:read"}) {
			t.Errorf("the new grant: %+v, %v", e, err)
		}
		again, err := h.owner.PreviewApply(ctx, m, true)
		if err != nil || len(again.Changes) != 0 || again.Confirm != "" || again.Unchanged != 5 {
			t.Errorf("the same files again: %+v, %v", again, err)
		}
		// What files own is read-only elsewhere, but for what must not wait for a file.
		_, err = h.owner.SetGrant(ctx, "crm/ci", govern.GrantChange{Policy: new(string)})
		refused(t, "attaching", err, fault.ManagedByFiles)
		v, err := h.owner.PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.owner.SetPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)}, v.Confirm, "")
		refused(t, "setting a policy", err, fault.ManagedByFiles)
		if _, _, err := h.owner.RotateGrant(ctx, "crm/ci"); err != nil {
			t.Errorf("rotating: %v", err)
		}
		records := strings.Join(h.records(), "\n")
		if strings.Contains(records, "slg_") || !strings.Contains(records, `"op":"apply"`) || !strings.Contains(records, `"op":"grant.add"`) || !strings.Contains(records, `"after":"`) {
			t.Errorf("the log holds\n%s", records)
		}
		// A change, and an object that left.
		files["policies/agents.json"] = []byte(allowAll)
		files["grants.yaml"] = []byte("kind: grant\nserver: crm\nname: ci\npolicy: floor\nscopes: [mcp:read]\nexpires: 2027-06-30T00:00:00Z\n")
		m = manifest(t, files)
		kept, err := h.owner.PreviewApply(ctx, m, false)
		if err != nil || !cmp.Equal(kept.Left, []string{"grant crm/alice"}) {
			t.Errorf("without pruning: %+v, %v", kept, err)
		}
		pruned, err := h.owner.PreviewApply(ctx, m, true)
		if err != nil {
			t.Fatal(err)
		}
		want = []string{"change policy crm/agents", "change grant crm/ci", "remove grant crm/alice"}
		if diff := cmp.Diff(want, actions(pruned)); diff != "" {
			t.Errorf("pruning (-want +got):\n%s", diff)
		}
		_, err = h.owner.Apply(ctx, m, true, kept.Confirm)
		refused(t, "the hash of another preview", err, fault.ChangeStale)
		if _, err := h.owner.Apply(ctx, m, true, pruned.Confirm); err != nil {
			t.Fatal(err)
		}
		if len(h.cancelled) != 1 {
			t.Errorf("approvals of the removed grant: %+v", h.cancelled)
		}
		h.refresh(d)
		if e, err := d.Named("ci", "crm"); err != nil || len(e.Policies) != 1 || e.Policies[0].Policy.Decide(policy.Call{Tool: "x"}).Verdict != policy.Allow {
			t.Errorf("after the change: %+v, %v", e, err)
		}
	})
}

func TestApplyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		files := production()
		m := manifest(t, files)
		shown, err := h.owner.PreviewApply(ctx, m, false)
		if err != nil {
			t.Fatal(err)
		}
		// Somebody makes one of the objects meanwhile.
		h.server("crm")
		_, err = h.owner.Apply(ctx, m, false, shown.Confirm)
		refused(t, "after it drifted", err, fault.ChangeStale)
		if list, err := h.owner.Policies(ctx, ""); err != nil || len(list) != 0 {
			t.Errorf("%d policies were left behind, %v", len(list), err)
		}
		if shown, err = h.owner.PreviewApply(ctx, m, false); err != nil || actions(shown)[0] != "adopt server crm" {
			t.Fatalf("%+v, %v", shown, err)
		}
		if _, err := h.owner.Apply(ctx, m, false, shown.Confirm); err != nil {
			t.Fatal(err)
		}
		other, err := govern.ReadManifest("staging", files)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.owner.PreviewApply(ctx, other, false)
		refused(t, "what other files own", err, fault.ManagedByFiles)
		// A policy with an error takes everything with it.
		files["policies/agents.json"] = []byte(`{"version":"2"}`)
		files["more.yaml"] = []byte("kind: server\nname: ads\nurl: https://ads.example.com/mcp\n")
		_, err = h.owner.PreviewApply(ctx, manifest(t, files), false)
		refused(t, "a document with errors", err, fault.PolicyInvalid)
		var f *fault.Error
		if !errors.As(err, &f) || !strings.HasPrefix(f.Message, "policies/agents.json: ") {
			t.Errorf("where it stands is not said: %v", err)
		}
	})
}

func TestApplyAsksForTheRole(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	files := production()
	_, err := h.as("vera", tenant.Viewer, true).PreviewApply(t.Context(), manifest(t, files), false)
	refused(t, "servers by a member with the flag policy", err, fault.RoleRequired)
	h.server("crm")
	files["crm.yaml"] = []byte("kind: policy\nserver: crm\nname: agents\ndocument: policies/agents.json\n")
	if _, err := h.as("vera", tenant.Viewer, true).PreviewApply(t.Context(), manifest(t, files), false); err != nil {
		t.Errorf("policies and grants by a member with the flag policy: %v", err)
	}
	files["crm.yaml"] = []byte("kind: server\nname: shell\ncommand: [sh]\n")
	delete(files, "policies/agents.json")
	delete(files, "grants.yaml")
	_, err = h.as("ada", tenant.Admin, false).PreviewApply(t.Context(), manifest(t, files), false)
	refused(t, "a program of this machine, from outside", err, fault.RoleRequired)
}

// Removing what the files owned once takes the role that removing it one by one takes.
func TestPruningServersTakesAnAdmin(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	ctx := t.Context()
	m := manifest(t, map[string][]byte{"crm.yaml": []byte("kind: server\nname: crm\nurl: https://crm.example.com/mcp\n")})
	v, err := h.owner.PreviewApply(ctx, m, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.owner.Apply(ctx, m, false, v.Confirm); err != nil {
		t.Fatal(err)
	}
	_, err = h.as("vera", tenant.Viewer, true).PreviewApply(ctx, manifest(t, nil), true)
	refused(t, "pruning a server by a member with the flag policy", err, fault.RoleRequired)
	if v, err = h.as("ada", tenant.Admin, false).PreviewApply(ctx, manifest(t, nil), true); err != nil || !cmp.Equal(actions(v), []string{"remove server crm"}) {
		t.Errorf("by an admin: %v, %v", v, err)
	}
}

// A hash is that of the person whom a grant lets in, too.
func TestAnApplyConfirmsWhomItLetsIn(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	ctx := t.Context()
	h.server("crm")
	of := func(subject string) *govern.Manifest {
		return manifest(t, map[string][]byte{"g.yaml": []byte("kind: grant\nserver: crm\nname: one\nexpires: never\nissuer: https://id.example.com\nsubject: " + subject + "\n")})
	}
	v, err := h.owner.PreviewApply(ctx, of("alice"), false)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.owner.Apply(ctx, of("mallory"), false, v.Confirm)
	refused(t, "another person under the hash of the first", err, fault.ChangeStale)
	if _, err := h.owner.Apply(ctx, of("alice"), false, v.Confirm); err != nil {
		t.Error(err)
	}
	if v, err := h.owner.PreviewApply(ctx, of("alice"), false); err != nil || len(v.Changes) != 0 {
		t.Errorf("what was applied differs: %+v, %v", v, err)
	}
}

// The path of a webhook's URL is often its secret: who may only look does not get it.
func TestAViewerIsNotToldWhereNotificationsGo(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	ctx := t.Context()
	_, err := h.owner.PutServer(ctx, govern.ServerSpec{Name: "crm", Text: []byte("command: [crm-mcp, --key=hush]\napprovals: {notify: [{webhook: 'https://chat.example.com/hush'}, {command: [tell, hush]}]}\n")}, false)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		s    *govern.Service
		told bool
	}{"viewer": {h.as("vito", tenant.Viewer, false), false}, "flag policy": {h.as("vera", tenant.Viewer, true), false}, "admin": {h.as("ada", tenant.Admin, false), true}, "on the machine": {h.owner, true}} {
		one, err := tt.s.Server(ctx, "crm")
		if err != nil {
			t.Fatal(err)
		}
		list, err := tt.s.Servers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range append(list, *one) {
			text, err := json.Marshal(r)
			if err != nil || strings.Contains(string(text), "hush") != tt.told || !strings.Contains(string(text), "crm-mcp") {
				t.Errorf("%s is told %s, %v", name, text, err)
			}
		}
	}
}

// What an aggregate says of approvals runs programs and reaches this machine's network
// as that of any server does.
func TestAnAggregateReachesIntoTheMachineOnlyFromIt(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	h.server("crm")
	ctx := t.Context()
	admin := h.as("ada", tenant.Admin, false)
	for name, n := range map[string]registry.Notify{
		"command": {Command: []string{"sh"}}, "variable": {Webhook: "${SECRET}"}, "loopback": {Webhook: "http://127.0.0.1:9200/"}, "intranet": {Webhook: "https://intranet/"},
	} {
		d := govern.ServerSpec{
			Name: "all-" + name, Members: []registry.Member{{Server: "crm", Prefix: "crm_"}},
			Settings: registry.Settings{Approvals: registry.Approvals{Notify: []registry.Notify{n}}},
		}
		_, err := admin.PutServer(ctx, d, false)
		refused(t, name+" from outside", err, fault.RoleRequired)
		if _, err := h.owner.PutServer(ctx, d, false); err != nil {
			t.Errorf("%s from the machine: %v", name, err)
		}
	}
	_, err := admin.PreviewApply(ctx, manifest(t, map[string][]byte{
		"all.yaml": []byte("kind: server\nname: all\nmembers: [{server: crm, prefix: crm_}]\napprovals: {notify: [{command: [sh]}]}\n"),
	}), false)
	refused(t, "a manifest from outside", err, fault.RoleRequired)
}

func TestManifestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"unknown kind":     {map[string]string{"a.yaml": "kind: sever\nname: x\n"}, []string{"a.yaml: kind: server, policy or grant"}},
		"unknown key":      {map[string]string{"a.yaml": "kind: grant\nserver: crm\nname: ci\npolcy: agents\nexpires: never\n"}, []string{"polcy"}},
		"no expiry":        {map[string]string{"a.yaml": "kind: grant\nserver: crm\nname: ci\n"}, []string{"expires: when it ends"}},
		"missing document": {map[string]string{"p/a.yaml": "kind: policy\nserver: crm\nname: agents\ndocument: none.json\n"}, []string{"there is no file p/none.json"}},
		"stray document":   {map[string]string{"old.json": denyAll}, []string{"old.json: it is neither"}},
		"outside":          {map[string]string{"a.yaml": "kind: policy\nserver: crm\nname: agents\ndocument: ../../secret.json\n"}, []string{"there is no file"}},
		"twice": {map[string]string{"a.yaml": "kind: server\nname: crm\nurl: https://a.example.com/\n", "b.yaml": "kind: server\nname: crm\nurl: https://b.example.com/\n"},
			[]string{"b.yaml: server crm stands in a.yaml already"}},
		"several at once": {map[string]string{"a.yaml": "kind: server\nname: Crm\n---\nkind: server\nname: b\n---\nkind: server\nname: c\nurl: https://c.example.com/\ntimeout: soon\n"},
			[]string{"a.yaml (document 1): the name", "a.yaml (document 2): a server has either", "a.yaml (document 3): timeout"}},
		"a token in the file": {map[string]string{"a.yaml": "kind: server\nname: crm\nurl: https://c.example.com/\nheaders: {X-Key: {value: hunter2}}\n"}, []string{"a value is never written into the file"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string][]byte{}
			for path, text := range tt.files {
				files[path] = []byte(text)
			}
			_, err := govern.ReadManifest("prod", files)
			refused(t, strings.Join(slices.Sorted(maps.Keys(tt.files)), ", "), err, fault.Usage)
			for _, want := range tt.want {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q in it", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the message repeats a value")
			}
		})
	}
}

// told is a Replayer that says it was asked.
type told struct{ asked []govern.Replay }

func (r *told) Replay(_ context.Context, p govern.Replay) (*govern.Replayed, error) {
	r.asked = append(r.asked, p)
	return &govern.Replayed{Calls: 400, Changed: 312, Grants: 2}, nil
}

func TestAPreviewReplaysRecordedCalls(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	r := &told{}
	h.owner = govern.New(govern.Options{Store: h.store, Keys: h.keys, Caller: tenant.Local("cli"), Approvals: h, Replayer: r})
	ctx := t.Context()
	h.server("crm")
	h.set(govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(denyAll)})
	if len(r.asked) != 0 {
		t.Error("a policy that judges nobody was replayed")
	}
	_, g := h.grant(govern.NewGrant{Server: "crm", Name: "ci", Policy: "agents"})
	v, err := h.owner.PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
	if err != nil || v.Replay == nil || v.Replay.Changed != 312 || len(r.asked) != 1 || !cmp.Equal(r.asked[0].Grants, []string{g.ID}) || r.asked[0].Document == nil {
		t.Errorf("%+v, %v; asked %+v", v, err, r.asked)
	}
	// It would tell who may only look what calls hold.
	v, err = h.as("vito", tenant.Viewer, false).PreviewPolicy(ctx, govern.PolicyChange{Server: "crm", Name: "agents", Document: []byte(allowAll)})
	if err != nil || v.Replay != nil || len(r.asked) != 1 {
		t.Errorf("a viewer's preview: %+v, %v; asked %d times", v, err, len(r.asked))
	}
	files := map[string][]byte{"a.yaml": []byte("kind: policy\nserver: crm\nname: agents\ndocument: '" + allowAll + "'\n")}
	a, err := h.owner.PreviewApply(ctx, manifest(t, files), false)
	if err != nil || a.Changes[0].Replay == nil || a.Changes[0].Action != "adopt" {
		t.Errorf("%+v, %v", a, err)
	}
}

// The example of docs/apply.md.
func TestExampleApplies(t *testing.T) {
	t.Parallel()
	h := open(t, "sqlite")
	files := map[string][]byte{}
	root := os.DirFS(filepath.Join("..", "..", "examples", "apply"))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path], err = fs.ReadFile(root, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := h.owner.PreviewApply(t.Context(), manifest(t, files), false)
	if err != nil {
		t.Fatal(err)
	}
	done, err := h.owner.Apply(t.Context(), manifest(t, files), false, shown.Confirm)
	if err != nil || len(done.Changes) != 5 || len(done.Tokens) != 2 {
		t.Errorf("%+v, %v", done, err)
	}
}
