package graphtool

import (
	"context"
	"errors"
	"strings"
	"time"

	"sluice/internal/fault"
)

// patience is how long one call waits for Meta to take in the media. Meta suggests to
// ask for five minutes at most; most media are ready in seconds, so the pauses start short.
const patience = 5 * time.Minute

var pauses = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}

// await waits until a container is finished. All waiting of one run shares patience.
func (r *containerRun) await(ctx context.Context, id string) error {
	for turn := 0; ; turn++ {
		pause := pauses[min(turn, len(pauses)-1)]
		if r.waited+pause > patience {
			return r.late(id)
		}
		switch err := r.env.Wait(ctx, pause); {
		case errors.Is(err, context.DeadlineExceeded):
			return r.late(id) // the caller's own limit
		case err != nil:
			return err
		}
		r.waited += pause
		status, reason, err := r.status(ctx, id)
		if err != nil {
			return r.unread(err, id)
		}
		switch status {
		case "FINISHED":
			return nil
		case "IN_PROGRESS", "":
			r.env.Progress(r.waited.Seconds(), patience.Seconds(), "Meta is still taking in container "+id)
		case "PUBLISHED":
			return fault.New(fault.DoneAlready, "container %s was published before", id).
				WithFix("Look at the newest posts of the account.").With("container_id", id)
		case "EXPIRED":
			return fault.New(fault.MetaRefused, "container %s has expired: it was not published within 24 hours", id).
				WithFix("Publish again from the start.").With("container_id", id)
		default:
			return r.failed(id, status, reason)
		}
	}
}

// late is the fault when patience is over. A child can't be published by itself: the
// carousel is made again from the children there are.
func (r *containerRun) late(id string) error {
	err := fault.New(fault.NotReady, "container %s is not ready after %d seconds; nothing was published", id, int(r.waited.Seconds())).
		With("container_id", id)
	switch {
	case !r.child:
		return r.resumable(err, id)
	case r.Children != "":
		return err.WithFix("Call %s in some minutes with the child_container_ids of this error as %s, instead of %s.", r.env.Tool.Name, r.Children, r.Items)
	}
	return err.WithFix("Publish the carousel again in some minutes, or with smaller videos.")
}

// unread is the fault when a container can't be looked at.
func (r *containerRun) unread(err error, id string) error {
	err = named(prefixed(err, "container %s is not published: ", id), "container_id", id)
	if code := fault.CodeOf(err); !r.child && (code == fault.MetaUnavailable || code == fault.RateLimited) {
		return r.resumable(err, id)
	}
	return err
}

func (r *containerRun) failed(id, status, reason string) error {
	err := fault.New(fault.MetaRefused, "Meta could not take in the media of container %s (%s): %s", id, status, orElse(reason, "no reason given")).
		WithFix("Check that the media address is public and that format, size and length are allowed; then publish again from the start.").
		With("container_id", id)
	for part, advice := range r.Advice {
		if strings.Contains(reason, part) {
			return err.WithFix("%s", advice)
		}
	}
	return err
}

func (r *containerRun) status(ctx context.Context, id string) (status, reason string, err error) {
	answer, err := r.env.Ask(ctx, r.at("GET", r.Container, id, ""), map[string]any{"fields": r.Status + "," + r.Reason})
	return text(answer, r.Status), text(answer, r.Reason), err
}

// publish publishes a container. Meta may say for some seconds that a finished one isn't
// there (24/4279009, 9007/2207027); it has done nothing then, so that asking again is safe.
func (r *containerRun) publish(ctx context.Context, container string) (string, error) {
	for turn := 0; ; turn++ {
		answer, err := r.env.Ask(ctx, r.at("POST", r.On, r.user, r.Publish), map[string]any{"creation_id": container})
		switch fault.CodeOf(err) {
		case fault.NotReady:
			pause := pauses[min(turn+1, len(pauses)-1)]
			if turn == 3 || r.waited+pause > patience {
				return "", r.resumable(prefixed(err, "container %s is not published: ", container), container)
			}
			if err := r.env.Wait(ctx, pause); err != nil {
				return "", err
			}
			r.waited += pause
			continue
		case fault.CallUnknown, fault.MetaUnavailable:
			return "", r.unsure(ctx, container, err)
		}
		if err != nil {
			return "", named(prefixed(err, "container %s is not published: ", container), "container_id", container)
		}
		return text(answer, "id"), nil
	}
}

// unsure looks what became of a container when no answer came to its publishing.
func (r *containerRun) unsure(ctx context.Context, container string, err error) error {
	unknown := named(prefixed(err, "container %s: ", container), "container_id", container)
	switch status, _, again := r.status(ctx, container); {
	case again != nil:
		return unknown
	case status == "PUBLISHED":
		return fault.New(fault.DoneAlready, "container %s was published, although no answer came", container).
			WithFix("It is among the newest posts of the account; don't publish again.").With("container_id", container)
	case status == "FINISHED":
		return r.resumable(fault.New(fault.NotReady, "Meta did not answer, and container %s is not published yet", container), container)
	}
	return unknown
}

// resumable adds to a fault how to carry on with a container that is not published.
func (r *containerRun) resumable(err error, container string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	with := *f
	return named((&with).WithFix("Call %s with this container in some minutes. A container can be published for 24 hours.", r.Resume), "container_id", container)
}
