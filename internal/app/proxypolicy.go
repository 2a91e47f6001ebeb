package app

import (
	"context"
	"log/slog"
	"time"

	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/registry"
)

// ProxyPolicy is how a relay without accounts decides.
type ProxyPolicy struct {
	File      string
	Observe   bool
	PowerLoss bool
	Settings  registry.Settings
}

// Decide puts a policy in front of a relay's upstream. end closes what that keeps; it
// is to be called when the relay has ended.
func (s *UpstreamSpec) Decide(ctx context.Context, c *config.Config, p ProxyPolicy, log *slog.Logger) (end func() error, err error) {
	mode := registry.Enforce
	if p.Observe {
		mode = registry.Observe
	}
	if err := registry.CheckSettings(p.Settings); err != nil {
		return nil, err
	}
	file, err := OpenPolicyFile(p.File, s.Name, mode, p.Settings, log)
	if err != nil {
		return nil, err
	}
	guard, err := OpenGuard(ctx, c, GuardOptions{PowerLoss: p.PowerLoss, Log: log})
	if err != nil {
		return nil, err
	}
	s.Wrap = pipeline.New(pipeline.Options{
		Directory: file, Store: guard.Store, Keys: guard.Keys, Server: s.Name, Log: log,
		Link: func(id string) string { return "sluice approvals approve " + id },
	}).Wrap
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		file.Follow(following)
	}()
	housekeeping := make(chan struct{})
	go func() {
		defer close(housekeeping)
		keepApprovals(following, guard.Store, log)
	}()
	return func() error {
		stop()
		<-ended
		<-housekeeping
		return guard.Close()
	}, nil
}

// approvalRound is how often approvals are looked through: silence denies in time, since
// whoever asks for one looks at its time as well.
const approvalRound = 5 * time.Second

// leftToServers is how long after its end an approval is left to a server that shares the
// state directory: each is handed to one process only, and a server tells people.
const leftToServers = time.Minute

// keepApprovals ends approvals whose time is over, where no server is there to do it.
func keepApprovals(ctx context.Context, store enforce.Store, log *slog.Logger) {
	for rest(ctx, approvalRound) == nil {
		left, err := leftOver(ctx, store)
		if err == nil && left {
			_, err = store.Expire(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.Debug("approvals could not be expired", "error", err)
		}
	}
}

func leftOver(ctx context.Context, store enforce.Store) (bool, error) {
	for _, state := range []enforce.State{enforce.Pending, enforce.Approved} {
		list, err := store.Approvals(ctx, enforce.ApprovalFilter{State: state, Limit: 1000})
		if err != nil {
			return false, err
		}
		for i := range list {
			if time.Since(list[i].ExpiresAt) > leftToServers {
				return true, nil
			}
		}
	}
	return false, nil
}
