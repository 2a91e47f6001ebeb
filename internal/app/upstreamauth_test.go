package app_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/app"
	"sluice/internal/config"
	"sluice/internal/mcpwire/exchange"
)

// A server on the internet that somebody relays to may not make Sluice look around in
// their network.
func TestDiscoveryOfALocalRelayStaysOutside(t *testing.T) {
	t.Parallel()
	c := &config.Config{StateDir: t.TempDir()}
	cred, err := app.LocalCredential(c, "default", "https://203.0.113.1/mcp", nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Www-Authenticate": {`Bearer resource_metadata="https://10.0.0.1:0/"`}}
	_, err = cred.Refused(t.Context(), exchange.Caller{ID: "local"}, http.StatusUnauthorized, h)
	if err == nil || !strings.Contains(err.Error(), "private network") {
		t.Errorf("error is %v", err)
	}
}
