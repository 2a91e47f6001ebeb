package bearer_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/internal/bearer"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestMetadataOfAResource(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	v := verifier(i, time.Now)
	is := func(path string) bool { return path == "/mcp/crm" }
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		v.ServeMetadata(w, httptest.NewRequest(http.MethodGet, path, nil), "https://gate.example.com", is)
		return w
	}
	var m bearer.Metadata
	w := ask("/.well-known/oauth-protected-resource/mcp/crm")
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil || m.Resource != resource || len(m.Servers) != 1 || m.Servers[0] != i.url {
		t.Errorf("%d %s: %+v", w.Code, w.Body, m)
	}
	if w := ask("/.well-known/oauth-protected-resource/mcp/other"); w.Code != http.StatusNotFound {
		t.Errorf("a resource that is not there: %d", w.Code)
	}
	c := v.Challenge("https://gate.example.com", "/mcp/crm", "invalid_token")
	for _, part := range []string{`error="invalid_token"`, `resource_metadata="https://gate.example.com/.well-known/oauth-protected-resource/mcp/crm"`} {
		if !strings.Contains(c, part) {
			t.Errorf("challenge %s lacks %s", c, part)
		}
	}
	var none *bearer.Verifier
	if c := none.Challenge("https://gate.example.com", "/mcp/crm", ""); strings.Contains(c, "resource_metadata") {
		t.Errorf("without an authorization server: %s", c)
	}
}
