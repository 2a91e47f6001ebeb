package writeback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// CheckAlerts compares what is so with the alerts that last: new conditions open
// one, those that ended resolve theirs. It returns the profile's alerts that last.
func (s *Service) CheckAlerts(ctx context.Context, measure bool) ([]ledger.Alert, error) {
	now, err := s.conditions(ctx, measure)
	if err != nil {
		return nil, err
	}
	var out []ledger.Alert
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		active, err := tx.Alerts().Active(ctx, "")
		if err != nil {
			return err
		}
		known := map[string]*ledger.Alert{}
		for i := range active {
			known[active[i].Subject] = &active[i]
		}
		at := tx.Now().UTC()
		for i := range now {
			c := &now[i]
			old := known[c.subject()]
			delete(known, c.subject())
			if old == nil {
				a := ledger.Alert{ID: ids.New("al", at), Subject: c.subject(), Profile: c.Profile, Code: c.Code, Label: c.Label, Message: c.Message, Fix: c.Fix, Opened: at}
				if err := errors.Join(tx.Alerts().Open(ctx, &a), s.noteAlert(ctx, tx, &a, "alert.opened")); err != nil {
					return err
				}
			} else if old.Message != c.Message || old.Fix != c.Fix {
				if err := tx.Alerts().Note(ctx, old.ID, c.Message, c.Fix); err != nil {
					return err
				}
			}
		}
		for _, a := range known {
			if measured[a.Code] && !measure {
				continue // not judged this time
			}
			if err := errors.Join(tx.Alerts().Resolve(ctx, a.ID, at), s.noteAlert(ctx, tx, a, "alert.resolved")); err != nil {
				return err
			}
		}
		out, err = tx.Alerts().Active(ctx, s.profile)
		return err
	})
	return out, err
}

func (s *Service) noteAlert(ctx context.Context, tx ledger.Tx, a *ledger.Alert, op string) error {
	_, err := tx.Audit().Append(ctx, s.now(), audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: a.Profile, Op: op, Object: a.ID, Result: a.Code, AppVersion: s.version,
	})
	return err
}

// RecentAlerts lists the profile's alerts, newest first, ended ones too.
func (s *Service) RecentAlerts(ctx context.Context, limit int) (list []ledger.Alert, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Alerts().Recent(ctx, s.profile, limit)
		return err
	})
	return list, err
}

// TellAlerts checks the conditions and tells every channel what began and what
// ended. It returns when it is due again.
func (s *Service) TellAlerts(ctx context.Context) (next time.Time, err error) {
	next = s.now().Add(checkEvery)
	due, measure := false, false
	err = s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if due, err = tx.Alerts().Claim(ctx, "conditions", checkEvery, tx.Now()); !due || err != nil {
			return err
		}
		measure, err = tx.Alerts().Claim(ctx, "trends", measureEvery, tx.Now())
		return err
	})
	if err != nil {
		return next, err
	}
	if due {
		if _, err := s.CheckAlerts(ctx, measure); err != nil {
			return next, err
		}
	}
	return next, s.tell(ctx)
}

const checkEvery = time.Minute

// Notice is what a channel gets: one alert that began or ended.
type Notice struct {
	Event string `json:"event"` // opened, resolved
	ledger.Alert
}

