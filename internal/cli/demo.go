package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/demo"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/sandbox"
	"sluice/internal/writeback"
)

// demoDataset is the sandbox's documented dataset.
const demoDataset = "1000000000000001"

// demoSeed makes every demo the same but for its clock.
const demoSeed = 20261121

// demoJSON is the contract of `demo --json`.
type demoJSON struct {
	Planned          int    `json:"planned"`
	Rejected         int    `json:"rejected"`
	Skipped          int    `json:"skipped"`
	Delivered        int    `json:"delivered"`
	ReplayedRequests int    `json:"replayed_requests"`
	SecondFileNew    int    `json:"second_file_new"`
	Stored           int    `json:"stored"`
	StoredDuplicates int    `json:"stored_duplicates"`
	Resent           int    `json:"resent"`
	AuditIntact      bool   `json:"audit_intact"`
	Sandbox          string `json:"sandbox"`
	StateDir         string `json:"state_dir"`

	Agent demoAgent `json:"agent"`
}

func (c *command) demoCommand() *cobra.Command {
	var exit bool
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "See the whole way on loopback: messy shop files, preview, dry run, confirm, a lost answer, an agent",
		GroupID: groupTools,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.demo(cmd.Context(), exit) },
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end when the tour is over instead of keeping the sandbox up")
	return cmd
}

// tour is one run of the demo.
type tour struct {
	*command
	app  *app.App
	look demo.Inspector
	out  io.Writer
	dir  string
	doc  demoJSON
}

