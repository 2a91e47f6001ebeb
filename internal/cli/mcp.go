package cli

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
)

type mcpFlags struct {
	listen    string
	sets      []string
	writeBack bool
	uploadDir string

	policy     string
	observe    bool
	durability string
	settings   registry.Settings
}

func (c *command) mcpCommand() *cobra.Command {
	var f mcpFlags
	cmd := &cobra.Command{
		Use:     "mcp",
		Short:   "Serve tools for Meta's platform over MCP",
		GroupID: groupServe,
		Long: "An MCP server for Pages, Messenger, Instagram, Threads, ads, audiences, catalogs, insights and\n" +
			"conversions, over stdio, or over HTTP at /mcp with --listen (both revisions of the protocol).\n\n" +
			"It starts without a token and says what is missing when a tool needs one: META_ACCESS_TOKEN and\n" +
			"THREADS_ACCESS_TOKEN, or `token` and `threads_token` in sluice.yaml (a file, an entry of the keychain, a\n" +
			"command). With --graph-url of a `sluice sandbox` it needs none.\n\n" +
			"Clients see the most used tools that the token may use, at most 40, and find the rest with\n" +
			"meta_search_tools. --sets names what there is instead: " + strings.Join(areas(), ", ") + ",\n" +
			"or a part such as ads.read, or all.\n\n" +
			"With -p every call is decided by a policy.json, as `sluice proxy` does it for other servers: limits,\n" +
			"approvals and audit are in the state directory, next to the ledger of conversions.\n\n" +
			"Conversions are sent only with --write-back.",
		Example: "  sluice mcp\n" +
			"  sluice mcp --sets ads.read,insights\n" +
			"  sluice mcp --listen 127.0.0.1:8809 --graph-url http://127.0.0.1:8099\n" +
			"  sluice mcp -p policy.json --sets all --write-back",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.mcp(cmd.Context(), f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "", "serve HTTP at /mcp on this loopback address instead of stdio; port 0 picks a free one")
	fl.StringSliceVar(&f.sets, "sets", nil, "tools there are, separated by commas: pages, ads.read, all (default: the short list with search)")
	fl.BoolVar(&f.writeBack, "write-back", false, "let the tools of write-back work: send_meta_conversions and the rest")
	fl.StringVar(&f.uploadDir, "upload-dir", "", "the one folder that tools take local files from")
	fl.StringVarP(&f.policy, "policy", "p", "", "policy.json that decides every call; followed while it changes")
	fl.BoolVar(&f.observe, "observe", false, "record what the policy would have denied, and let it pass")
	fl.StringVar(&f.durability, "durability", "", "what decisions survive: process (the end of any process; default) or power_loss (a disk sync per group of calls)")
	fl.StringVar(&f.settings.List, "list", "", "what tools/list shows: visible (all but hidden) or callable")
	fl.StringVar(&f.settings.RecordArguments, "record-arguments", "", "off, or encrypted: arguments are kept 14 days for sluice policy replay")
	_ = cmd.MarkFlagFilename("policy", "json")
	_ = cmd.MarkFlagDirname("upload-dir")
	_ = cmd.RegisterFlagCompletionFunc("sets", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return append(append(areas(), tool.Sets...), "all"), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// areas are the parts of sets before their dots.
func areas() []string {
	var list []string
	for _, s := range tool.Sets {
		area, _, _ := strings.Cut(s, ".")
		if len(list) == 0 || list[len(list)-1] != area {
			list = append(list, area)
		}
	}
	return list
}

func (c *command) mcp(ctx context.Context, f mcpFlags) error {
	if f.listen != "" {
		if err := loopbackOnly("--listen", f.listen, "whoever reaches the port acts with this token: use 127.0.0.1, or `builtin: meta` of `sluice serve`, which asks for tokens"); err != nil {
			return err
		}
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := c.logger()
	if err != nil {
		return err
	}
	if f.uploadDir != "" {
		cfg.Meta.UploadDir = f.uploadDir
	}
	tracer, endTracing, err := app.Tracing(ctx, cfg.Env)
	if err != nil {
		return err
	}
	// What can't be sent any more is lost; the exporter has said so.
	defer func() { _ = endTracing(context.WithoutCancel(ctx)) }()
	writes := app.NewLocalWrites(cfg, f.writeBack, log)
	meta, err := app.Meta(ctx, cfg, app.MetaOptions{Sets: f.sets, Always: writes.Handlers(), Log: log})
	if err != nil {
		return err
	}
	spec := app.UpstreamSpec{Name: "default", Local: func() (exchange.Upstream, error) { return meta, nil }, Tracer: tracer, Log: log}
	end, err := f.decide(ctx, &spec, cfg, log)
	if err != nil {
		return errors.Join(err, meta.Close(ctx))
	}
	up, err := app.Upstream(spec)
	if err != nil {
		return errors.Join(err, meta.Close(ctx), end())
	}
	if !c.hasEnv("GOGC") {
		debug.SetGCPercent(50) // answers of Meta come and go; little of them has to stay
	}
	app.Shed()
	err = c.relay(ctx, &app.Relay{Upstream: up, Server: spec.Name, Log: log}, f.listen)
	if undecided := end(); undecided != nil {
		log.Warn("what was decided is not in the audit log yet; the next process of this state directory writes it", "error", undecided)
	}
	return errors.Join(err, writes.Close())
}

// decide puts the policy in front of the server; end closes what it keeps.
func (f *mcpFlags) decide(ctx context.Context, spec *app.UpstreamSpec, cfg *config.Config, log *slog.Logger) (end func() error, err error) {
	if f.durability != "" && f.durability != "process" && f.durability != "power_loss" {
		return nil, fault.New(fault.Usage, "--durability must be process or power_loss")
	}
	if f.policy == "" {
		if f.observe || f.durability != "" || f.settings.List != "" || f.settings.RecordArguments != "" {
			return nil, fault.New(fault.Usage, "--observe, --durability, --list and --record-arguments belong to a policy").WithFix("name it with -p")
		}
		return func() error { return nil }, nil
	}
	return spec.Decide(ctx, cfg, app.ProxyPolicy{
		File: f.policy, Observe: f.observe, PowerLoss: f.durability == "power_loss", Settings: f.settings,
	}, log)
}

// relay serves an upstream to the one client of this process.
func (c *command) relay(ctx context.Context, r *app.Relay, listen string) error {
	if listen == "" {
		return r.Stdio(ctx, c.Stdin, c.out.Writer)
	}
	l, err := bind("--listen", listen)
	if err != nil {
		return errors.Join(err, r.Upstream.Close(ctx))
	}
	line(c.Stdout, "listening on http://%s/mcp", l.Addr())
	return r.HTTP(ctx, l)
}
