package cli

import (
	"errors"
	"net"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/sandbox"
)

func (c *command) sandboxCommand() *cobra.Command {
	var addr, keep, dedup string
	var o sandbox.Options
	var public bool
	cmd := &cobra.Command{
		Use:     "sandbox",
		Short:   "Serve a double of Meta's Graph API on loopback, with state, errors and faults",
		GroupID: groupTools,
		Long: "The first line on stdout is `listening on http://HOST:PORT`. Token sandbox-token and dataset\n" +
			"1000000000000001 always exist; GET /_emulator/ lists the world, the routes, every error and how to\n" +
			"provoke faults. State lives in memory.",
		Example: "  sluice sandbox --addr 127.0.0.1:8099\n" +
			"  sluice preview orders.csv -m mapping.yaml --dataset 1000000000000001 --graph-url http://127.0.0.1:8099\n" +
			"  sluice confirm pl_…                            # the plan knows where it belongs\n" +
			"  curl -s 127.0.0.1:8099/_emulator/events?dataset=1000000000000001",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Keep, err = sandbox.ParseKeep(keep); err != nil {
				return fault.New(fault.Usage, "--keep must be all or keys")
			}
			if dedup != "on" && dedup != "off" {
				return fault.New(fault.Usage, "--dedup must be on or off")
			}
			o.NoDedup = dedup == "off"
			if o.Log, err = c.logger(); err != nil {
				return err
			}
			o.Now, o.Exposed = c.Now, public
			l, err := listen(addr, public)
			if err != nil {
				return err
			}
			line(c.Stdout, "listening on http://%s", l.Addr())
			return sandbox.New(o).Serve(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&addr, "addr", "127.0.0.1:0", "address; port 0 picks a free one")
	f.Int64Var(&o.Seed, "seed", 0, "seed of trace ids, for repeatable tests")
	f.StringVar(&keep, "keep", "all", "all events, or only their keys (for millions)")
	f.StringVar(&dedup, "dedup", "on", "off keeps every repeat, so that what a sender does twice shows")
	f.BoolVar(&o.RequireProof, "require-proof", false, "refuse calls without appsecret_proof")
	f.BoolVar(&o.StrictUserAgent, "strict-ua", false, "refuse website events without URL or user agent")
	f.BoolVar(&o.StrictPageID, "strict-page-id", false, "refuse WhatsApp events without page_id (one report says that Meta does)")
	f.BoolVar(&public, "expose", false, "allow an address, hosts and origins that are not loopback (the inspection routes have no password)")
	return cmd
}

// listen opens a socket; anything but loopback has to be asked for.
func listen(addr string, public bool) (net.Listener, error) {
	if !public {
		if err := loopbackOnly("--addr", addr, "use 127.0.0.1, or add --expose if you mean it"); err != nil {
			return nil, err
		}
	}
	return bind("--addr", addr)
}

// loopbackOnly refuses addresses that others can reach.
func loopbackOnly(flag, addr, fix string) *fault.Error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return noAddress(flag)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fault.New(fault.Usage, "%s %s is not a loopback address", flag, addr).WithFix("%s", fix)
	}
	return nil
}

func noAddress(flag string) *fault.Error {
	return fault.New(fault.Usage, "%s must be HOST:PORT", flag).WithFix("for example %s 127.0.0.1:8808; port 0 picks a free one", flag)
}

func bind(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if _, is := errors.AsType[*net.AddrError](err); is {
		return nil, noAddress(flag)
	}
	if err != nil {
		return nil, fault.New(fault.PortUnavailable, "%s can't be listened on", addr).Wrap(err)
	}
	return l, nil
}
