package cli

import (
	"context"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/policytool"
)

// scaffoldFlags are what `policy scaffold` was asked for: a server as `proxy` has it, or
// one of the configuration, or a file.
type scaffoldFlags struct {
	proxyFlags
	server      string
	definitions string
	output      string
}

func (c *command) policyScaffold() *cobra.Command {
	var f scaffoldFlags
	cmd := &cobra.Command{
		Use: "scaffold (--upstream URL | --server NAME | --definitions FILE | -- COMMAND [ARG…])", Short: "Write a first policy for the tools of a server",
		Long: "Asks a server for its tools and writes a policy with a rule for each, by what the tool seems to do:\n\n" +
			"  Read         allowed\n" +
			"  Write        30 calls a minute for each grant\n" +
			"  Execute      10 calls a minute for each grant\n" +
			"  Financial    denied until you write a rule\n" +
			"  Destructive  hidden\n\n" +
			"Tools that are not listed, such as ones the server gets later, are denied. The policy goes to stdout\n" +
			"or --output; why each tool got its rule goes to stderr. Read it before you use it: a server describes\n" +
			"its own tools.",
		Example: "  sluice policy scaffold -o policy.json -- npx -y @modelcontextprotocol/server-everything\n" +
			"  sluice policy scaffold --server crm > policy.json\n" +
			"  sluice policy scaffold --definitions tools.json --json",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			tools, err := c.toolsOf(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			s, err := policytool.Scaffold(tools)
			if err != nil {
				return fault.New(fault.SourceInvalid, "no policy can be written for these tools: %v", err).Wrap(err)
			}
			return c.writeScaffold(s, f.output)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.upstream, "upstream", "", "URL of the MCP server")
	fl.StringVar(&f.server, "server", "", "server of the configuration, or one that was added")
	fl.StringVar(&f.definitions, "definitions", "", "answer of tools/list in a file; - is standard input")
	fl.StringArrayVar(&f.headers, "header", nil, "header for the server, 'Name: value'; ${VARIABLE} is taken from the environment; may be repeated")
	fl.StringArrayVar(&f.env, "env", nil, "variable for the command, NAME (its value here) or NAME=value; may be repeated")
	fl.StringVar(&f.dir, "dir", "", "directory the command runs in (default: this one)")
	fl.StringVar(&f.era, "era", "auto", "era the server speaks: auto, legacy (2025-11-25 and older) or modern (2026-07-28)")
	fl.StringVarP(&f.output, "output", "o", "", "write to this new file instead of stdout")
	return cmd
}

// toolsOf gets the definitions from wherever they are.
func (c *command) toolsOf(ctx context.Context, f scaffoldFlags, args []string) ([]policytool.Tool, error) {
	named := 0
	for _, given := range []bool{f.upstream != "", f.server != "", f.definitions != "", len(args) > 0} {
		if given {
			named++
		}
	}
	if named != 1 {
		return nil, fault.New(fault.Usage, "scaffold needs one place to get tools from, not %d", named).
			WithFix("one of --upstream URL, --server NAME, --definitions FILE, or a command after --")
	}
	if f.definitions != "" {
		return c.readDefinitions(f.definitions)
	}
	log, err := c.logger()
	if err != nil {
		return nil, err
	}
	cfg, err := c.load()
	if err != nil {
		return nil, err
	}
	if _, configured := cfg.MCP.Servers[f.server]; configured {
		return app.ToolsOfServer(ctx, cfg, f.server, log)
	}
	if f.server != "" {
		var tools []policytool.Tool
		err := c.with(ctx, func(a *app.App) (err error) {
			tools, err = a.ToolsOfRecord(ctx, f.server)
			return err
		})
		return tools, err
	}
	spec, err := f.spec(args, c.Env)
	if err != nil {
		return nil, err
	}
	spec.Log, spec.Stderr, spec.Protect = log, c.Stderr, app.ProtectedPaths(cfg)
	if spec.URL != "" {
		headers, err := credential.ParseHeaderFlags(f.headers, cfg.Env)
		if err != nil {
			return nil, err
		}
		spec.Credential, err = app.LocalCredential(cfg, spec.Name, spec.URL, headers, openBrowser(c.Stderr, cfg.Env), log)
		if err != nil {
			return nil, err
		}
		if closer, ok := spec.Credential.(io.Closer); ok {
			defer func() { _ = closer.Close() }()
		}
	}
	return app.Tools(ctx, spec)
}

// readDefinitions reads tools from a file.
func (c *command) readDefinitions(path string) ([]policytool.Tool, error) {
	text, err := c.readFile(path)
	if err != nil {
		return nil, err
	}
	tools, err := policytool.ReadTools(text)
	if err != nil {
		return nil, fault.New(fault.SourceInvalid, "%s holds no definitions of tools: %v", fileName(path), err).
			WithFix(`save the result of tools/list: {"tools": [{"name": …}]}`)
	}
	return tools, nil
}

// scaffoldJSON is the document of `policy scaffold --json`.
type scaffoldJSON struct {
	Document json.RawMessage     `json:"document"`
	Tools    []policytool.Choice `json:"tools"`
	Output   string              `json:"output,omitempty"`
}

func (c *command) writeScaffold(s *policytool.Scaffolded, output string) error {
	pretty := policytool.Pretty(s.Document)
	if output != "" {
		if err := writeNew(output, pretty); err != nil {
			return err
		}
	}
	if c.json {
		return c.print(scaffoldJSON{s.Document, s.Tools, output}, nil)
	}
	if output == "" {
		if _, err := c.Stdout.Write(pretty); err != nil {
			return err
		}
	}
	t := newTable(c.Stderr)
	t.head = []string{"tool", "kind", "rule", "why"}
	review := 0
	for _, choice := range s.Tools {
		why := choice.Why
		if choice.Review {
			review++
			why += " (look at it)"
		}
		_ = t.row(choice.Tool, string(choice.Kind), choice.Rule, why)
	}
	_ = t.flush()
	if len(s.Tools) == 0 {
		line(c.Stderr, "The server has no tools; the policy denies everything.")
	}
	if review > 0 {
		line(c.Stderr, "%s to look at: what their definitions say does not tell what they do.", plural(int64(review), "tool"))
	}
	if output != "" {
		line(c.Stderr, "Written to %s. Try it: sluice policy explain -p %s --tool TOOL", shown(output), shown(output))
	}
	return nil
}
