package cli

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// connectFlags say whose access it is and where the token comes from.
type connectFlags struct {
	profile string
	env     string
	file    string
	command string
	test    string
}

func (c *command) connectCommand() *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:     "connect DATASET",
		Short:   "Check the access to a dataset and store its credential, sealed",
		GroupID: groupAdmin,
		Long: "Checks token, scopes, dataset, upload history and clock, stores the token sealed with the master\n" +
			"key, and pins the Graph API version. From then on a confirm to the dataset needs no token in the\n" +
			"environment. The token comes from --token-env, --token-file or --token-command, never from the\n" +
			"command line; without them the configured one is used and stored.",
		Example: "  sluice connect 1000000000000001 --token-env META_ACCESS_TOKEN\n" +
			"  sluice connect 1000000000000001 --profile north --token-command 'pass show meta/north'\n" +
			"  sluice connect list",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.helpOrFault(cmd, args)
			}
			return c.onDataset(cmd.Context(), args[0], f.profile, func(a *app.App, at writeback.Target) error {
				return c.connectDataset(cmd.Context(), a, at, &f)
			})
		},
	}
	cmd.Flags().StringVar(&f.profile, "profile", tenant.Default, "profile that the connection belongs to")
	cmd.Flags().StringVar(&f.env, "token-env", "", "environment variable that holds the token")
	cmd.Flags().StringVar(&f.file, "token-file", "", "file that holds the token")
	cmd.Flags().StringVar(&f.command, "token-command", "", "command that prints the token, split at spaces")
	cmd.Flags().StringVar(&f.test, "test-dataset", "", "a dataset of yours for dry runs at Meta")
	cmd.MarkFlagsMutuallyExclusive("token-env", "token-file", "token-command")
	cmd.AddCommand(c.connectList(), c.connectCheck(), c.connectRemove(), c.connectAccept())
	return cmd
}

// onDataset opens the state directory for a command about one dataset.
func (c *command) onDataset(ctx context.Context, dataset, profile string, fn func(*app.App, writeback.Target) error) error {
	dataset, err := pickDataset(dataset)
	if err != nil {
		return err
	}
	return c.with(ctx, func(a *app.App) error {
		realm, err := a.Realm()
		if err != nil {
			return err
		}
		return fn(a, writeback.Target{Profile: profile, Realm: realm, Dataset: dataset})
	})
}

func (c *command) connectDataset(ctx context.Context, a *app.App, at writeback.Target, f *connectFlags) error {
	test := f.test
	if test != "" {
		var err error
		if test, err = pickDataset(test); err != nil {
			return err
		}
		if test == at.Dataset {
			return fault.New(fault.Usage, "the test dataset must be another one")
		}
	}
	token, err := c.tokenOf(ctx, a, f)
	if err != nil {
		return err
	}
	to, err := a.Client(ctx, at, token)
	if err != nil {
		return err
	}
	r, err := a.Writeback.In(at.Profile).Connect(ctx, writeback.ConnectRequest{At: at, To: to, Credential: token, TestDataset: test})
	return c.showConnection(r, err)
}

// maxToken bounds what is read as a token.
const maxToken = 64 << 10

// tokenOf finds the token that is to be stored: what a flag names, else the
// configured one. A sandbox's own token is not stored.
func (c *command) tokenOf(ctx context.Context, a *app.App, f *connectFlags) (token string, err error) {
	switch {
	case f.env != "":
		token = a.Config.Env(f.env)
	case f.file != "":
		in, err := os.Open(f.file)
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token file %s can't be read", f.file).Wrap(err)
		}
		defer func() { _ = in.Close() }()
		text, err := io.ReadAll(io.LimitReader(in, maxToken))
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token file %s can't be read", f.file).Wrap(err)
		}
		token = string(text)
	case f.command != "":
		args := strings.Fields(f.command)
		if len(args) == 0 {
			return "", fault.New(fault.Usage, "--token-command is empty")
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
		if err != nil {
			return "", fault.New(fault.AuthRequired, "the token command %s failed", args[0]).Wrap(err)
		}
		token = string(out)
	default:
		if token, err = a.Config.AccessToken(ctx); err != nil {
			return "", nil // the connection's own, or a sandbox's; Client says when there is none
		}
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", fault.New(fault.AuthRequired, "no token is where the flag says")
	}
	return token, nil
}

// showConnection prints a checked connection; one that can't send is a failure.
func (c *command) showConnection(r *writeback.ConnectionReport, err error) error {
	if err != nil {
		return err
	}
	if err := c.print(r, func(w io.Writer) { c.writeConnection(w, r) }); err != nil {
		return err
	}
	if r.State == tenant.ConnActive {
		return nil
	}
	code := fault.ConnectionInactive
	if f := r.Failed(); f != nil && f.Check == "token" {
		code = fault.ConnectorExpired
	}
	return reported{fault.New(code, "the connection to dataset %s is inactive: %s", r.Dataset, r.Reason)}
}

