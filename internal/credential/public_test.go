package credential

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPublicFetchesAndBounds(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "https://elsewhere.example.com/secret", http.StatusFound)
		case "/none":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(strings.Repeat("x", 100)))
		}
	}))
	t.Cleanup(server.Close)
	f := newFetcher(reach{loopback: true})
	t.Cleanup(f.client.CloseIdleConnections)
	if body, err := f.download(t.Context(), server.URL+"/a", 100); err != nil || len(body) != 100 {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	for path, says := range map[string]string{"/a?token=hidden": "larger", "/away?token=hidden": "another origin", "/none?token=hidden": "404"} {
		_, err := f.download(t.Context(), server.URL+path, 99)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPublicGoesNowhereInside(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://example.com/a.png", "https://127.0.0.1/a.png", "https://localhost/a.png", "https://10.1.2.3/a.png", "https://169.254.169.254/latest",
		"https://[::1]/a.png", "https://user:word@example.com/a.png", "https://100.64.0.1/", "https://0.0.0.0/",
	} {
		if _, err := Public(t.Context(), address, 10); err == nil {
			t.Errorf("%s was fetched", address)
		}
	}
}
