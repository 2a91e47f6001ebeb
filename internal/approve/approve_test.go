package approve_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/approve"
	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

func TestWhoMayDecide(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		caller tenant.Caller
		parked []func(*enforce.Parking)
		wait   time.Duration
		want   fault.Code // empty: it is decided
	}{
		{name: "the owner of the machine", caller: tenant.Local("cli")},
		{name: "an admin", caller: member("bob", tenant.Admin)},
		{name: "a viewer with the flag approver", caller: member("bob", tenant.Viewer, approver)},
		{name: "a viewer", caller: member("bob", tenant.Viewer), want: fault.RoleRequired},
		{name: "an operator", caller: member("bob", tenant.Operator), want: fault.RoleRequired},
		{name: "an agent of an owner", caller: member("bob", tenant.Owner, agent), want: fault.RoleRequired},
		{name: "a token that only reads", caller: member("bob", tenant.Owner, reader), want: fault.InsufficientScope},
		{name: "an owner of another workspace", caller: member("bob", tenant.Owner, foreign), want: fault.NotFound},
		{name: "a viewer by name", caller: member("bob", tenant.Viewer), parked: []func(*enforce.Parking){approvers("bob")}},
		{name: "an owner who is not named", caller: member("eve", tenant.Owner), parked: []func(*enforce.Parking){approvers("bob")}, want: fault.RoleRequired},
		{name: "an operator by role", caller: member("bob", tenant.Operator), parked: []func(*enforce.Parking){approvers("role:operator")}},
		{name: "an owner, whose role covers it", caller: member("bob", tenant.Owner), parked: []func(*enforce.Parking){approvers("role:admin")}},
		{name: "a viewer where operators decide", caller: member("bob", tenant.Viewer), parked: []func(*enforce.Parking){approvers("role:operator")}, want: fault.RoleRequired},
		{name: "the flag as a role", caller: member("bob", tenant.Viewer, approver), parked: []func(*enforce.Parking){approvers("role:approver")}},
		{name: "a role that does not exist", caller: member("bob", tenant.Owner), parked: []func(*enforce.Parking){approvers("role:king")}, want: fault.RoleRequired},
		{name: "who made the grant, with two eyes", caller: member("ann", tenant.Admin)},
		{name: "who made the grant, with four eyes", caller: member("ann", tenant.Admin), parked: []func(*enforce.Parking){fourEyes}, want: fault.RoleRequired},
		{name: "another admin, with four eyes", caller: member("bob", tenant.Admin), parked: []func(*enforce.Parking){fourEyes}},
		{name: "an escalation that has not come", caller: member("cat", tenant.Viewer), parked: []func(*enforce.Parking){approvers("bob"), escalateTo("cat")}, want: fault.RoleRequired},
		{name: "an escalation that has come", caller: member("cat", tenant.Viewer), wait: 6 * time.Minute, parked: []func(*enforce.Parking){approvers("bob"), escalateTo("cat")}},
		{name: "the first ones after an escalation", caller: member("bob", tenant.Viewer), wait: 6 * time.Minute, parked: []func(*enforce.Parking){approvers("bob"), escalateTo("cat")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			id := d.park(t, `{"to":"a"}`, tt.parked...)
			d.store.move(tt.wait)
			d.Step(t.Context())
			item, err := d.As(tt.caller).Decide(t.Context(), id, true, "")
			stored, _ := d.store.Approval(t.Context(), id)
			if tt.want == "" {
				if err != nil || item.State != "approved" || stored.State != enforce.Approved || stored.Decider != tt.caller.User {
					t.Errorf("got %+v, %v; stored %s by %s", item, err, stored.State, stored.Decider)
				}
				return
			}
			if fault.CodeOf(err) != tt.want || stored.State != enforce.Pending {
				t.Errorf("got %v, stored %s; want %s and pending", err, stored.State, tt.want)
			}
			for _, op := range d.log.ops() {
				if strings.HasPrefix(op, "approval.decide") {
					t.Errorf("the log says %s", op)
				}
			}
		})
	}
}

