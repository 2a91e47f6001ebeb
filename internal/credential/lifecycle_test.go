package credential_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/credential"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/secret"
)

func TestClosingEndsAConsentUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shown := make(chan string, 1)
	c := w.oauth(func(o *credential.Options) {
		o.Wait = time.Hour
		o.Open = func(at string) error { shown <- at; return nil }
	})
	ended := make(chan error, 1)
	go func() {
		_, err := w.call(t.Context(), c, "local")
		ended <- err
	}()
	at := <-shown
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; exchange.As(err).Code != exchange.ConsentNeeded {
		t.Errorf("the waiting call: %v", err)
	}
	if page := newBrowser().open(at); !strings.Contains(page, "refused") {
		t.Errorf("the port still answers: %s", page)
	}
	if _, err := w.call(t.Context(), c, "local"); exchange.As(err).Code != exchange.ShuttingDown {
		t.Errorf("a call afterwards: %v", err)
	}
}

func TestATokenThatCannotBeStoredIsGoodUntilTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.oauth(func(o *credential.Options) {
		o.Open = newBrowser().start(t)
		o.Store = credential.NewFiles(t.TempDir()+"/new", func() (*secret.Keyring, error) { return nil, errors.New("no key") })
	})
	w.set(func() { w.meta["registration_endpoint"] = w.auth.URL + "/register" })
	_, err := w.call(t.Context(), c, "local")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(2 * time.Minute)
	w.mustCall(c, "local", "user")
	w.clock.add(2 * time.Hour)
	w.mustCall(c, "local", "user")
	if n := w.count("/authorize"); n != 1 {
		t.Errorf("%d consents", n)
	}
	if !strings.Contains(w.log.String(), "lost at the next start") {
		t.Error("nothing was logged")
	}
}

// fullDisk keeps what it has and takes nothing new.
type fullDisk struct {
	credential.Store
	full atomic.Bool
}

func (s *fullDisk) Save(k credential.Key, b []byte) error {
	if s.full.Load() {
		return errors.New("no space left")
	}
	return s.Store.Save(k, b)
}

// A rotated token that could not be stored is not given up for the spent one that is.
func TestAnOlderStoredTokenReplacesNoNewerOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := &fullDisk{Store: credential.NewMemory()}
	c := w.oauth(func(o *credential.Options) { o.Open, o.Store = newBrowser().start(t), store })
	w.mustCall(c, "local", "user")
	store.full.Store(true)
	for range 3 {
		w.clock.add(2 * time.Hour)
		w.mustCall(c, "local", "user") // renewed, and not stored
		w.clock.add(2 * time.Minute)   // the store is looked at again
		w.mustCall(c, "local", "user")
	}
	if n := w.count("/authorize"); n != 1 {
		t.Errorf("%d consents, want 1", n)
	}
}

func TestAnUpstreamThatWantsNothingGetsNothing(t *testing.T) {
	t.Parallel()
	c, err := credential.NewStatic(credential.StaticOptions{Server: "crm"})
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	if err := c.Authorize(t.Context(), exchange.Caller{ID: "alice"}, h); err != nil || len(h) != 0 {
		t.Errorf("%d headers, %v", len(h), err)
	}
	if again, err := c.Refused(t.Context(), exchange.Caller{}, http.StatusUnauthorized, nil); again || exchange.As(err).Code != exchange.CredentialLost {
		t.Errorf("again %v, %v", again, err)
	}
}
