package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// answerLife is how long an answer is kept for its repetition.
const answerLife = 90 * 24 * time.Hour

// answerLease is how long a call may be under way before a repetition takes its
// place: longer than any call that is no confirm.
const answerLease = 2 * time.Minute

// checkKey accepts 1 to 255 visible ASCII characters.
func checkKey(key string) error {
	ok := len(key) >= 1 && len(key) <= 255
	for i := range len(key) {
		ok = ok && key[i] > ' ' && key[i] < 0x7f
	}
	if !ok {
		return fault.New(fault.IdempotencyInvalid, "the idempotency key must be 1 to 255 visible ASCII characters")
	}
	return nil
}

// once performs a call with an idempotency key: a repetition of a call that was
// answered gets the stored answer, and one that failed leaves its key free.
func (s *Server) once(w http.ResponseWriter, r *http.Request, c *call, op *operation, key string, body []byte, run func() ([]byte, int, error)) ([]byte, int, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, err
	}
	ctx := r.Context()
	sum := sha256.New()
	for _, part := range []string{op.id, r.URL.Path, r.URL.RawQuery, string(body)} {
		sum.Write([]byte(part + "\x00"))
	}
	// A key belongs to the person who used it, so that nobody can ask for the
	// answer of another.
	mine := &ledger.Answer{Workspace: c.caller.Workspace, Key: c.caller.User + " " + key, Fingerprint: hex.EncodeToString(sum.Sum(nil)), Request: c.id}
	var known *ledger.Answer
	err := s.o.Store.Do(ctx, func(tx ledger.Tx) (err error) {
		mine.CreatedAt = tx.Now()
		if err := tx.Answers().Sweep(ctx, mine.CreatedAt.Add(-answerLife)); err != nil {
			return err
		}
		known, err = tx.Answers().Find(ctx, mine.Workspace, mine.Key)
		stale := err == nil && known.Status == 0 && mine.CreatedAt.Sub(known.CreatedAt).Abs() > answerLease
		switch {
		case stale:
			if err := tx.Answers().Drop(ctx, known); err != nil {
				return err
			}
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		known = nil
		return tx.Answers().Begin(ctx, mine)
	})
	switch {
	case errors.Is(err, ledger.ErrTaken):
		return nil, 0, underWay(mine.Request)
	case err != nil:
		return nil, 0, err
	case known != nil && known.Fingerprint != mine.Fingerprint:
		return nil, 0, fault.New(fault.IdempotencyMismatch, "this key was used for another request").With("request_id", known.Request)
	case known != nil && known.Status == 0:
		return nil, 0, underWay(known.Request)
	case known != nil:
		plain, err := s.o.Keys.Open(known.Body, "answer "+known.Request)
		if err != nil {
			return nil, 0, fault.New(fault.StoreUnavailable, "the stored answer can't be read").Wrap(err)
		}
		w.Header().Set("Idempotent-Replayed", "true")
		w.Header().Set("X-Original-Request-Id", known.Request)
		return plain, known.Status, nil
	}
	out, status, err := run()
	end := context.WithoutCancel(ctx)
	if err != nil {
		if derr := s.o.Store.Do(end, func(tx ledger.Tx) error { return tx.Answers().Drop(end, mine) }); derr != nil {
			s.o.Log.Warn("a key is taken until its call times out", "error", derr)
		}
		return nil, 0, err
	}
	mine.Status, mine.Body = status, s.o.Keys.Seal(out, "answer "+mine.Request)
	if err := s.o.Store.Do(end, func(tx ledger.Tx) error { return tx.Answers().Finish(end, mine) }); err != nil {
		s.o.Log.Warn("an answer could not be kept for its repetition", "error", err)
	}
	return out, status, nil
}

func underWay(request string) error {
	f := fault.New(fault.IdempotencyInProgress, "the same request is being worked on").WithFix("ask again in a second").With("request_id", request)
	f.RetryAfter = 1
	return f
}
