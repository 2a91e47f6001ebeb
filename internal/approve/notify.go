package approve

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/registry"
)

// What people are told of.
const (
	Parked    = "parked"
	Escalated = "escalated"
	Decided   = "decided" // and expired, and cancelled by silence: the state says which
)

// Events lists them.
var Events = []string{Parked, Escalated, Decided}

// Notice is what a webhook or program gets: enough to know what is asked for and where
// to decide, and nothing of what the call holds.
type Notice struct {
	Event         string    `json:"event"`
	Approval      string    `json:"approval_id"`
	State         string    `json:"state"`
	Workspace     string    `json:"workspace"`
	Server        string    `json:"server"`
	Grant         string    `json:"grant"`
	Tool          string    `json:"tool"`
	Rule          string    `json:"rule"`
	Message       string    `json:"message"`
	Policy        string    `json:"policy,omitempty"`
	PolicyVersion int       `json:"policy_version,omitempty"`
	Approvers     []string  `json:"approvers,omitempty"`
	Decider       string    `json:"decider,omitempty"`
	CreatedAt     time.Time `json:"created_at"`
	ExpiresAt     time.Time `json:"expires_at"`
	Link          string    `json:"link,omitempty"`
	Command       string    `json:"command,omitempty"`
}

const (
	maxQueue    = 1000 // events that wait to be looked at
	maxUnder    = 64   // deliveries under way, those that wait for another try included
	deliverTime = 15 * time.Second
)

// backoff is how long to wait before each further try.
var backoff = []time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 3 * time.Minute}

type event struct {
	name     string
	approval enforce.Approval
}

// queue holds what people have to be told.
type queue struct {
	o      Options
	events chan event
	slots  chan struct{}
	under  sync.WaitGroup
}

func newQueue(o Options) *queue {
	return &queue{o: o, events: make(chan event, maxQueue), slots: make(chan struct{}, maxUnder)}
}

// Notify tells people of an approval, soon: it does not block. What the queue has no
// room for is dropped and logged; the list has it all the same.
func (s *Service) Notify(name string, a *enforce.Approval) {
	e := event{name, *a}
	e.approval.Arguments = nil
	select {
	case s.queue.events <- e:
	default:
		s.o.Log.Warn("a notification was dropped: too many wait", "event", name, "approval", a.ID)
	}
}

// deliver takes events off the queue until the context ends, and returns once nothing is
// under way any more.
func (s *Service) deliver(ctx context.Context) {
	defer s.queue.under.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.queue.events:
			notice, targets := s.targets(ctx, e)
			for _, t := range targets {
				select {
				case s.queue.slots <- struct{}{}:
				default:
					s.o.Log.Warn("a notification was dropped: too many are under way", "event", e.name, "approval", e.approval.ID)
					continue
				}
				s.queue.under.Go(func() {
					defer func() { <-s.queue.slots }()
					s.persist(ctx, t, notice)
				})
			}
		}
	}
}

// persist tries until it is delivered, there are no tries left, or the wait is over
// anyway.
func (s *Service) persist(ctx context.Context, t registry.Notify, n Notice) {
	for try := 0; ; try++ {
		err := s.send(ctx, t, n)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.o.Log.Warn("a notification was not delivered", "event", n.Event, "approval", n.Approval, "try", try+1, "error", err)
		var final *finalError
		if errors.As(err, &final) || try == len(backoff) || n.Event != Decided && !s.o.Now().Before(n.ExpiresAt) {
			return
		}
		if s.o.Sleep(ctx, backoff[try]) != nil {
			return
		}
	}
}

// Flush delivers what is queued, each once, for a process that ends soon.
func (s *Service) Flush(ctx context.Context) error {
	var failures []error
	for {
		select {
		case e := <-s.queue.events:
			notice, targets := s.targets(ctx, e)
			for _, t := range targets {
				failures = append(failures, s.send(ctx, t, notice))
			}
		default:
			return errors.Join(failures...)
		}
	}
}

// targets is what to say of an event, and to whom.
func (s *Service) targets(ctx context.Context, e event) (Notice, []registry.Notify) {
	a := &e.approval
	at := s.place(ctx, a.Workspace, a.Server)
	grant := a.GrantName
	if grant == "" {
		grant = a.Grant
	}
	n := Notice{
		Event: e.name, Approval: a.ID, State: string(a.State), Workspace: a.Workspace, Server: at.Name, Grant: grant, Tool: a.Tool, Rule: a.Rule,
		Message: a.Message, Policy: a.Policy, PolicyVersion: a.Version, Approvers: whom(a), Decider: a.Decider,
		CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
	}
	if s.o.Link != nil {
		n.Link = s.o.Link(a.ID)
	}
	if a.State == enforce.Pending {
		n.Command = "sluice approvals show " + a.ID
	}
	var list []registry.Notify
	for _, t := range at.Approvals.Notify {
		if wants(t.On, e.name) {
			list = append(list, t)
		}
	}
	return n, list
}

// wants reports whether a target is told of an event; one that chooses none is told
// when something is to be done.
func wants(on []string, name string) bool {
	if len(on) == 0 {
		return name != Decided
	}
	return slices.Contains(on, name)
}

// finalError is a failure that trying again does not mend.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// send delivers a notice once.
func (s *Service) send(ctx context.Context, t registry.Notify, n Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return &finalError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	if len(t.Command) > 0 {
		return run(ctx, t.Command, body)
	}
	target, err := s.webhook(t.Webhook)
	if err != nil {
		return &finalError{err}
	}
	at := strconv.FormatInt(s.o.Now().Unix(), 10)
	return post(ctx, target, s.o.Private, body, map[string]string{
		"Sluice-Delivery":  n.Approval + "." + n.Event,
		"Sluice-Signature": "t=" + at + ",v1=" + Sign(s.key(n.Workspace), at, body),
	})
}

// Sign is the signature of a notification: HMAC-SHA-256 of `UNIX.BODY`, in hex, the
// scheme that `sluice hooks` takes as well.
func Sign(key, unix string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(unix + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// key is what notifications of a workspace are signed with: derived from the master
// key, so that nothing has to be stored and every node signs alike.
func (s *Service) key(workspace string) string {
	return hex.EncodeToString(s.o.Keys.Derive("approval notifications " + workspace))
}

// SigningKey returns the key of the caller's workspace, for those who check signatures.
func (s *Service) SigningKey() (string, error) {
	if err := s.administers("seeing the signing key"); err != nil {
		return "", err
	}
	return s.key(s.caller.Workspace), nil
}