func TestWhoIsAloneDecidesUnlessFourEyesWereAskedFor(t *testing.T) {
	t.Parallel()
	yes := true
	tests := []struct {
		name    string
		set     *bool
		unknown bool
		parked  []func(*enforce.Parking)
		members []tenant.Member
		want    fault.Code
	}{
		{name: "alone"},
		{name: "alone, four eyes asked for", set: &yes, want: fault.RoleRequired},
		{name: "alone, the server is gone", unknown: true, want: fault.RoleRequired},
		{name: "beside somebody who may not", members: []tenant.Member{{User: "eve", Role: tenant.Operator}}},
		{name: "beside somebody who may", members: []tenant.Member{{User: "eve", Role: tenant.Viewer, Approver: true}}, want: fault.RoleRequired},
		{name: "beside somebody who may, but is not named", parked: []func(*enforce.Parking){approvers("ann")}, members: []tenant.Member{{User: "eve", Role: tenant.Owner}}},
		{name: "beside somebody who may later", parked: []func(*enforce.Parking){approvers("ann"), escalateTo("eve")}, members: []tenant.Member{{User: "eve", Role: tenant.Viewer}}, want: fault.RoleRequired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t, func(o *approve.Options) {
				if tt.unknown {
					o.Place = nil
				}
			})
			d.log.members = append(tt.members, tenant.Member{User: "ann", Role: tenant.Owner})
			d.place.Approvals.FourEyes = tt.set
			id := d.park(t, `{}`, append(tt.parked, fourEyes)...)
			ann := d.As(member("ann", tenant.Owner))
			item, err := ann.Show(t.Context(), id)
			if err != nil || item.CanDecide != (tt.want == "") {
				t.Errorf("shown as %+v, %v", item, err)
			}
			_, err = ann.Decide(t.Context(), id, true, "")
			if tt.want == "" && err != nil || tt.want != "" && fault.CodeOf(err) != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Ruling 16: never the own. A grant that somebody else made for a member is theirs.
func TestWhomAGrantActsForDoesNotDecide(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		user    string
		members []tenant.Member
		want    fault.Code
	}{
		"for somebody else":    {"bob", []tenant.Member{{User: "eve", Role: tenant.Admin}}, ""},
		"for them":             {"eve", []tenant.Member{{User: "eve", Role: tenant.Admin}, {User: "bob", Role: tenant.Admin}}, fault.RoleRequired},
		"for them, alone then": {"eve", []tenant.Member{{User: "eve", Role: tenant.Admin}}, ""},
	} {
		d := open(t, func(o *approve.Options) {
			o.ActsFor = func(context.Context, string) (string, error) { return tt.user, nil }
		})
		d.log.members = append(tt.members, tenant.Member{User: "ann", Role: tenant.Owner})
		id := d.park(t, `{}`, fourEyes) // ann made the grant
		_, err := d.As(member("eve", tenant.Admin)).Decide(t.Context(), id, true, "")
		if tt.want == "" && err != nil || tt.want != "" && fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestADenialNeedsAReason(t *testing.T) {
	t.Parallel()
	for name, reason := range map[string]string{"none": "", "too long": strings.Repeat("x", 501), "invisible": "fine\u202e"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			id := d.park(t, `{}`)
			if _, err := d.Decide(t.Context(), id, false, reason); fault.CodeOf(err) != fault.Usage {
				t.Errorf("got %v", err)
			}
		})
	}
	d := open(t)
	id := d.park(t, `{}`)
	item, err := d.Decide(t.Context(), id, false, "wrong customer")
	if err != nil || item.State != "denied" || item.Reason != "wrong customer" {
		t.Errorf("got %+v, %v", item, err)
	}
}

func TestADecisionIsRecordedBeforeItTakesEffect(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	d.log.full = errors.New("disk full")
	if _, err := d.Decide(t.Context(), id, true, ""); fault.CodeOf(err) != fault.AuditUnavailable {
		t.Errorf("got %v, want %s", err, fault.AuditUnavailable)
	}
	if a, _ := d.store.Approval(t.Context(), id); a.State != enforce.Pending {
		t.Errorf("it is %s although nobody could record it", a.State)
	}
	d.log.full = nil
	d.store.deciding = func() {
		same(t, "the log when it takes effect", d.log.ops(), []string{"approval.decide approved owner"})
	}
	if _, err := d.Decide(t.Context(), id, true, "checked"); err != nil {
		t.Fatal(err)
	}
	r := d.log.records[0]
	if r.Object != id || r.Reason != "checked" || r.Actor != (audit.Actor{Type: "local", ID: "owner"}) || r.Via != "cli" {
		t.Errorf("the record is %+v", r)
	}
}

func TestOneOfTwoWhoDecideWins(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	gate := make(chan struct{})
	var at sync.WaitGroup
	at.Add(2)
	d.store.deciding = func() { at.Done(); <-gate }
	results := make(chan error, 2)
	for _, approve := range []bool{true, false} {
		go func() {
			_, err := d.Decide(t.Context(), id, approve, "seen")
			results <- err
		}()
	}
	at.Wait() // both have found it pending
	close(gate)
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || fault.CodeOf(errors.Join(first, second)) != fault.ApprovalDecided {
		t.Errorf("got %v and %v", first, second)
	}
	ops := strings.Join(d.log.ops(), ",")
	if len(d.log.records) != 3 || !strings.HasSuffix(ops, "approval.decide no effect owner") {
		t.Errorf("the log says %s", ops)
	}
	if _, err := d.Decide(t.Context(), id, true, ""); fault.CodeOf(err) != fault.ApprovalDecided {
		t.Errorf("a third: %v", err)
	}
}

func TestSilenceEscalatesThenDenies(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	d.Step(t.Context())
	d.store.move(5 * time.Minute)
	d.Step(t.Context())
	d.Step(t.Context())
	d.store.move(10 * time.Minute)
	if _, err := d.Decide(t.Context(), id, true, ""); fault.CodeOf(err) != fault.ApprovalDecided {
		t.Errorf("deciding at the deadline: %v", err)
	}
	if item, err := d.Show(t.Context(), id); err != nil || item.State != "expired" || item.Withheld != "over" {
		t.Errorf("before the round comes by it shows as %+v, %v", item, err)
	}
	d.Step(t.Context())
	d.Step(t.Context())
	same(t, "the log", d.log.ops(), []string{"approval.escalate pending approvals", "approval.expire expired approvals"})
}

// A grant that ended leaves nothing for people to decide.
func TestEndedGrantsLeaveNothingWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rounds := 0
	d := open(t, func(o *approve.Options) {
		o.Over = func(_ context.Context, a *enforce.Approval) (bool, error) { return a.Grant == "grt_gone", nil }
		o.Sleep = func(ctx context.Context, _ time.Duration) error {
			if rounds++; rounds == 6 {
				cancel()
			}
			return ctx.Err()
		}
	})
	of := func(grant string) func(*enforce.Parking) {
		return func(p *enforce.Parking) { p.Approval.Grant = grant }
	}
	stays, waiting, agreed := d.park(t, `{}`, of("grt_1")), d.park(t, `{}`, of("grt_gone")), d.park(t, `{}`, of("grt_gone"))
	if _, err := d.Decide(t.Context(), agreed, true, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{stays: "pending", waiting: "cancelled", agreed: "cancelled"} {
		if item, err := d.Show(t.Context(), id); err != nil || item.State != want {
			t.Errorf("%s is %+v, %v, want %s", id, item, err, want)
		}
	}
}

func TestWhoSeesArguments(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		caller   tenant.Caller
		withheld string
	}{
		{"the owner of the machine", tenant.Local("cli"), ""},
		{"an approver", member("bob", tenant.Viewer, approver), ""},
		{"who made the grant, who may not decide", member("ann", tenant.Admin), ""},
		{"a viewer", member("bob", tenant.Viewer), "role"},
		{"an agent of an owner", member("bob", tenant.Owner, agent), "role"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			id := d.park(t, `{"to":"canary"}`, fourEyes)
			item, err := d.As(tt.caller).Show(t.Context(), id)
			if err != nil || item.Withheld != tt.withheld || (len(item.Arguments) > 0) != (tt.withheld == "") {
				t.Errorf("got %q withheld %q, %v", item.Arguments, item.Withheld, err)
			}
			list, err := d.As(tt.caller).List(t.Context(), approve.Filter{})
			if err != nil || len(list) != 1 || list[0].Arguments != nil {
				t.Errorf("the list: %+v, %v", list, err)
			}
		})
	}
	d := open(t)
	id := d.park(t, `{}`)
	if _, err := d.As(member("bob", tenant.Owner, foreign)).Show(t.Context(), id); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("another workspace: %v", err)
	}
	list, err := d.As(member("bob", tenant.Owner, foreign)).List(t.Context(), approve.Filter{})
	if err != nil || len(list) != 0 {
		t.Errorf("the list of another workspace: %+v, %v", list, err)
	}
}

