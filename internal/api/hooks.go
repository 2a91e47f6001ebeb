package api

import (
	"context"
	"io"
	"net/http"

	"sluice/internal/fault"
	"sluice/internal/inbox"
	"sluice/internal/webhook"
)

// atOnce bounds the deliveries that are read at the same time, and with them the
// memory a burst can take.
const atOnce = 64

// hooksHandler takes deliveries at /hooks/{source}. They carry a signature and no
// token, and come under whatever host name the sender was given.
func (s *Server) hooksHandler() http.Handler {
	slots := make(chan struct{}, atOnce)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/{source}", func(w http.ResponseWriter, r *http.Request) {
		id := requestID(r.Context())
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			f := fault.New(fault.RateLimited, "too many deliveries at once")
			f.RetryAfter = 1
			s.fail(w, id, f)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhook.MaxBody))
		if err != nil {
			var tooLarge *http.MaxBytesError
			if asError(err, &tooLarge) {
				err = fault.New(fault.TooLarge, "a delivery is larger than %d bytes", webhook.MaxBody)
			} else {
				err = fault.New(fault.Usage, "the body could not be read").WithFix("deliver it again")
			}
			s.fail(w, id, err)
			return
		}
		if err := s.o.Hooks.Receive(r.Context(), r.PathValue("source"), r.Header, body); err != nil {
			s.fail(w, id, err)
			return
		}
		s.write(w, http.StatusAccepted, []byte(`{"status":"accepted"}`))
	})
	mux.HandleFunc("/", s.notFound)
	return mux
}

type hookPath struct {
	Hook string `path:"hook" json:"-"`
}

// newHook is a hook with its secret, shown this once.
type newHook struct {
	Secret  string `json:"secret"`
	Address string `json:"path"`
	*inbox.Hook
}

func hooks() []operation {
	const tag = "webhooks"
	return []operation{
		op(http.MethodGet, "/hooks", "listHooks", tag, "List the webhooks", looks,
			func(ctx context.Context, c *call, _ *nothing) (listing[inbox.Hook], error) {
				return list(c.hooks().Hooks(ctx))
			}),
		op(http.MethodPost, "/hooks", "addHook", tag, "Make a webhook, or replace it; its secret is shown this once", operates,
			func(ctx context.Context, c *call, in *webhook.Registration) (newHook, error) {
				p, err := c.Auth.Profile(ctx, in.Profile)
				if err != nil {
					return newHook{}, err
				}
				in.Profile = p.ID
				h, secret, err := c.hooks().Add(ctx, *in)
				if err != nil {
					return newHook{}, err
				}
				return newHook{secret, "/hooks/" + h.Name, h}, nil
			}),
		op(http.MethodGet, "/hooks/{hook}", "getHook", tag, "A webhook with what it delivered in the last day", looks,
			func(ctx context.Context, c *call, in *hookPath) (*webhook.Status, error) {
				return c.hooks().Status(ctx, in.Hook)
			}),
		op(http.MethodDelete, "/hooks/{hook}", "removeHook", tag, "Remove a webhook", operates,
			func(ctx context.Context, c *call, in *hookPath) (removed, error) {
				return removed{in.Hook}, c.hooks().Remove(ctx, in.Hook)
			}),
	}
}

func (c *call) hooks() *webhook.Service { return c.api.o.Hooks.As(c.caller) }