func (c *command) demo(ctx context.Context, exit bool) error {
	dir, err := os.MkdirTemp("", "sluice-demo-")
	if err != nil {
		return fault.New(fault.StoreUnavailable, "no temporary directory can be made").Wrap(err)
	}
	if exit {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fault.New(fault.PortUnavailable, "no loopback port is free").Wrap(err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	served := make(chan error, 1)
	go func() { served <- sandbox.New(sandbox.Options{Seed: demoSeed, Now: c.Now}).Serve(serving, l) }()

	base := "http://" + l.Addr().String()
	c.graphURL, c.stateDir = base, filepath.Join(dir, "state")
	if err := c.demoConfig(dir); err != nil {
		return err
	}
	t := &tour{command: c, look: demo.Inspector{Base: base, Client: &http.Client{}}, out: c.Stdout, dir: dir}
	t.doc.Sandbox, t.doc.StateDir = base, c.stateDir
	if c.json {
		t.out = io.Discard
	}
	if err := c.with(ctx, func(a *app.App) error { t.app = a; return t.walk(ctx) }); err != nil {
		return err
	}
	if err := c.print(t.doc, func(w io.Writer) { t.closing(w, exit) }); err != nil {
		return err
	}
	if !exit {
		select {
		case <-ctx.Done():
			line(c.Stderr, "\nstopped; the demo's files stay in %s", dir)
		case err := <-served:
			return err
		}
	}
	stop()
	return nil
}

func (t *tour) walk(ctx context.Context) error {
	start := t.clock()
	line(t.out, "%s  Four shops drop their exports; Meta is a double at %s", t.bold("Sluice demo"), t.doc.Sandbox)

	t.step(1, "Preview", "four messy files are read, nothing leaves this machine")
	first, err := t.plan(ctx, start, 0)
	if err != nil {
		return err
	}
	t.doc.Planned, t.doc.Rejected, t.doc.Skipped = first.Summary.Counts.Planned, first.Summary.Counts.Rejected, first.Summary.Counts.Skipped
	t.planned(first)

	t.step(2, "Dry run", "the exact request bytes, judged by the built-in rules and a sandbox in this process")
	r, err := t.rehearse(ctx, t.app, writeback.RehearseRequest{PlanID: first.ID, Level: writeback.Offline})
	if err != nil {
		return err
	}
	line(t.out, "   %s events in %s: %s", thousands(r.EventsReceived), plural(int64(r.Requests), "request"), map[bool]string{true: t.good("passed"), false: t.bad("failed")}[r.OK])

	t.step(3, "Confirm", "every event is sent once")
	receipt, err := t.confirmPlan(ctx, first.ID)
	if err != nil {
		return err
	}
	t.doc.Delivered = receipt.Counts[ledger.Delivered]
	line(t.out, "   %s delivered; Meta acknowledged %s", thousands(t.doc.Delivered), thousands(receipt.EventsReceived))

	t.step(4, "Confirm again", "somebody presses the button twice")
	if t.doc.ReplayedRequests, err = t.requestsDuring(ctx, func() error {
		again, err := t.confirmPlan(ctx, first.ID)
		if err == nil && !again.Replayed {
			err = fault.New(fault.Internal, "a repeated confirm was not replayed")
		}
		return err
	}); err != nil {
		return err
	}
	line(t.out, "   the same receipt, %s", plural(int64(t.doc.ReplayedRequests), "request"))

	t.step(5, "The next night", "the exports overlap with yesterday's, and one answer is lost on the way")
	second, err := t.plan(ctx, start, 1)
	if err != nil {
		return err
	}
	t.doc.SecondFileNew = second.Summary.Counts.Planned
	t.planned(second)
	if err := t.look.DropAfterCommit(ctx); err != nil {
		return err
	}
	receipt, err = t.confirmPlan(ctx, second.ID)
	if err != nil {
		return err
	}
	t.doc.Resent = receipt.Requests - 1
	line(t.out, "   the connection broke after Meta had stored the request; the same bytes were sent again")
	if err := t.compare(ctx, receipt); err != nil {
		return err
	}
	return t.session(ctx)
}

// compare asks the sandbox what it really holds.
func (t *tour) compare(ctx context.Context, receipt *writeback.Receipt) error {
	stored, err := t.look.Events(ctx, demoDataset)
	if err != nil {
		return err
	}
	sent := t.doc.Delivered + receipt.Counts[ledger.Delivered]
	t.doc.Stored, t.doc.StoredDuplicates = stored.Kept, stored.Kept-sent
	verdict, err := t.app.Writeback.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	t.doc.AuditIntact = verdict.OK
	t.step(6, "Compare", "what the ledger says and what the other side holds")
	line(t.out, "   ledger    %6s delivered", thousands(sent))
	line(t.out, "   sandbox   %6s stored once, %s absorbed as repeats", thousands(stored.Kept), thousands(stored.Duplicates))
	line(t.out, "   audit     %6s records, %s", thousands(verdict.Records), t.chain(verdict.OK))
	if stored.Kept != sent || !verdict.OK {
		return fault.New(fault.Internal, "the ledger and the sandbox disagree: %d against %d", sent, stored.Kept)
	}
	return nil
}

func (t *tour) chain(intact bool) string {
	if intact {
		return t.good("chain intact")
	}
	return t.bad("chain broken")
}

func (t *tour) step(n int, title, what string) {
	line(t.out, "\n%s %s", t.bold(fmt.Sprintf("%d  %s.", n, title)), t.dim(what))
}

// plan writes one day's files and previews them.
func (t *tour) plan(ctx context.Context, now time.Time, day int) (*writeback.PlanView, error) {
	dir := filepath.Join(t.dir, fmt.Sprintf("day%d", day+1))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := demo.Files(dir, demoSeed, now, day); err != nil {
		return nil, err
	}
	path := filepath.Join(t.dir, "mapping.yaml")
	if err := os.WriteFile(path, demo.Mapping, 0o600); err != nil {
		return nil, err
	}
	return t.preview(ctx, t.app, &planFlags{mapping: path, dataset: demoDataset, samples: 1}, []string{dir})
}

func (t *tour) planned(v *writeback.PlanView) {
	n := v.Summary.Counts
	line(t.out, "   %s rows: %s planned (%s), %s rejected, %s skipped, %s expired", thousands(n.Rows), t.bold(thousands(n.Planned)),
		values(v.Summary.Value), thousands(n.Rejected), thousands(n.Skipped), thousands(n.Expired))
	if n.Rejected > 0 {
		line(t.out, "   rejected  %s", byCount(v.Summary.Rejects))
	}
	if n.Skipped > 0 {
		line(t.out, "   skipped   %s", byCount(v.Summary.Skips))
	}
	dropped := map[string]int{}
	for code, note := range v.Summary.Dropped {
		dropped[code] = note.Count
	}
	if len(dropped) > 0 {
		line(t.out, "   dropped   %s (one identifier each; the event is kept)", byCount(dropped))
	}
}

func (t *tour) confirmPlan(ctx context.Context, id string) (*writeback.Receipt, error) {
	// Not the configured client: a token of the real Meta has no business here.
	to, err := graph.New(graph.Options{Base: t.doc.Sandbox, Token: sandbox.Token})
	if err != nil {
		return nil, err
	}
	return t.app.Writeback.Through(func(context.Context, writeback.Target) (writeback.Destination, error) { return to, nil }).
		Confirm(ctx, writeback.ConfirmRequest{PlanID: id, AcceptRejects: true})
}

func (t *tour) requestsDuring(ctx context.Context, fn func() error) (int, error) {
	before, err := t.look.Requests(ctx)
	if err != nil {
		return 0, err
	}
	if err := fn(); err != nil {
		return 0, err
	}
	after, err := t.look.Requests(ctx)
	return after - before, err
}

func (t *tour) closing(w io.Writer, exit bool) {
	line(w, "\n%s", t.bold("Where to look next"))
	if !exit {
		line(w, "   the files          %s", t.dir)
		line(w, "   what Meta holds    curl -s '%s/_emulator/events?dataset=%s&limit=1'", t.doc.Sandbox, demoDataset)
		line(w, "   the ledger         sluice --state-dir %s runs", t.doc.StateDir)
		line(w, "   the agent's calls  sluice --state-dir %s audit search", t.doc.StateDir)
	}
	line(w, "   your own orders    sluice mapping init ORDERS.csv > mapping.yaml")
	line(w, "   the guide          docs/send.md")
	line(w, "   an agent's tools   docs/meta.md, examples/agent-session")
	if !exit {
		line(w, "\nThe sandbox stays up; Ctrl-C ends it.")
	}
}