func TestShowComparesWithTheLastApprovedCall(t *testing.T) {
	t.Parallel()
	call := func(request, approval, args string) enforce.RecordedCall {
		c := enforce.RecordedCall{At: start.Add(-time.Hour), Call: audit.Call{
			Request: request, Workspace: "default", Grant: "grt_1", Decision: "allow", Approval: approval, ArgKeys: []string{"amount", "note"},
		}}
		if args != "" {
			c.Arguments = sealed(args)
		}
		return c
	}
	d := open(t)
	id := d.park(t, `{"amount":12.50,"to":{"a.b":[1,2,3]},"big":123456789012345678901}`)
	if item, err := d.Show(t.Context(), id); err != nil || item.Compared != nil {
		t.Errorf("nothing was approved before: %+v, %v", item, err)
	}
	d.store.calls = []enforce.RecordedCall{
		call("req_2", "", `{"amount":1}`),
		call("req_1", "apr_before", `{"amount":12.5,"to":{"a.b":[1,9]},"gone":true,"big":123456789012345678902}`),
	}
	item, err := d.Show(t.Context(), id)
	if err != nil || item.Compared == nil || item.Compared.With != "apr_before" || !item.Compared.Values {
		t.Fatalf("got %+v, %v", item, err)
	}
	var got []string
	for _, c := range item.Compared.Changes {
		got = append(got, c.Kind+" "+c.Path+" "+string(c.Was)+">"+string(c.Is))
	}
	same(t, "changes", got, []string{
		"changed args.amount 12.5>12.50", "changed args.big 123456789012345678902>123456789012345678901", "removed args.gone true>",
		`changed args.to["a.b"][1] 9>2`, `added args.to["a.b"][2] >3`,
	})
	d.store.calls = []enforce.RecordedCall{call("req_1", "apr_before", "")}
	if item, err = d.Show(t.Context(), id); err != nil || item.Compared.Values {
		t.Fatalf("got %+v, %v", item, err)
	}
	got = nil
	for _, c := range item.Compared.Changes {
		got = append(got, c.Kind+" "+c.Path+string(c.Was)+string(c.Is))
	}
	same(t, "changes without values", got, []string{"removed args.note", "added args.to"})
}

