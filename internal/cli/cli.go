// Package cli holds the commands. A command parses its flags, calls one service
// and prints; what it prints is a contract: with --json one document (or JSON
// lines) on stdout, logs and progress on stderr, and the exit code of the fault.
package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/fault"
)

// Process is everything a command may touch of its surroundings.
type Process struct {
	Args           []string
	Env            []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time // time.Now when nil
	Sleep          func(context.Context, time.Duration) error
	// Threads is runtime.GOMAXPROCS; nil where the process is not this command's own.
	Threads func(int) int
}

// Main runs one command and returns its exit code.
func Main(ctx context.Context, p Process) int {
	c := &command{Process: p, out: &stdout{Writer: p.Stdout}}
	c.Stdout = c.out
	root := c.root()
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(p.Stderr)
	// A call that does not even parse is answered in the form it asked for.
	c.json = slices.Contains(p.Args, "--json")
	err := root.ExecuteContext(ctx)
	return c.exit(ctx, root, err)
}

// command carries the global flags and the surroundings.
type command struct {
	Process
	out      *stdout
	lines    *bufio.Reader // over Stdin, for questions
	json     bool
	config   string
	stateDir string
	graphURL string
	logLevel string
	progress string
	color    bool
	profile  string // --profile of the command, where it has one
}

// group names of the help page.
const (
	groupMain  = "main"
	groupServe = "serve"
	groupLook  = "look"
	groupAdmin = "admin"
	groupTools = "tools"
)

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sluice",
		Short: "The gate between agents, business data and Meta",
		Long: "Sluice turns orders into Conversions API events: preview what would be sent, rehearse it,\n" +
			"confirm it, and keep a ledger that never loses or doubles an event. And it stands between MCP\n" +
			"clients and servers: `sluice proxy` for one server, `sluice serve` for several.",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return c.status(cmd.Context()) },
	}
	f := root.PersistentFlags()
	f.BoolVar(&c.json, "json", false, "print one JSON document (or JSON lines) on stdout")
	f.StringVar(&c.config, "config", "", "configuration file (default ./sluice.yaml when it exists)")
	f.StringVar(&c.stateDir, "state-dir", "", "state directory (default $XDG_STATE_HOME/sluice)")
	f.StringVar(&c.graphURL, "graph-url", "", "Graph API base URL (default https://graph.facebook.com)")
	f.StringVar(&c.logLevel, "log-level", "warn", "debug, info, warn or error; logs go to stderr")
	f.StringVar(&c.progress, "progress", "auto", "auto, plain, json or off; progress goes to stderr")
	root.AddGroup(
		&cobra.Group{ID: groupMain, Title: "Sending:"},
		&cobra.Group{ID: groupServe, Title: "Serving and relaying:"},
		&cobra.Group{ID: groupLook, Title: "Looking:"},
		&cobra.Group{ID: groupAdmin, Title: "Administration:"},
		&cobra.Group{ID: groupTools, Title: "Tools:"},
	)
	for _, sub := range c.commands() {
		root.AddCommand(sub)
	}
	root.SetHelpCommandGroupID(groupTools)
	root.SetCompletionCommandGroupID(groupTools)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if f := cmd.Flag("profile"); f != nil {
			c.profile = f.Value.String()
		}
		f, ok := c.out.Writer.(*os.File)
		c.color = ok && term.IsTerminal(int(f.Fd())) && !c.hasEnv("NO_COLOR")
		return nil
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fault.New(fault.Usage, "%v", err).WithFix("see `%s --help`", cmd.CommandPath())
	})
	root.Version = app.Version()
	c.completions(root)
	return root
}

// commands lists every command in the order of the help page.
func (c *command) commands() []*cobra.Command {
	return []*cobra.Command{
		c.sendCommand(), c.previewCommand(), c.dryRunCommand(), c.confirmCommand(),
		c.outcomesCommand(), c.holdsCommand(),
		c.scheduleCommand(), c.backfillCommand(), c.workCommand(), c.reconcileCommand(), c.coverageCommand(), c.alertsCommand(),
		c.runsCommand(), c.rejectsCommand(), c.eventsCommand(), c.auditCommand(),
		c.workspaceCommand(), c.profileCommand(), c.memberCommand(), c.tokenCommand(), c.hooksCommand(), c.mcpCommand(), c.proxyCommand(), c.policyCommand(), c.serveCommand(), c.serverCommand(), c.grantCommand(), c.applyCommand(), c.openAPICommand(),
		c.suppressCommand(), c.forgetCommand(), c.retentionCommand(),
		c.connectCommand(), c.adoptCommand(),
		c.circuitCommand(), c.approvalsCommand(), c.limitsCommand(), c.resolveCommand(),
		c.demoCommand(), c.sandboxCommand(), c.mappingCommand(), c.normalizeCommand(), c.payloadCommand(), c.doctorCommand(), c.versionCommand(),
	}
}

func (c *command) hasEnv(key string) bool {
	for _, kv := range c.Env {
		if k, v, _ := strings.Cut(kv, "="); k == key && v != "" {
			return true
		}
	}
	return false
}

// load reads the configuration and lays the global flags over it.
func (c *command) load() (*config.Config, error) {
	cfg, err := config.Load(c.config, c.Env)
	if err != nil {
		return nil, err
	}
	if c.stateDir != "" {
		cfg.StateDir = c.stateDir
	}
	if c.graphURL != "" {
		cfg.GraphURL = c.graphURL
	}
	return cfg, nil
}

// open opens the state directory for a command.
func (c *command) open(ctx context.Context) (*app.App, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	log, err := c.logger()
	if err != nil {
		return nil, err
	}
	log.Info("state directory", "path", cfg.StateDir)
	a, err := app.Open(ctx, cfg, app.Options{Now: c.Now, Sleep: c.Sleep, Log: log, Via: "cli"})
	if err != nil || c.profile == "" {
		return a, err
	}
	// Here for every command: what works on a profile that is not there finds nothing,
	// and that looks like success.
	if err := a.Writeback.In(c.profile).Known(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (c *command) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.logLevel)); err != nil {
		return nil, fault.New(fault.Usage, "--log-level must be debug, info, warn or error")
	}
	return slog.New(slog.NewTextHandler(c.Stderr, &slog.HandlerOptions{Level: level})), nil
}

// with opens the state directory, runs fn, and closes it.
func (c *command) with(ctx context.Context, fn func(*app.App) error) error {
	a, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(a), a.Close())
}

// print writes v as one line of JSON under --json, else calls text.
func (c *command) print(v any, text func(w io.Writer)) error {
	if !c.json {
		text(c.Stdout)
		return nil
	}
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "%s\n", line)
	return err
}
