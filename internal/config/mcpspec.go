package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"sluice/internal/fault"
	"sluice/internal/registry"
)

// settingKeys are the keys of a server that say what stands around it, not how it is
// reached.
var settingKeys = []string{"policy", "methods", "list", "record_arguments", "approvals"}

// Spec is how the server is reached, in the form in which the registry keeps it: JSON
// with the keys of the file, without those of Settings and without what was not set.
func (s *MCPServer) Spec() (json.RawMessage, error) {
	text, err := yaml.MarshalWithOptions(s, yaml.OmitEmpty())
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := yaml.Unmarshal(text, &keys); err != nil {
		return nil, err
	}
	maps.DeleteFunc(keys, func(key string, _ any) bool {
		for _, setting := range settingKeys {
			if key == setting {
				return true
			}
		}
		return false
	})
	return json.Marshal(keys)
}

// ServerOf is the server that a record of the registry describes.
func ServerOf(r *registry.Server) (*MCPServer, error) {
	s, err := ReadServer(r.Spec)
	if err != nil {
		return nil, err
	}
	s.Policy, s.Methods, s.List, s.RecordArguments, s.Approvals = r.Settings.Policy, r.Settings.Methods, r.Settings.List, r.Settings.RecordArguments, r.Settings.Approvals
	return s, nil
}

// ReadServer reads one server, in YAML or JSON, strictly. What is wrong with it is named
// by key, all of it at once.
func ReadServer(text []byte) (*MCPServer, error) {
	s := new(MCPServer)
	if err := yaml.UnmarshalWithOptions(text, s, yaml.Strict()); err != nil {
		// Without the source excerpt: it may hold a token that does not belong there.
		return nil, fault.New(fault.Usage, "%s", yaml.FormatError(err, false, false)).WithFix("a server has the keys that stand under mcp.servers.NAME: see docs/gateway.md")
	}
	var all []string
	s.check(func(key, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if key != "" {
			text = key + ": " + text
		}
		all = append(all, text)
	})
	if len(all) > 0 {
		return nil, fault.New(fault.Usage, "%s", strings.Join(all, "; ")).WithFix("see docs/gateway.md")
	}
	return s, nil
}

// CheckServerName says whether a name can stand in a path.
func CheckServerName(name string) error {
	if !serverName(name) {
		return fault.New(fault.Usage, "the name of a server is 1 to 40 of a-z, 0-9, `_` and `-`, beginning with a letter or digit")
	}
	return nil
}

// Machine names the first key by which a server runs a program of this machine, reads
// its files or variables, or reaches its network. Only who is on the machine may set it.
func (s *MCPServer) Machine() string {
	switch {
	case len(s.Command) > 0:
		return "command"
	case len(s.Headers) > 0:
		return "headers"
	case s.AllowPrivate:
		return "allow_private"
	case inside(s.URL):
		return "url"
	case s.OAuth != nil && s.OAuth.ClientSecret.set():
		return "oauth.client_secret"
	case s.OAuth != nil && s.OAuth.ClientKey.set():
		return "oauth.client_key"
	}
	return MachineSettings(s.Settings())
}

// MachineSettings is Machine for what stands around any server, an aggregate too.
func MachineSettings(s registry.Settings) string {
	for _, n := range s.Approvals.Notify {
		if len(n.Command) > 0 || strings.Contains(n.Webhook, "$") || n.Webhook != "" && inside(n.Webhook) {
			return "approvals.notify"
		}
	}
	return ""
}

// inside reports whether a URL names an address as such, or a name that never leaves the
// machine or its network. Where a private address is written out, it is dialled; a name
// that only resolves to one is refused then.
func inside(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return true
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	return slices.ContainsFunc([]string{".localhost", ".local", ".internal"}, func(end string) bool { return strings.HasSuffix(host, end) })
}