func TestShowTellsWhatLimitsHaveLeft(t *testing.T) {
	t.Parallel()
	d := open(t, func(o *approve.Options) {
		o.Charges = chargesOf(enforce.Charge{Rule: "/a", Amount: 500_000, Max: 5_000_000}, enforce.Charge{Rule: "/b", Amount: 500_001, Max: 5_000_000},
			enforce.Charge{Rule: "/c", After: true})
	})
	item, err := d.Show(t.Context(), d.park(t, `{}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range item.Limits {
		got = append(got, h.Rule+" "+h.Needs+" "+h.Used+" "+h.Max+map[bool]string{true: " fits"}[h.Fits])
	}
	same(t, "limits", got, []string{"/a 0.5 4.5 5 fits", "/b 0.500001 4.5 5"})
}

func TestFourEyesByDefaultWhereAnotherMemberCouldDecide(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	ann := tenant.Member{User: "ann", Role: tenant.Owner}
	bob := tenant.Member{User: "bob", Role: tenant.Operator}
	cat := tenant.Member{User: "cat", Role: tenant.Viewer, Approver: true}
	tests := []struct {
		name      string
		set       registry.Approvals
		approvers []string
		members   []tenant.Member
		want      bool
	}{
		{name: "alone", members: []tenant.Member{ann}},
		{name: "nobody else may", members: []tenant.Member{ann, bob}},
		{name: "an approver may", members: []tenant.Member{ann, cat}, want: true},
		{name: "the other one is named", members: []tenant.Member{ann, bob}, approvers: []string{"bob"}, want: true},
		{name: "the other one is not among those named", members: []tenant.Member{ann, cat}, approvers: []string{"ann"}},
		{name: "switched on", set: registry.Approvals{FourEyes: &yes}, members: []tenant.Member{ann}, want: true},
		{name: "switched off", set: registry.Approvals{FourEyes: &no}, members: []tenant.Member{ann, cat}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := approve.FourEyes(tt.set, tt.approvers, "ann", tt.members); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWatchAnswersWhenTheListChanges(t *testing.T) {
	t.Parallel()
	var d *desk
	slept := 0
	d = open(t, func(o *approve.Options) {
		sleep := o.Sleep
		o.Sleep = func(ctx context.Context, t2 time.Duration) error {
			if slept++; slept == 3 {
				d.park(t, `{}`)
			}
			return sleep(ctx, t2)
		}
	})
	first, err := d.Watch(t.Context(), "", 10*time.Second)
	if err != nil || slept != 0 || len(first.Items) != 0 {
		t.Fatalf("without a version: %+v, %v after %d looks", first, err, slept)
	}
	second, err := d.Watch(t.Context(), first.Version, 10*time.Second)
	if err != nil || slept != 3 || len(second.Items) != 1 {
		t.Fatalf("got %+v, %v after %d looks", second, err, slept)
	}
	if third, err := d.Watch(t.Context(), second.Version, time.Second); err != nil || third.Version != second.Version {
		t.Errorf("nothing changed: %+v, %v", third, err)
	}
	if _, err := d.Watch(t.Context(), "", time.Hour); fault.CodeOf(err) != fault.Usage {
		t.Errorf("an hour: %v", err)
	}
}

func TestReleasesAreAnAdminsAndStayInTheWorkspace(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.store.calls = []enforce.RecordedCall{
		{Call: audit.Call{Request: "req_mine", Workspace: "default"}}, {Call: audit.Call{Request: "req_theirs", Workspace: "other"}},
	}
	list, err := d.As(member("bob", tenant.Viewer)).Ambiguous(t.Context(), 0)
	if err != nil || len(list) != 1 || list[0].Request != "req_mine" {
		t.Errorf("got %+v, %v", list, err)
	}
	for name, tt := range map[string]struct {
		caller          tenant.Caller
		request, reason string
		want            fault.Code
	}{
		"an operator":       {member("bob", tenant.Operator), "req_mine", "looked", fault.RoleRequired},
		"an agent":          {member("bob", tenant.Owner, agent), "req_mine", "looked", fault.RoleRequired},
		"no reason":         {member("bob", tenant.Admin), "req_mine", "", fault.Usage},
		"another workspace": {member("bob", tenant.Admin), "req_theirs", "looked", fault.NotFound},
		"not ambiguous":     {tenant.Local("cli"), "req_none", "looked", fault.NotFound},
	} {
		if err := d.As(tt.caller).Release(t.Context(), tt.request, tt.reason); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if err := d.As(member("bob", tenant.Admin)).Release(t.Context(), "req_mine", "not done: the provider says so"); err != nil {
		t.Error(err)
	}
}

func TestCallsStayInTheWorkspaceAndArePaged(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, id := range []string{"r5", "r4", "r3", "r2", "r1"} {
		d.store.calls = append(d.store.calls, enforce.RecordedCall{
			At: start, Call: audit.Call{Request: id, Workspace: "default", Tool: "=cmd()", Decision: "deny"}, Arguments: sealed(`{"to":"canary"}`),
		})
	}
	d.store.calls[2].Call.Workspace = "other"
	var got []string
	err := d.As(member("bob", tenant.Viewer)).EachCall(t.Context(), enforce.CallFilter{Workspace: "other", Arguments: true, Limit: 3}, func(r *approve.CallRow) error {
		got = append(got, r.Request)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "calls", got, []string{"r5", "r4", "r2"})
	if _, err := d.Calls(t.Context(), enforce.CallFilter{Limit: 1001}); fault.CodeOf(err) != fault.Usage {
		t.Errorf("a thousand and one: %v", err)
	}
	var text strings.Builder
	w, err := approve.NewCSV(&text)
	if err != nil {
		t.Fatal(err)
	}
	row := approve.CallRow{At: start, Tool: "=cmd()", Client: "@x", ArgKeys: []string{"-a", "b,c"}, Rule: `/t/"q"`, Method: "x; =1", Code: "＝1"}
	if err := errors.Join(w.Write(&row), w.Flush()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`,'=cmd(),`, `,'@x,`, `,"'-a b,c",`, `,"/t/""q""",`, `,x; '=1,`, `,'＝1,`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s is missing in %s", want, text.String())
		}
	}
}
