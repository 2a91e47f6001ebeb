package cli

import (
	"context"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/mcpwire"
	"sluice/internal/registry"
)

// proxyFlags are what `sluice proxy` was asked for.
type proxyFlags struct {
	listen   string
	upstream string
	headers  []string
	env      []string
	dir      string
	era      string
	timeout  time.Duration

	policy     string
	observe    bool
	durability string
	settings   registry.Settings
}

func (c *command) proxyCommand() *cobra.Command {
	var f proxyFlags
	cmd := &cobra.Command{
		Use:     "proxy (--upstream URL | -- COMMAND [ARG…])",
		Short:   "Stand between an MCP client and one MCP server",
		GroupID: groupServe,
		Long: "Relays MCP between a client and one server, both protocol eras, over stdio or HTTP, without accounts.\n" +
			"With --listen it serves HTTP at /mcp on loopback, and its first line on stdout is\n" +
			"`listening on http://HOST:PORT/mcp`; without, it speaks MCP on stdin and stdout, so that an MCP client's\n" +
			"configuration can name it in place of the server:\n\n" +
			"  {\"command\": \"sluice\", \"args\": [\"proxy\", \"--\", \"npx\", \"-y\", \"@modelcontextprotocol/server-everything\"]}\n\n" +
			"With -p every call is decided by a policy.json, counted, and recorded in the audit log; a change of the\n" +
			"file is taken up at once, and one that does not check leaves the version before in force. All relays of a\n" +
			"state directory share their limits and approvals.\n\n" +
			"A command runs in a clean environment: variables it needs are named with --env. It can't read Sluice's\n" +
			"state directory. A server at a URL that asks for OAuth is signed in to in the browser.",
		Example: "  sluice proxy -- npx -y @modelcontextprotocol/server-everything\n" +
			"  sluice proxy --upstream https://mcp.example.com/mcp --header 'X-Api-Key: ${CRM_KEY}'\n" +
			"  sluice proxy -p policy.json --listen 127.0.0.1:8808 --upstream https://mcp.example.com/mcp\n" +
			"  sluice proxy --listen 127.0.0.1:8808 --env GITHUB_TOKEN -- github-mcp-server stdio",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return c.proxy(cmd, f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "", "serve HTTP at /mcp on this loopback address instead of stdio; port 0 picks a free one")
	fl.StringVar(&f.upstream, "upstream", "", "URL of the MCP server")
	fl.StringArrayVar(&f.headers, "header", nil, "header for the server, 'Name: value'; ${VARIABLE} is taken from the environment; may be repeated")
	fl.StringArrayVar(&f.env, "env", nil, "variable for the command, NAME (its value here) or NAME=value; may be repeated")
	fl.StringVar(&f.dir, "dir", "", "directory the command runs in (default: this one)")
	fl.StringVar(&f.era, "era", "auto", "era the server speaks: auto, legacy (2025-11-25 and older) or modern (2026-07-28)")
	fl.DurationVar(&f.timeout, "timeout", 0, "how long a call may go without an answer or progress (default 5m)")
	fl.StringVarP(&f.policy, "policy", "p", "", "policy.json that decides every call; followed while it changes")
	fl.BoolVar(&f.observe, "observe", false, "record what the policy would have denied, and let it pass")
	fl.StringVar(&f.durability, "durability", "", "what decisions survive: process (the end of any process; default) or power_loss (a disk sync per group of calls)")
	fl.StringArrayVar(&f.settings.Methods, "method", nil, "method that passes besides tools under default deny, such as resources/*; may be repeated")
	fl.StringVar(&f.settings.List, "list", "", "what tools/list shows: visible (all but hidden) or callable")
	fl.StringVar(&f.settings.RecordArguments, "record-arguments", "", "off, or encrypted: arguments are kept 14 days for sluice policy replay")
	_ = cmd.MarkFlagFilename("policy", "json")
	return cmd
}

func (c *command) proxy(cmd *cobra.Command, f proxyFlags, args []string) error {
	spec, err := f.spec(args, c.Env)
	if err != nil {
		return err
	}
	log, err := c.logger()
	if err != nil {
		return err
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	spec.Log, spec.Stderr, spec.Protect = log, c.Stderr, app.ProtectedPaths(cfg)
	if spec.URL != "" {
		headers, err := credential.ParseHeaderFlags(f.headers, cfg.Env)
		if err != nil {
			return err
		}
		spec.Credential, err = app.LocalCredential(cfg, spec.Name, spec.URL, headers, openBrowser(c.Stderr, cfg.Env), log)
		if err != nil {
			return err
		}
		if closer, ok := spec.Credential.(io.Closer); ok { // a consent under way in a browser
			defer func() { _ = closer.Close() }()
		}
	}
	tracer, endTracing, err := app.Tracing(cmd.Context(), cfg.Env)
	if err != nil {
		return err
	}
	// What can't be sent any more is lost; the exporter has said so.
	defer func() { _ = endTracing(context.WithoutCancel(cmd.Context())) }()
	spec.Tracer = tracer
	if len(spec.Command) > 0 {
		// A directory that is not there yet is harder to keep a child out of.
		if err := os.MkdirAll(cfg.StateDir, 0o700); err != nil {
			return fault.New(fault.StoreUnavailable, "the state directory %s can't be made", cfg.StateDir).Wrap(err)
		}
	}
	if f.policy != "" {
		end, err := spec.Decide(cmd.Context(), cfg, app.ProxyPolicy{
			File: f.policy, Observe: f.observe, PowerLoss: f.durability == "power_loss", Settings: f.settings,
		}, log)
		if err != nil {
			return err
		}
		defer func() {
			if err := end(); err != nil {
				log.Warn("what was decided is not in the audit log yet; the next process of this state directory writes it", "error", err)
			}
		}()
	}
	up, err := app.Upstream(spec)
	if err != nil {
		return err
	}
	c.narrow()
	app.Shed()
	relay := &app.Relay{Upstream: up, Server: spec.Name, Log: log}
	return c.relay(cmd.Context(), relay, f.listen)
}

// spec checks the flags before anything is started.
func (f proxyFlags) spec(args, environ []string) (app.UpstreamSpec, error) {
	s := app.UpstreamSpec{Name: "default", Dir: f.dir, Timeout: f.timeout}
	switch {
	case f.upstream == "" && len(args) == 0:
		return s, fault.New(fault.Usage, "no server is named").
			WithFix("give its URL with --upstream, or the command that runs it after --")
	case f.upstream != "" && len(args) > 0:
		return s, fault.New(fault.Usage, "both --upstream and a command are given").WithFix("one relay stands before one server; leave one of them out")
	case len(args) > 0 && len(f.headers) > 0:
		return s, fault.New(fault.Usage, "--header is for servers at a URL").WithFix("a command takes its secrets from the environment: --env NAME")
	case f.upstream != "" && (len(f.env) > 0 || f.dir != ""):
		return s, fault.New(fault.Usage, "--env and --dir are for commands").WithFix("a server at a URL takes headers: --header")
	case f.listen != "" && loopbackOnly("--listen", f.listen, "") != nil:
		return s, loopbackOnly("--listen", f.listen, "whoever reaches the port is let in: use 127.0.0.1, or `sluice serve`, which asks for tokens")
	case f.policy == "" && (f.observe || f.durability != "" || len(f.settings.Methods) > 0 || f.settings.List != "" || f.settings.RecordArguments != ""):
		return s, fault.New(fault.Usage, "--observe, --durability, --method, --list and --record-arguments belong to a policy").WithFix("name it: -p policy.json")
	case f.durability != "" && f.durability != "process" && f.durability != "power_loss":
		return s, fault.New(fault.Usage, "--durability must be process or power_loss")
	case f.settings.List != "" && f.settings.List != "visible" && f.settings.List != "callable":
		return s, fault.New(fault.Usage, "--list must be visible or callable")
	case f.settings.RecordArguments != "" && f.settings.RecordArguments != "off" && f.settings.RecordArguments != "encrypted":
		return s, fault.New(fault.Usage, "--record-arguments must be off or encrypted")
	case f.timeout < 0:
		return s, fault.New(fault.Usage, "--timeout must be 0 or more")
	}
	var err error
	if s.Era, err = parseEra(f.era); err != nil {
		return s, err
	}
	if info, err := os.Stat(f.dir); f.dir != "" && (err != nil || !info.IsDir()) {
		return s, fault.New(fault.Usage, "--dir %s is not a directory that can be entered", shown(f.dir)).WithFix("name one that exists, or leave --dir out")
	}
	if len(args) > 0 {
		s.Command = args
		s.Env, err = childEnv(f.env, environ)
		return s, err
	}
	u, err := url.Parse(f.upstream)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return s, fault.New(fault.Usage, "--upstream is not an http or https URL").WithFix("write it whole, such as https://mcp.example.com/mcp")
	}
	if u.User != nil {
		return s, fault.New(fault.Usage, "--upstream holds a user or password, which a list of processes shows").
			WithFix("keep it in the environment: --header 'Authorization: Basic ${NAME}'")
	}
	s.URL, s.AllowPrivate = f.upstream, true // whoever names it on the command line means it
	return s, nil
}

func parseEra(text string) (mcpwire.Era, error) {
	switch text {
	case "auto":
		return 0, nil
	case "legacy":
		return mcpwire.Legacy, nil
	case "modern":
		return mcpwire.Modern, nil
	default:
		return 0, fault.New(fault.Usage, "--era must be auto, legacy or modern")
	}
}

// childEnv is what the command gets besides the clean environment. A value given on
// the command line is visible to others on this machine, one passed by name is not.
func childEnv(flags, environ []string) ([]string, error) {
	have := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			have[k] = v
		}
	}
	var out []string
	for _, f := range flags {
		name, value, given := strings.Cut(f, "=")
		if name == "" {
			return nil, fault.New(fault.Usage, "--env names no variable").WithFix("--env NAME or --env NAME=value")
		}
		if !given {
			if value, given = have[name]; !given {
				return nil, fault.New(fault.Usage, "--env %s: there is no such variable in the environment", shown(name)).
					WithFix("export it first, or leave --env %s out", shown(name))
			}
		}
		out = append(out, name+"="+value)
	}
	return out, nil
}

// narrow keeps a relay that shares the machine with its client and its server to half
// the cores. What it does is short and waits for others, and waking fewer threads for
// it costs a fifth less (measured: bench/RESULTS.md).
func (c *command) narrow() {
	if c.Threads != nil && !c.hasEnv("GOMAXPROCS") {
		c.Threads(max(1, c.Threads(0)/2))
	}
}
