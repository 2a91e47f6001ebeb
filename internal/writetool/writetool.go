// Package writetool is write-back for agents: the three steps, single events and the
// looks at what became of them, as tools of an MCP server. They run on the same engine as
// the commands: plans, ledger, gates and audit are its, and no argument of a call can
// switch anything on.
package writetool

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/source"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// Session is the engine as one caller meets it.
type Session struct {
	Service *writeback.Service
	Caller  tenant.Caller
	Realm   string
	// Source opens a source that the configuration names; nil: there is none.
	Source func(ctx context.Context, name string, o source.Options) (source.Reader, error)
	// Connected refuses a target whose connection is missing or inactive.
	Connected func(context.Context, writeback.Target) error
	// Owns refuses a profile of another workspace than the caller's; nil: there is one
	// caller, and all are theirs.
	Owns func(ctx context.Context, profile string) error
}

// owns holds a profile to the caller's workspace.
func (s *Session) owns(ctx context.Context, profile string) error {
	if s.Owns == nil {
		return nil
	}
	return s.Owns(ctx, cmp.Or(profile, tenant.Default))
}

// ownsPlan holds a plan to the caller's workspace: one of another does not exist for them.
func (s *Session) ownsPlan(ctx context.Context, plan string) error {
	if s.Owns == nil {
		return nil
	}
	view, err := s.Service.Plan(ctx, plan)
	if err != nil {
		return err
	}
	if s.Owns(ctx, view.Profile) != nil {
		return fault.New(fault.PlanNotFound, "there is no plan with that id in this workspace")
	}
	return nil
}

// Open gives the engine to the caller of a tool, or says which precondition is not met:
// scope, workspace switch, role.
type Open func(ctx context.Context, n tenant.Need) (*Session, error)

// looks and sends are what the tools ask of a caller. All of them ask for the switch.
var (
	looks = tenant.Need{Scope: tenant.Read, Switch: true, Role: tenant.Viewer}
	plans = tenant.Need{Scope: tenant.Read, Switch: true, Role: tenant.Operator}
	sends = tenant.Need{Scope: tenant.Write, Switch: true, Role: tenant.Operator}
)

// Handlers are the tools.
func Handlers(open Open, r *tool.Runner) []tool.Handler {
	w := &tools{open: open}
	var list []tool.Handler
	for _, t := range w.records() {
		run := t.Run
		t.Run = func(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
			a, err := run(ctx, e)
			return a, forAgents(err)
		}
		list = append(list, r.Handler(t))
	}
	return list
}

// fixes are the next steps that an agent can take, where the engine's own words name a
// command.
var fixes = map[fault.Code]string{
	fault.RejectThreshold:       "look at wb_rejects; if they may be left out, confirm with accept_rejects: true",
	fault.FirstUploadRequired:   "if nobody ever uploaded events to this dataset, confirm with first_upload: true; else a person records the earlier uploads with `sluice adopt`",
	fault.PlanNotFound:          "take the plan_id that wb_preview gave",
	fault.PlanExpired:           "call wb_preview again",
	fault.PlanStale:             "call wb_preview again",
	fault.PlanHashMismatch:      "take plan_id and plan_hash from one wb_preview",
	fault.CircuitOpen:           "wait for retry_after; wb_circuit shows until when",
	fault.DryRunRequired:        "call wb_dry_run with the plan first",
	fault.DryRunFailed:          "mend what the findings name, and call wb_preview again",
	fault.IdempotencyMismatch:   "use a key of its own for each plan",
	fault.IdempotencyInProgress: "wait, and look at wb_run_status",
	fault.ApprovalRequired:      "a person decides; call again with the same arguments once they agreed",
	fault.DoubleCount:           "a person names the sale in the mapping (sale_key), or confirms it on the command line",
}

// forAgents gives an error of the engine a next step that an agent can take.
func forAgents(err error) error {
	f, ok := fault.As(err)
	if !ok || fixes[f.Code] == "" {
		return err
	}
	changed := *f
	changed.Fix, changed.Command = fixes[f.Code], nil
	return &changed
}

// Records are the tools' records, for the reference and the tests of definitions.
func Records() []*tool.Tool { return (&tools{}).records() }

func (w *tools) records() []*tool.Tool {
	return []*tool.Tool{
		w.threeSteps(), w.preview(), w.dryRun(), w.confirm(), w.status(), w.rejects(), w.circuit(), w.audit(),
		w.offlineEvent(), w.conversionEvent(), w.testEvents(),
	}
}

type tools struct{ open Open }

// session opens the engine; the fix of a refusal says what an agent can do about it.
func (w *tools) session(ctx context.Context, e *tool.Env, n tenant.Need) (*Session, error) {
	s, err := w.open(ctx, n)
	if err != nil {
		return nil, err
	}
	profile := e.Args.Str("profile_id")
	if err := s.owns(ctx, profile); err != nil {
		return nil, err
	}
	if profile != "" {
		in := *s
		in.Service = s.Service.In(profile)
		return &in, nil
	}
	return s, nil
}

// asMap is a value as its JSON decodes, numbers with their digits.
func asMap(v any) (map[string]any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return tool.DecodeObject(text)
}

// patience is how long a call waits for a confirm; after that the run goes on and
// wb_run_status tells.
const patience = 25 * time.Second

// follow passes the engine's progress on to the caller. Done never falls, whatever
// phases there are: MCP wants that.
func follow(e *tool.Env) func(writeback.Progress) {
	var base, last float64
	phase := ""
	return func(p writeback.Progress) {
		if p.Phase != phase {
			phase, base = p.Phase, last
		}
		done, total := float64(p.Done), float64(p.Total)
		if p.Bytes > 0 && p.Done == 0 {
			done, total = float64(p.Bytes), float64(p.TotalBytes)
		}
		last = base + done
		if total > 0 {
			total += base
		}
		e.Progress(last, total, p.Phase)
	}
}

// profile is an argument of most of the tools.
var profile = tool.Text("profile_id", "Profile of the workspace. Left out, the default one.").Max(100).Local()

func datasetOf(e *tool.Env) (string, error) {
	dataset, pixel := e.Args.Str("dataset_id"), e.Args.Str("pixel_id")
	switch {
	case dataset == "" && pixel == "":
		return "", tool.Bad("dataset_id", "it is missing", "give dataset_id (or pixel_id, its older name)")
	case dataset != "" && pixel != "" && dataset != pixel:
		return "", tool.Bad("pixel_id", "it is another one than dataset_id", "give one of them")
	case dataset == "":
		return pixel, nil
	}
	return dataset, nil
}

func needPlan(e *tool.Env, how string) error {
	if e.Args.Str("plan_id") != "" {
		return nil
	}
	return fault.New(fault.PlanRequired, "this step needs the plan of a preview").WithFix("%s", how)
}
