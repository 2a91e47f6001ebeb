package app

import (
	"cmp"
	"context"

	"sluice/internal/graph"
	"sluice/internal/sandbox"
	"sluice/internal/writeback"
)

// connect returns a client for the target of a plan, with the credential and the
// version of its connection when there is one. A Graph URL that was configured wins,
// so that a difference is noticed and not papered over.
func (a *App) connect(ctx context.Context, to writeback.Target) (writeback.Destination, error) {
	return a.Client(ctx, to, "")
}

// Client returns a client for a target. token wins over the connection's credential,
// and that over the environment's.
func (a *App) Client(ctx context.Context, to writeback.Target, token string) (*graph.Client, error) {
	o := graph.Options{
		Base: cmp.Or(a.Config.GraphURL, graph.RealmBase(to.Realm)), Version: a.Config.GraphVersion, AppSecret: a.Config.AppSecret(), Token: token,
	}
	conn, err := a.Writeback.Connection(ctx, to)
	if err != nil {
		return nil, err
	}
	if conn != nil {
		o.Version = cmp.Or(o.Version, conn.GraphVersion)
		if o.Token == "" {
			if o.Token, err = a.Writeback.Credential(conn); err != nil {
				return nil, err
			}
		}
	}
	if o.Token == "" {
		if o.Token, err = a.environment(ctx, o); err != nil {
			return nil, err
		}
	}
	return graph.New(o)
}

// environment is the configured token. A sandbox on loopback needs none of its own:
// its documented one is used.
func (a *App) environment(ctx context.Context, o graph.Options) (string, error) {
	token, err := a.Config.AccessToken(ctx)
	if err == nil {
		return token, nil
	}
	probe, bad := graph.New(o)
	if bad != nil {
		return "", bad
	}
	if probe.Remote() {
		return "", err
	}
	return sandbox.Token, nil
}
