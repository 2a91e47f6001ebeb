package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/demo"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

// demoAgent is what `demo --json` says of the agent's session.
type demoAgent struct {
	Calls       int  `json:"calls"`
	Allowed     int  `json:"allowed"` // by the policy, those of a person's yes included
	Refused     int  `json:"refused"` // allowed, and refused by the server
	Limited     int  `json:"limited"`
	Denied      int  `json:"denied"`
	Waited      int  `json:"waited"`
	Approved    int  `json:"approved"`
	AuditCalls  int  `json:"audit_calls"`
	AuditIntact bool `json:"audit_intact"`
}

// session lets an agent work on the sandbox, through the gateway.
func (t *tour) session(ctx context.Context) (err error) {
	t.step(7, "An agent", "it uses tools for Meta; a policy decides each call, and a person the one that waits")
	a, err := t.hire(ctx)
	if err != nil {
		return err
	}
	err = t.work(ctx, a)
	if err := errors.Join(err, a.Close(ctx)); err != nil {
		return err
	}
	return t.proof(ctx)
}

func (t *tour) hire(ctx context.Context) (*demo.Agent, error) {
	log, err := t.logger()
	if err != nil {
		return nil, err
	}
	policy := filepath.Join(t.dir, "policy.json")
	if err := os.WriteFile(policy, demo.AgentPolicy, 0o600); err != nil {
		return nil, err
	}
	cfg, err := t.load()
	if err != nil {
		return nil, err
	}
	return demo.NewAgent(ctx, cfg, policy, log)
}

func (t *tour) work(ctx context.Context, a *demo.Agent) error {
	for _, s := range demo.Session(t.clock(), demoDataset) {
		r, err := t.call(ctx, a, s, s.Want)
		if err != nil {
			return err
		}
		if s.Want != "approval_pending" {
			continue
		}
		person, err := t.app.Approve(ctx)
		if err != nil {
			return err
		}
		if _, err := person.Decide(ctx, r.Approval, true, ""); err != nil {
			return err
		}
		t.doc.Agent.Approved++
		s.For = "the very same call, once"
		if _, err := t.call(ctx, a, s, "ok"); err != nil {
			return err
		}
	}
	return nil
}

func (t *tour) call(ctx context.Context, a *demo.Agent, s demo.Step, want string) (*demo.Reply, error) {
	r, err := a.Call(ctx, s.Tool, s.Arguments)
	if err != nil {
		return nil, err
	}
	d := &t.doc.Agent
	d.Calls++
	verdict, why := t.good("allowed "), strings.TrimPrefix(r.Message, "[POLICY DENIED] ")
	switch {
	case r.Code == "ok" && d.Approved > 0:
		d.Allowed++
		verdict = t.good("approved")
	case r.Code == "ok":
		d.Allowed++
	case !r.Policy:
		d.Allowed++
		d.Refused++
		verdict, why = t.bad("refused "), r.Code+", says the server"
	case r.Code == "approval_pending":
		d.Waited++
		verdict, why = t.notice("waits   "), ""
	case r.Code == "limit_exceeded":
		d.Limited++
		verdict = t.bad("limited ")
	default:
		d.Denied++
		verdict = t.bad("denied  ")
	}
	if why != "" {
		why, _, _ = strings.Cut(why, ". ")
		why = ": " + strings.TrimSuffix(why, ".")
	}
	line(t.out, "   %s  %-23s  %s%s", verdict, s.Tool, s.For, why)
	if r.Code != want {
		return nil, fault.New(fault.Internal, "%s answered %s instead of %s: %s", s.Tool, r.Code, want, r.Message)
	}
	return r, nil
}

// proof shows what the audit log has of it.
func (t *tour) proof(ctx context.Context) error {
	s, err := t.app.Approve(ctx)
	if err != nil {
		return err
	}
	calls, err := s.Calls(ctx, enforce.CallFilter{Limit: 100})
	if err != nil {
		return err
	}
	verdict, err := t.app.Writeback.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	d := &t.doc.Agent
	d.AuditCalls, d.AuditIntact = len(calls), verdict.OK
	line(t.out, "   the audit log has each decision before anything is forwarded:")
	slices.Reverse(calls)
	for i := range calls {
		c := &calls[i]
		why := strings.TrimPrefix(c.Rule, "/tools/"+c.Tool+"/")
		if why == "" {
			why = strings.TrimSpace(c.Outcome + " " + c.Approval)
		}
		line(t.out, "   %s  %-23s  %-5s  %s", t.dim(c.Request), c.Tool, c.Decision, why)
	}
	line(t.out, "   audit     %6s records, %s", thousands(verdict.Records), t.chain(verdict.OK))
	if d.AuditCalls != d.Calls || !verdict.OK {
		return fault.New(fault.Internal, "the agent made %d calls, the audit log has %d", d.Calls, d.AuditCalls)
	}
	return nil
}

// demoConfig is the configuration of the demo alone: nobody's token, database or
// sluice.yaml has a part in it.
func (c *command) demoConfig(dir string) error {
	c.config = filepath.Join(dir, "sluice.yaml")
	c.Env = slices.DeleteFunc(slices.Clone(c.Env), func(kv string) bool {
		return strings.HasPrefix(kv, "SLUICE_") || strings.HasPrefix(kv, "META_") || strings.HasPrefix(kv, "THREADS_")
	})
	if err := os.WriteFile(c.config, []byte("{}\n"), 0o600); err != nil {
		return fault.New(fault.StoreUnavailable, "%s can't be written", c.config).Wrap(err)
	}
	return nil
}