func (c *command) writeConnection(w io.Writer, r *writeback.ConnectionReport) {
	state := c.good(r.State)
	if r.State != tenant.ConnActive {
		state = c.bad(r.State)
	}
	line(w, "%s  dataset %s %s  profile %s", state, r.Dataset, shown(r.Name), r.Profile)
	for _, f := range r.Checks {
		mark := c.good("ok     ")
		switch f.State {
		case writeback.CheckWarning:
			mark = c.notice("warning")
		case writeback.CheckFailed:
			mark = c.bad("failed ")
		}
		line(w, "  %s %-12s %s", mark, f.Check, shown(f.Text))
	}
}

func (c *command) connectList() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "list", Short: "List the connections", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				list, err := a.Writeback.In(profile).Connections(cmd.Context(), profile == "")
				if err != nil {
					return err
				}
				if list == nil {
					list = []tenant.Connection{}
				}
				if c.json {
					return c.print(list, nil)
				}
				if len(list) == 0 {
					line(c.Stdout, "No dataset is connected: confirms use the token of the environment.")
					return nil
				}
				t := newTable(c.Stdout)
				t.head = []string{"dataset", "profile", "state", "version", "credential", "checked", "reason"}
				for i := range list {
					n := &list[i]
					credential, checked := "environment", "never"
					if len(n.Credential) > 0 {
						credential = "sealed"
					}
					if !n.CheckedAt.IsZero() {
						checked = stamp(n.CheckedAt)
					}
					if err := t.row(n.Dataset, n.Profile, n.State, n.GraphVersion, credential, checked, n.Reason); err != nil {
						return err
					}
				}
				return t.flush()
			})
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "only this profile's")
	return cmd
}

func (c *command) connectCheck() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "check DATASET", Short: "Check a connection again; a failed check makes it inactive", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.onDataset(cmd.Context(), args[0], profile, func(a *app.App, at writeback.Target) error {
				known, err := a.Writeback.Connection(cmd.Context(), at)
				if err != nil {
					return err
				}
				if known == nil {
					return fault.New(fault.NotFound, "profile %s has no connection to dataset %s", at.Profile, at.Dataset).
						WithFix("make it: `sluice connect %s`", at.Dataset)
				}
				to, err := a.Client(cmd.Context(), at, "")
				if err != nil {
					return err
				}
				r, err := a.Writeback.In(at.Profile).Connect(cmd.Context(), writeback.ConnectRequest{At: at, To: to})
				return c.showConnection(r, err)
			})
		},
	}
	cmd.Flags().StringVar(&profile, "profile", tenant.Default, "profile that the connection belongs to")
	return cmd
}

func (c *command) connectRemove() *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use: "remove DATASET", Short: "Forget a connection and its credential", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.onDataset(cmd.Context(), args[0], profile, func(a *app.App, at writeback.Target) error {
				if err := a.Writeback.In(at.Profile).Disconnect(cmd.Context(), at); err != nil {
					return err
				}
				return c.print(map[string]string{"removed": at.Dataset, "profile": at.Profile}, func(w io.Writer) {
					line(w, "Removed. Confirms to dataset %s use the token of the environment again.", at.Dataset)
				})
			})
		},
	}
	cmd.Flags().StringVar(&profile, "profile", tenant.Default, "profile that the connection belongs to")
	return cmd
}

func (c *command) connectAccept() *cobra.Command {
	var profile, reason string
	cmd := &cobra.Command{
		Use: "accept-store DATASET STORE --reason TEXT", Short: "Accept the uploads of another ledger to a dataset", Args: cobra.ExactArgs(2),
		Long: "A dataset whose upload history shows a ledger that this one does not know refuses confirms\n" +
			"(ledger_forked). STORE is that ledger's id, or `self` for uploads of this ledger that a restored\n" +
			"backup does not hold: record them with `sluice adopt` first.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.onDataset(cmd.Context(), args[0], profile, func(a *app.App, at writeback.Target) error {
				to, err := a.Client(cmd.Context(), at, "")
				if err != nil {
					return err
				}
				accepted, err := a.Writeback.In(at.Profile).AcceptStore(cmd.Context(), to, at, args[1], reason)
				if err != nil {
					return err
				}
				return c.print(map[string]any{"dataset": at.Dataset, "profile": at.Profile, "accepted": accepted}, func(w io.Writer) {
					line(w, "Accepted for dataset %s: %s", at.Dataset, shown(strings.Join(accepted, ", ")))
				})
			})
		},
	}
	cmd.Flags().StringVar(&profile, "profile", tenant.Default, "profile that the connection belongs to")
	cmd.Flags().StringVar(&reason, "reason", "", "why; kept in the audit log")
	return cmd
}
