package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/capi"
	"sluice/internal/app"
	"sluice/internal/approve"
	"sluice/internal/writeback"
)

// plansOffered is how many plans a shell is offered.
const plansOffered = 20

// fixedValues are the flags whose values are a short list, by name.
func fixedValues() map[string][]string {
	var fields, events []string
	for _, f := range capi.Fields() {
		fields = append(fields, f.String())
	}
	for _, e := range capi.StandardEvents() {
		events = append(events, e.Name)
	}
	return map[string][]string{
		"era":       {"auto", "legacy", "modern"},
		"event":     events,
		"field":     fields,
		"format":    {"table", "csv", "jsonl"},
		"keep":      {"all", "keys"},
		"as":        {writeback.AsDelivered, writeback.AsResend, writeback.AsRejected},
		"level":     levels(),
		"mode":      {"enforce", "observe"},
		"decision":  approve.Decisions,
		"log-level": {"debug", "info", "warn", "error"},
		"progress":  {"auto", "plain", "json", "off"},
		"source":    actionSources(),

		"durability":       {"process", "power_loss"},
		"list":             {"visible", "callable"},
		"record-arguments": {"off", "encrypted"},

		"role":       {"owner", "admin", "operator", "viewer"},
		"scheme":     {"sluice", "standard", "stripe", "shopify"},
		"scope":      {"server", "grant"},
		"scopes":     {"mcp:read", "mcp:read,mcp:write"},
		"write-back": {"on", "off"},
	}
}

func levels() []string {
	out := make([]string, len(writeback.Levels))
	for i, l := range writeback.Levels {
		out[i] = string(l)
	}
	return out
}

// fileFlags are the flags that name any file.
var fileFlags = []string{"output", "check", "file", "checkpoints", "token-file", "secret-file", "policy", "policy-file", "definitions", "tools", "arguments", "tokens"}

// completions tells the shell what can follow: plan ids after the commands that take
// one, the values of flags that have few, and files where only one kind fits.
func (c *command) completions(root *cobra.Command) {
	values := fixedValues()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		register := func(f *pflag.Flag) {
			complete := cobra.NoFileCompletions
			switch list, ok := values[f.Name]; {
			case ok:
				complete = cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
			case f.Name == "mapping" || f.Name == "config":
				complete = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
			case f.Name == "state-dir":
				complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
			case slices.Contains(fileFlags, f.Name):
				return // any file
			}
			// The one error is a second registration of a flag, and each is met once.
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
		}
		cmd.LocalNonPersistentFlags().VisitAll(register)
		cmd.PersistentFlags().VisitAll(register)
		switch cmd.Name() {
		case "confirm", "dry-run", "rejects", "events", "resolve", "cancel":
			cmd.ValidArgsFunction = c.completePlans
		case "normalize", "payload", "runs", "sandbox", "demo", "version", "serve", "openapi":
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
		if cmd.Parent() != nil && cmd.Parent().Name() == "server" {
			cmd.ValidArgsFunction = c.completeServers
		}
		if offers := c.governedArguments(cmd); offers != nil {
			cmd.ValidArgsFunction = offers
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// completeServers offers the configured servers that are not named yet; `check` takes
// several, the others one, `list` none.
func (c *command) completeServers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	several := cmd.Name() == "check"
	if cmd.Name() == "list" || !several && len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cfg, err := c.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offers []cobra.Completion
	for _, name := range cfg.MCP.Names() {
		if !slices.Contains(args, name) {
			offers = append(offers, name)
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp
}

// completePlans offers the newest plans. It never makes a state directory and never
// says why it has nothing to offer: what it prints lands in somebody's shell.
func (c *command) completePlans(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cfg, err := c.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if _, err := os.Stat(filepath.Join(cfg.StateDir, ledgerFile)); cfg.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offers []cobra.Completion
	err = c.with(cmd.Context(), func(a *app.App) error {
		rows, err := runsOf(cmd.Context(), a, plansOffered)
		for i := range rows {
			offers = append(offers, cobra.CompletionWithDesc(rows[i].PlanID,
				rows[i].State+", "+plural(int64(rows[i].Planned), "event")+", "+stamp(rows[i].CreatedAt)))
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