// tell brings what was not told to every channel it is for. A channel that fails is
// told again next time; the others are not told twice for it, as far as this pass
// goes: an alert counts as told once no channel failed.
func (s *Service) tell(ctx context.Context) error {
	var untold []ledger.Alert
	var channels []ledger.Channel
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		if channels, err = tx.Alerts().Channels(ctx); err != nil || len(channels) == 0 {
			return err
		}
		untold, err = tx.Alerts().Untold(ctx, channelUndelivered)
		return err
	})
	if err != nil {
		return err
	}
	var failed []error
	for i := range untold {
		a := &untold[i]
		n := Notice{"opened", *a}
		if !a.Resolved.IsZero() {
			n.Event = "resolved"
		}
		ok := true
		for j := range channels {
			if c := &channels[j]; c.Profile == "" || c.Profile == a.Profile {
				if err := s.deliverTo(ctx, c, n); err != nil {
					ok = false
					failed = append(failed, err)
				}
			}
		}
		if !ok {
			break // the channel is down; the rest would fail as well
		}
		err := s.store.Do(ctx, func(tx ledger.Tx) error { return tx.Alerts().Told(ctx, a.ID, n.Event == "resolved", tx.Now()) })
		if err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// Where a channel leads.
const (
	ChannelWebhook = "webhook"
	ChannelCommand = "command"
)

// channelTime bounds one delivery.
const channelTime = 15 * time.Second

// AddChannel stores where alerts are sent: an https URL that takes JSON by POST, or
// a program and its arguments that reads it on standard input.
func (s *Service) AddChannel(ctx context.Context, kind string, target []string, everyProfile bool) (*ledger.Channel, error) {
	if err := s.may(tenant.Admin); err != nil {
		return nil, err
	}
	if s.caller.Type != tenant.LocalCaller {
		return nil, fault.New(fault.RoleRequired, "a channel runs a program or reaches out from this machine; only its owner adds one").WithFix("run `sluice alerts channel add` on the machine itself")
	}
	now := s.now().UTC()
	c := &ledger.Channel{ID: ids.New("ch", now), Profile: s.profile, Kind: kind, CreatedAt: now}
	if everyProfile {
		c.Profile = ""
	}
	shown, err := checkTarget(kind, target)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(target)
	if err != nil {
		return nil, err
	}
	c.Shown, c.Target = shown, s.keys.Seal(raw, "alert channel "+c.ID)
	return c, s.store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Alerts().PutChannel(ctx, c); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, s.now(), audit.Record{Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: "alert.channel_added", Object: c.ID, Result: kind, AppVersion: s.version})
		return err
	})
}

// checkTarget refuses a target that can't work and returns what may be shown of it.
func checkTarget(kind string, target []string) (shown string, err error) {
	if len(target) == 0 || target[0] == "" {
		return "", fault.New(fault.Usage, "no target is named").WithFix("pass --webhook URL or --command PROGRAM")
	}
	if kind == ChannelCommand {
		return target[0], nil
	}
	u, err := url.Parse(target[0])
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && !(u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname()))) {
		return "", fault.New(fault.Usage, "a webhook is an https URL, or http on this machine")
	}
	return u.Scheme + "://" + u.Host + "/…", nil // the path of such URLs is often the secret
}

// Channels lists where alerts are sent.
func (s *Service) Channels(ctx context.Context) (list []ledger.Channel, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Alerts().Channels(ctx)
		return err
	})
	return list, err
}

// RemoveChannel stops sending there.
func (s *Service) RemoveChannel(ctx context.Context, id string) error {
	if err := s.may(tenant.Admin); err != nil {
		return err
	}
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Alerts().DeleteChannel(ctx, id); err != nil {
			return err
		}
		_, err := tx.Audit().Append(ctx, s.now(), audit.Record{Actor: s.actor(), Via: s.caller.Via, Profile: s.profile, Op: "alert.channel_removed", Object: id, Result: "ok", AppVersion: s.version})
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no such channel").WithFix("see `sluice alerts channel list`")
	}
	return err
}

func (s *Service) deliverTo(ctx context.Context, c *ledger.Channel, v any) error {
	raw, err := s.keys.Open(c.Target, "alert channel "+c.ID)
	if err != nil {
		return fault.New(fault.StoreUnavailable, "a channel's target can't be read: %v", err)
	}
	var target []string
	if err := json.Unmarshal(raw, &target); err != nil {
		return err
	}
	return Hand(ctx, c.Kind, target, v)
}

// Hand gives a document to a webhook or a program.
func Hand(ctx context.Context, kind string, target []string, v any) error {
	if _, err := checkTarget(kind, target); err != nil {
		return err
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, channelTime)
	defer cancel()
	if kind == ChannelCommand {
		cmd := exec.CommandContext(ctx, target[0], target[1:]...)
		cmd.Stdin = bytes.NewReader(append(body, '\n'))
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil {
			return fault.New(fault.ChannelFailed, "the program of a channel failed").Wrap(err)
		}
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target[0], bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Usage, "a webhook is an https URL, or http on this machine")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sluice")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		// The error of the client names the URL, which may be a secret.
		return fault.New(fault.ChannelFailed, "the webhook of a channel can't be reached")
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 1<<16)
	if res.StatusCode/100 != 2 {
		return fault.New(fault.ChannelFailed, "%s", fmt.Sprintf("the webhook of a channel answered %d", res.StatusCode))
	}
	return nil
}
