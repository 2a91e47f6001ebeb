package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/config"
	"sluice/internal/registry"
)

// A server keeps its meaning on the way into the registry and back.
func TestServerSpec(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"url":     "url: https://mcp.example.com/mcp\nheaders:\n  X-Key: {prefix: 'Bearer ', env: CRM_TOKEN}\ntimeout: 2m\nmax_calls: 4\npolicy: floor\nmethods: ['resources/*']\n",
		"command": "command: [crm-mcp, --stdio]\nenv:\n  KEY: {env: CRM_KEY}\nshared: true\nlist: callable\napprovals:\n  four_eyes: false\n  notify: [{command: [tell]}]\n",
		"oauth":   "url: https://mcp.example.com/mcp\noauth: {per_user: true, scopes: [read]}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := config.ReadServer([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			spec, err := s.Spec()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(spec), "policy") || strings.Contains(string(spec), "approvals") {
				t.Errorf("settings are in the spec: %s", spec)
			}
			back, err := config.ServerOf(&registry.Server{Spec: spec, Settings: s.Settings()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, back); diff != "" {
				t.Errorf("%s came back as (-before +after):\n%s", spec, diff)
			}
		})
	}
}

func TestReadServerNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"unknown key": {`{"url":"https://mcp.example.com","tiemout":"5m"}`, "tiemout"},
		"both":        {`{"url":"https://mcp.example.com","command":["x"]}`, "either `url`, `command` or `builtin`"},
		"two faults":  {`{"url":"https://mcp.example.com","timeout":"soon","era":"bronze"}`, "timeout: a duration such as 5m; era: legacy or modern"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := config.ReadServer([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestWhatOnlyTheMachineMaySay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"url":"https://mcp.example.com/"}`:                                                                   "",
		`{"url":"http://[64:ff9b::7f00:1]/"}`:                                                                  "url",
		`{"command":["sh"]}`:                                                                                   "command",
		`{"url":"https://mcp.example.com/","headers":{"X":{"env":"SECRET"}}}`:                                  "headers",
		`{"url":"https://mcp.example.com/","allow_private":true}`:                                              "allow_private",
		`{"url":"http://127.0.0.1:9200/"}`:                                                                     "url",
		`{"url":"http://localhost:9200/"}`:                                                                     "url",
		`{"url":"http://LOCALHOST./"}`:                                                                         "url",
		`{"url":"http://[::1]/"}`:                                                                              "url",
		`{"url":"http://[::ffff:10.0.0.1]/"}`:                                                                  "url",
		`{"url":"http://169.254.169.254/latest/meta-data"}`:                                                    "url",
		`{"url":"http://100.64.0.1/"}`:                                                                         "url",
		`{"url":"http://intranet/"}`:                                                                           "url",
		`{"url":"https://metadata.google.internal/"}`:                                                          "url",
		`{"url":"https://mcp.example.com/","oauth":{"client_secret":{"file":"/etc/shadow"}}}`:                  "oauth.client_secret",
		`{"url":"https://mcp.example.com/","approvals":{"notify":[{"webhook":"${SECRET}"}]}}`:                  "approvals.notify",
		`{"url":"https://mcp.example.com/","approvals":{"notify":[{"command":["sh"]}]}}`:                       "approvals.notify",
		`{"url":"https://mcp.example.com/","approvals":{"notify":[{"webhook":"http://127.0.0.1:1/"}]}}`:        "approvals.notify",
		`{"url":"https://mcp.example.com/","approvals":{"notify":[{"webhook":"https://chat.example.com/x"}]}}`: "",
	} {
		s, err := config.ReadServer([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Machine(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
