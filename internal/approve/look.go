package approve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/fault"
)

// Filter chooses calls that wait, or waited; zero fields choose all.
type Filter struct {
	Server, Grant, Tool string
	State               enforce.State
	Limit               int
}

// List returns them, newest first, without argument values.
func (s *Service) List(ctx context.Context, f Filter) ([]Item, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	found, err := s.o.Store.Approvals(ctx, enforce.ApprovalFilter{
		Workspace: s.workspace(), Server: f.Server, Grant: f.Grant, Tool: f.Tool, State: f.State, Limit: f.Limit,
	})
	if err != nil {
		return nil, failed(err, "")
	}
	list := make([]Item, 0, len(found))
	places := map[string]Place{}
	for i := range found {
		a := &found[i]
		at, known := places[a.Workspace+"\x00"+a.Server]
		if !known {
			at = s.place(ctx, a.Workspace, a.Server)
			places[a.Workspace+"\x00"+a.Server] = at
		}
		// What ended in the last second is still stored as it was.
		if item := s.item(ctx, a, at); f.State == "" || item.State == string(f.State) {
			list = append(list, item)
		}
	}
	return list, nil
}

// get returns an approval of the caller's workspace.
func (s *Service) get(ctx context.Context, id string) (*enforce.Approval, error) {
	a, err := s.o.Store.Approval(ctx, id)
	if err == nil && !s.sees(a.Workspace) {
		err = enforce.ErrNotFound
	}
	if err != nil {
		return nil, failed(err, id)
	}
	return a, nil
}

// Show returns one approval. Those who may decide it see its arguments, how they differ
// from those of the last approved call, and how much room its limits have.
func (s *Service) Show(ctx context.Context, id string) (*Item, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	a, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	at := s.place(ctx, a.Workspace, a.Server)
	item := s.item(ctx, a, at)
	if item.State == string(enforce.Pending) && a.FourEyes {
		alone, err := s.alone(ctx, a, at)
		if err != nil {
			return nil, err
		}
		item.FourEyes = !alone
	}
	if s.o.Risk != nil {
		item.Risk = s.o.Risk(ctx, a.Server, a.Tool)
	}
	switch {
	case !s.eligible(a):
		item.Withheld = "role"
		return &item, nil
	case a.State.Terminal() || item.State == string(enforce.Expired):
		item.Withheld = "over"
		return &item, nil
	}
	args, ok := open(s.o.Open, a.Arguments)
	if !ok {
		item.Withheld = "unreadable"
		return &item, nil
	}
	item.Arguments = args
	if item.Compared, err = s.compare(ctx, a, args); err != nil {
		return nil, err
	}
	item.Limits = s.headroom(ctx, a, args)
	return &item, nil
}

// headroom tells what the limits of the call have left. It informs; what can't be told
// is left out, and Reserve decides when the call comes.
func (s *Service) headroom(ctx context.Context, a *enforce.Approval, args []byte) []Headroom {
	if s.o.Charges == nil {
		return nil
	}
	charges, err := s.o.Charges(ctx, a, args)
	if err != nil || len(charges) == 0 {
		return nil
	}
	used, err := s.o.Store.Usage(ctx, charges)
	if err != nil || len(used) != len(charges) {
		return nil
	}
	var list []Headroom
	for i, c := range charges {
		if c.After {
			continue
		}
		list = append(list, Headroom{
			Rule: c.Rule, Needs: decimal(c.Amount), Used: decimal(used[i]), Max: decimal(c.Max), Fits: used[i] <= c.Max && c.Amount <= c.Max-used[i],
		})
	}
	return list
}

// decimal writes millionths.
func decimal(n int64) string {
	text := strconv.FormatInt(n/1_000_000, 10)
	if part := n % 1_000_000; part != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%06d", max(part, -part)), "0")
	}
	return text
}

// Stub is what may be told to somebody who shows nothing but the id.
type Stub struct {
	ID, Tool string
	State    enforce.State
	Expires  time.Time
}

// Stub returns it.
func (s *Service) Stub(ctx context.Context, id string) (*Stub, error) {
	if !strings.HasPrefix(id, Prefix) {
		return nil, failed(enforce.ErrNotFound, id)
	}
	a, err := s.o.Store.Approval(ctx, id)
	if err != nil {
		return nil, failed(err, id)
	}
	state := a.State
	if !state.Terminal() && !s.o.Now().Before(a.ExpiresAt) {
		state = enforce.Expired
	}
	return &Stub{a.ID, a.Tool, state, a.ExpiresAt}, nil
}

// Waiting is everything that is pending, and the version of that list.
type Waiting struct {
	Version string `json:"version" doc:"of the list; pass it to be answered when it changes"`
	Items   []Item `json:"items"`
}

// watchEvery is how often a watch looks.
const watchEvery = 500 * time.Millisecond

// Watch returns what is pending as soon as that is not what version says, at the latest
// after wait. An empty version is answered at once.
func (s *Service) Watch(ctx context.Context, version string, wait time.Duration) (Waiting, error) {
	if wait < 0 || wait > maxWatch {
		return Waiting{}, fault.New(fault.Usage, "the parameter wait is 0 to %d seconds", int(maxWatch/time.Second))
	}
	for {
		list, err := s.List(ctx, Filter{State: enforce.Pending, Limit: maxWaiting})
		if err != nil {
			return Waiting{}, err
		}
		sum := sha256.New()
		for i := range list {
			_, _ = fmt.Fprintf(sum, "%s %t\n", list[i].ID, list[i].Escalated) // a hash takes everything
		}
		w := Waiting{hex.EncodeToString(sum.Sum(nil)[:12]), list}
		if w.Version != version || wait <= 0 {
			return w, nil
		}
		step := min(wait, watchEvery)
		if err := s.o.Sleep(ctx, step); err != nil {
			return Waiting{}, err
		}
		wait -= step
	}
}

const (
	maxWatch   = 55 * time.Second
	maxWaiting = 1000
)
