package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/registry"
)

// policyAdminCommands work on the policies in force: list, show, set, diff, versions,
// rollback, mode, remove.
func (c *command) policyAdminCommands() []*cobra.Command {
	return []*cobra.Command{
		c.policyListCommand(), c.policyShowCommand(), c.policySetCommand(), c.policyDiffCommand(), c.policyVersionsCommand(),
		c.policyRollbackCommand(), c.policyModeCommand(), c.policyRemoveCommand(),
	}
}

// twoNames is what most of these take.
var twoNames = arguments(2, 2, "a server and a policy of it")

func (c *command) policyListCommand() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "list [SERVER]", Short: "List the policies in force", Args: arguments(0, 1, "a server, or nothing for all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server := strings.Join(args, "")
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				all, err := s.Policies(cmd.Context(), server)
				if err != nil {
					return err
				}
				return c.print(all, func(w io.Writer) { writePolicies(w, all) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}

func writePolicies(w io.Writer, all []govern.PolicyView) {
	if len(all) == 0 {
		line(w, "No policies. Make one: sluice policy set SERVER NAME policy.json")
		return
	}
	t := newTable(w)
	t.head = []string{"policy", "version", "mode", "grants", "changed", "owned by"}
	for i := range all {
		p := &all[i]
		grants := strings.Join(p.Grants, ", ")
		if p.Whole {
			grants = strings.TrimPrefix(grants+", every call", ", ")
		}
		_ = t.row(p.ServerName+"/"+p.Name, strconv.Itoa(p.Version), string(p.Mode), dash(grants), stamp(p.UpdatedAt), dash(p.ManagedBy))
	}
	_ = t.flush()
}

func (c *command) policyShowCommand() *cobra.Command {
	var workspace string
	var version int
	cmd := &cobra.Command{
		Use: "show SERVER POLICY", Short: "Print the document in force, or of a version", Args: twoNames,
		Long: "Prints the document alone, so that it can be edited and set again; with --json, all that is known of it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				if version > 0 {
					v, err := s.Version(cmd.Context(), args[0], args[1], version)
					if err != nil {
						return err
					}
					return c.print(v, func(w io.Writer) { writeDocument(w, v.Document) })
				}
				p, err := s.Policy(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return c.print(p, func(w io.Writer) { writeDocument(w, p.Document) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().IntVar(&version, "version", 0, "of an earlier version")
	return cmd
}

// writeDocument prints a document as people read it. Its numbers stay as they are.
func writeDocument(w io.Writer, raw json.RawMessage) {
	text, err := json.MarshalIndent(raw, "", "  ")
	if err != nil {
		text = raw
	}
	line(w, "%s", text)
}

// changeFlags are those of every command that changes a policy.
type changeFlags struct {
	workspace, confirm, reason string
}

func (f *changeFlags) add(cmd *cobra.Command) {
	addWorkspaceFlag(cmd, &f.workspace)
	cmd.Flags().StringVar(&f.confirm, "confirm", "", "hash that the preview showed; without it, the change is previewed and, on a terminal, asked for")
	cmd.Flags().StringVar(&f.reason, "reason", "", "goes into the audit log")
}

func (c *command) policySetCommand() *cobra.Command {
	var flags changeFlags
	var mode string
	cmd := &cobra.Command{
		Use: "set SERVER POLICY FILE", Short: "Make a policy, or a new version of it: preview, then --confirm", Args: arguments(3, 3, "a server, a policy and a policy.json (- for stdin)"),
		Long: "Shows rule by rule what changes, whose calls it is about and what would have become of recorded\n" +
			"calls, and a hash. With --confirm HASH the very same change is made, or refused when something\n" +
			"moved since. It is in force for the next call.",
		Example: "  sluice policy set crm agents policy.json\n" +
			"  sluice policy set crm agents policy.json --confirm 5f1c… --reason 'higher cap, see TICKET-7'",
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := c.readDocument(args[2])
			if err != nil {
				return err
			}
			return c.changePolicy(cmd.Context(), &flags, govern.PolicyChange{Server: args[0], Name: args[1], Document: raw, Mode: registry.Mode(mode)})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&mode, "mode", "", "enforce, or observe: calls pass, and what would have been denied is recorded (default: as it is; enforce for a new one)")
	return cmd
}

// maxDocument is beyond what a policy may have, so that its own check names the fault.
const maxDocument = 1 << 20

func (c *command) readDocument(path string) (json.RawMessage, error) {
	in := c.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fault.New(fault.SourceUnavailable, "the policy %s can't be read", path).Wrap(err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDocument))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "the policy %s can't be read", path).Wrap(err)
	}
	if len(raw) == 0 {
		return nil, fault.New(fault.PolicyInvalid, "the policy %s is empty", path).WithFix("`sluice policy scaffold` writes a first one")
	}
	return raw, nil
}

// changePolicy previews, asks where somebody can be asked, and makes the change.
func (c *command) changePolicy(ctx context.Context, flags *changeFlags, change govern.PolicyChange) error {
	return c.governed(ctx, flags.workspace, func(s *govern.Service) error {
		confirm := flags.confirm
		if confirm == "" {
			v, err := s.PreviewPolicy(ctx, change)
			if err != nil {
				return err
			}
			ask := c.interactive() && !c.json && v.Confirm != ""
			if err := c.print(v, func(w io.Writer) { c.writePolicyPreview(w, v, ask) }); err != nil {
				return err
			}
			switch {
			case v.Hash == "":
				return reported{fault.New(fault.PolicyInvalid, "the document can't be used").WithFix("mend what is listed above; `sluice policy validate FILE` shows each place")}
			case !ask:
				return nil
			}
			if ok, err := c.ask(ctx, "\nMake this change? [y/N] "); err != nil || !ok {
				return err
			}
			confirm = v.Confirm
		}
		p, err := s.SetPolicy(ctx, change, confirm, flags.reason)
		if err != nil {
			return err
		}
		return c.print(p, func(w io.Writer) {
			line(w, "%s is at version %d, mode %s, and in force.", p.ServerName+"/"+p.Name, p.Version, p.Mode)
		})
	})
}

func (c *command) writePolicyPreview(w io.Writer, v *govern.PolicyPreview, asked bool) {
	title := fmt.Sprintf("version %d → %d", v.Version, v.Next)
	switch {
	case v.New:
		title = "new"
	case v.Version == v.Next:
		title = fmt.Sprintf("version %d", v.Version)
	}
	if !v.New && v.Mode != v.OldMode {
		title += fmt.Sprintf(", mode %s → %s", v.OldMode, v.Mode)
	} else {
		title += ", mode " + string(v.Mode)
	}
	line(w, "%s  %s", c.bold(v.Server+"/"+v.Name), title)
	for _, f := range v.Faults {
		line(w, "  %s %s: %s", f.Code, shown(cmp.Or(f.Pointer, "(the whole)")), shown(f.Message))
		if f.Fix != "" {
			line(w, "    fix: %s", shown(f.Fix))
		}
	}
	if v.Hash == "" {
		return
	}
	if v.Unchanged {
		line(w, "  Nothing would change.")
		return
	}
	c.writeDifferences(w, v.Differences)
	if !v.New {
		names := strings.Join(v.Grants, ", ")
		line(w, "  It judges the calls of %s%s", plural(int64(len(v.Grants)), "grant"), map[bool]string{true: ".", false: ": " + shown(names) + "."}[names == ""])
	}
	c.writeReplayed(w, v.Replay)
	if !asked {
		line(w, "\nMake the change: the same command with --confirm %s", v.Confirm)
	}
}

// writeReplayed says what would have become of recorded calls.
func (c *command) writeReplayed(w io.Writer, r *govern.Replayed) {
	if r == nil {
		return
	}
	if r.Calls == 0 {
		line(w, "  No calls were recorded that it could be tried on.")
		return
	}
	line(w, "  Of %s since %s: %s of %s would have ended otherwise.", plural(int64(r.Calls), "recorded call"), stamp(r.Since),
		thousands(r.Changed), plural(int64(r.Grants), "grant"))
	for _, m := range r.Changes {
		line(w, "    %s  %s → %s  %s", shown(m.Tool), m.From, m.To, thousands(m.Calls))
	}
	if r.CannotTell > 0 {
		line(w, "    of %s nobody can tell: their arguments were not recorded", thousands(r.CannotTell))
	}
}

// longestRule bounds a rule on one line of a screen.
const longestRule = 160

func (c *command) writeDifferences(w io.Writer, all []govern.Difference) {
	text := func(raw json.RawMessage) string {
		s := shown(string(raw))
		if r := []rune(s); len(r) > longestRule {
			s = string(r[:longestRule-1]) + "…"
		}
		return s
	}
	for _, d := range all {
		switch {
		case d.Before == nil && d.After == nil:
			line(w, "  %s", c.notice("~ only the order of names, limits or tools"))
		case d.Before == nil:
			line(w, "  %s", c.good("+ "+shown(d.Place)+"  "+text(d.After)))
		case d.After == nil:
			line(w, "  %s", c.bad("- "+shown(d.Place)+"  "+text(d.Before)))
		default:
			line(w, "  %s", c.notice("~ "+shown(d.Place)))
			line(w, "      %s", text(d.Before))
			line(w, "    → %s", text(d.After))
		}
	}
}

func (c *command) policyDiffCommand() *cobra.Command {
	var workspace string
	var from, to int
	cmd := &cobra.Command{
		Use: "diff SERVER POLICY", Short: "What differs between two versions", Args: twoNames,
		Long: "Without flags, between the version in force and the one before it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if from < 0 || to < 0 {
				return fault.New(fault.Usage, "--from and --to are numbers of versions")
			}
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				d, err := s.Compare(cmd.Context(), args[0], args[1], from, to)
				if err != nil {
					return err
				}
				return c.print(d, func(w io.Writer) {
					line(w, "version %d → %d", d.From, d.To)
					if len(d.Differences) == 0 {
						line(w, "  Nothing differs.")
					}
					c.writeDifferences(w, d.Differences)
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	cmd.Flags().IntVar(&from, "from", 0, "version (default: the one before --to)")
	cmd.Flags().IntVar(&to, "to", 0, "version (default: the one in force)")
	return cmd
}

func (c *command) policyVersionsCommand() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "versions SERVER POLICY", Short: "Who changed a policy when and why", Args: twoNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				all, err := s.Versions(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return c.print(all, func(w io.Writer) {
					t := newTable(w)
					t.head = []string{"version", "when", "by", "via", "hash", "reason"}
					for i := range all {
						v := &all[i]
						reason := v.Reason
						if v.Of > 0 {
							reason = strings.TrimSuffix(fmt.Sprintf("back to version %d: %s", v.Of, reason), ": ")
						}
						_ = t.row(strconv.Itoa(v.Version), stamp(v.CreatedAt), dash(v.Author), v.Via, v.Hash[:min(12, len(v.Hash))], reason)
					}
					_ = t.flush()
				})
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}

func (c *command) policyRollbackCommand() *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use: "rollback SERVER POLICY VERSION", Short: "A new version with the document of an old one", Args: arguments(3, 3, "a server, a policy and a version"),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.Atoi(args[2])
			if err != nil || version < 1 {
				return fault.New(fault.Usage, "the version is a number from 1 on").WithFix("see `sluice policy versions %s %s`", args[0], args[1])
			}
			return c.changePolicy(cmd.Context(), &flags, govern.PolicyChange{Server: args[0], Name: args[1], Rollback: version})
		},
	}
	flags.add(cmd)
	return cmd
}

func (c *command) policyModeCommand() *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use: "mode SERVER POLICY enforce|observe", Short: "Let a policy decide, or only watch", Args: arguments(3, 3, "a server, a policy and enforce or observe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.changePolicy(cmd.Context(), &flags, govern.PolicyChange{Server: args[0], Name: args[1], Mode: registry.Mode(args[2])})
		},
	}
	flags.add(cmd)
	return cmd
}

func (c *command) policyRemoveCommand() *cobra.Command {
	var workspace string
	cmd := &cobra.Command{
		Use: "remove SERVER POLICY", Short: "Remove a policy that no grant has", Args: twoNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.governed(cmd.Context(), workspace, func(s *govern.Service) error {
				p, err := s.RemovePolicy(cmd.Context(), args[0], args[1])
				if err != nil {
					return err
				}
				return c.print(p, func(w io.Writer) { line(w, "Removed policy %s (%s).", p.Name, p.ID) })
			})
		},
	}
	addWorkspaceFlag(cmd, &workspace)
	return cmd
}
