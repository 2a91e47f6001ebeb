package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/registry"
)

// MCP is the gateway: the servers that clients reach through `sluice serve`.
type MCP struct {
	Servers map[string]MCPServer `yaml:"servers"`
	// Aggregate names the servers that stand behind /mcp as one, in this order.
	Aggregate []string `yaml:"aggregate"`
	// PublicURL is where clients' people reach this server, for pages of consent.
	PublicURL      string   `yaml:"public_url"`
	AllowedOrigins []string `yaml:"allowed_origins"` // of web pages that may call: scheme://host[:port]
	AllowedHosts   []string `yaml:"allowed_hosts"`   // host names beside loopback's and --host's
	// Members is the workspace whose grants may call by server name; default: "default".
	Members string `yaml:"workspace"`
	// Bearer lets in those that an authorization server vouches for, beside grants.
	Bearer []MCPBearer `yaml:"bearer"`
	// PrivateWebhooks lets notifications of approvals lead into private networks.
	PrivateWebhooks bool `yaml:"private_webhooks"`
	// Durability of limits and decisions: "process" (default: they survive the end of any
	// process) or "power_loss" (a disk sync for each group of calls).
	Durability string `yaml:"durability"`
}

// MCPServer is one upstream: a URL, a command that runs as a child process, or a server
// that is built in.
type MCPServer struct {
	URL     string   `yaml:"url"`
	Command []string `yaml:"command"`
	Builtin string   `yaml:"builtin"` // meta

	// Of the built-in one: which of its tools there are; default: those of `meta.sets`.
	Sets []string `yaml:"sets"`

	// Of a command. Env names what it sees beside PATH, HOME and the locale; a value is
	// KEY: {env: NAME} or KEY: {value: text}.
	Env       map[string]MCPValue `yaml:"env"`
	Dir       string              `yaml:"dir"`
	Shared    bool                `yaml:"shared"`    // one child for all callers
	Isolation string              `yaml:"isolation"` // best (default), required or off

	// Of a URL.
	Headers      map[string]MCPValue `yaml:"headers"`
	OAuth        *MCPOAuth           `yaml:"oauth"`
	AllowPrivate bool                `yaml:"allow_private"`

	Prefix   string `yaml:"prefix"`  // in the aggregate; default: the name and "_"
	Timeout  string `yaml:"timeout"` // of a call without news; default 5m
	Era      string `yaml:"era"`     // legacy or modern, where asking does not tell
	MaxCalls int    `yaml:"max_calls"`

	// What the gateway does around the policies of this server: registry.Settings.
	Policy          string             `yaml:"policy"`
	Methods         []string           `yaml:"methods"`
	List            string             `yaml:"list"`
	RecordArguments string             `yaml:"record_arguments"`
	Approvals       registry.Approvals `yaml:"approvals"`
}

// Settings are those of the gateway, as the registry has them.
func (s *MCPServer) Settings() registry.Settings {
	return registry.Settings{Policy: s.Policy, Methods: s.Methods, List: s.List, RecordArguments: s.RecordArguments, Approvals: s.Approvals}
}

// MCPValue says where a value is kept; a secret is never in the file.
type MCPValue struct {
	Prefix  string   `yaml:"prefix"` // stands before it, such as "Bearer "
	Env     string   `yaml:"env"`
	File    string   `yaml:"file"`
	Command []string `yaml:"command"`
	Value   string   `yaml:"value"` // of a command's environment only: no secret
}

// MCPOAuth is how tokens for a server are got. Everything may be left out.
type MCPOAuth struct {
	PerUser           bool     `yaml:"per_user"` // a consent and a token for each caller
	Grant             string   `yaml:"grant"`    // authorization_code (default) or client_credentials
	ClientID          string   `yaml:"client_id"`
	ClientSecret      MCPValue `yaml:"client_secret"`
	ClientKey         MCPValue `yaml:"client_key"` // private key in PEM, for a client that signs
	TokenAuthMethod   string   `yaml:"token_auth_method"`
	Issuer            string   `yaml:"issuer"`
	ClientMetadataURL string   `yaml:"client_metadata_url"`
	Redirect          string   `yaml:"redirect"`
	Scopes            []string `yaml:"scopes"`
}

// Names lists the servers, sorted.
func (m *MCP) Names() []string {
	names := make([]string, 0, len(m.Servers))
	for name := range m.Servers {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Workspace is the one whose tokens may call.
func (m *MCP) Workspace() string {
	if m.Members == "" {
		return "default"
	}
	return m.Members
}

// PrefixOf is the prefix that a server's names have in the aggregate.
func (m *MCP) PrefixOf(name string) string {
	if p := m.Servers[name].Prefix; p != "" {
		return p
	}
	return name + "_"
}

// check reports every problem at once, each with its place.
func (m *MCP) check() error {
	var all []string
	say := func(place, format string, args ...any) {
		all = append(all, place+": "+fmt.Sprintf(format, args...))
	}
	for _, name := range m.Names() {
		place := "mcp.servers." + name
		if !serverName(name) {
			say(place, "a name is 1 to 40 of a-z, 0-9, `_` and `-`, beginning with a letter or digit")
		}
		s := m.Servers[name]
		s.check(func(key, format string, args ...any) { say(strings.TrimSuffix(place+"."+key, "."), format, args...) })
	}
	m.checkAggregate(say)
	if m.PublicURL != "" {
		u, err := url.Parse(m.PublicURL)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && local(u.Hostname())) {
			say("mcp.public_url", "an https URL without a query, or http on this machine")
		}
	}
	for i, origin := range m.AllowedOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" {
			say(fmt.Sprintf("mcp.allowed_origins[%d]", i), "an origin is scheme://host or scheme://host:port")
		}
	}
	if !slices.Contains([]string{"", "process", "power_loss"}, m.Durability) {
		say("mcp.durability", "process or power_loss")
	}
	for i := range m.Bearer {
		m.Bearer[i].check(func(key, format string, args ...any) { say(fmt.Sprintf("mcp.bearer[%d].%s", i, key), format, args...) })
	}
	for i, host := range m.AllowedHosts {
		if host == "" || host == "*" || strings.ContainsAny(host, "/ ") {
			say(fmt.Sprintf("mcp.allowed_hosts[%d]", i), "a host name, with or without a port")
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fault.New(fault.Usage, "%s", strings.Join(all, "; ")).WithFix("see docs/gateway.md")
}

func (m *MCP) checkAggregate(say func(place, format string, args ...any)) {
	for i, name := range m.Aggregate {
		place := fmt.Sprintf("mcp.aggregate[%d]", i)
		if _, ok := m.Servers[name]; !ok {
			say(place, "there is no server of that name under mcp.servers")
			continue
		}
		for _, other := range m.Aggregate[:i] {
			mine, theirs := m.PrefixOf(name), m.PrefixOf(other)
			switch {
			case name == other:
				say(place, "%s is named twice", name)
			case strings.HasPrefix(mine, theirs) || strings.HasPrefix(theirs, mine):
				say(place, "the prefixes of %s (%s) and %s (%s) overlap, so that a name could be of either: give one of them another `prefix`", other, theirs, name, mine)
			}
		}
	}
}

// check of one server; say takes a key below it.
func (s *MCPServer) check(say func(key, format string, args ...any)) {
	ways := 0
	for _, has := range []bool{s.URL != "", len(s.Command) > 0, s.Builtin != ""} {
		if has {
			ways++
		}
	}
	switch {
	case ways != 1:
		say("", "a server has either `url`, `command` or `builtin`")
	case s.Builtin != "":
		s.checkBuiltin(say)
	case s.URL != "":
		s.checkURL(say)
	default:
		s.checkCommand(say)
	}
	if s.Prefix != "" && (len(s.Prefix) > 64 || strings.Trim(s.Prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != "") {
		say("prefix", "1 to 64 of A-Z, a-z, 0-9, `_`, `.` and `-`")
	}
	if d, err := time.ParseDuration(s.Timeout); s.Timeout != "" && (err != nil || d <= 0) {
		say("timeout", "a duration such as 5m")
	}
	if !slices.Contains([]string{"", "legacy", "modern"}, s.Era) {
		say("era", "legacy or modern")
	}
	if s.MaxCalls < 0 {
		say("max_calls", "1 or more")
	}
	if err := registry.CheckSettings(s.Settings()); err != nil {
		say("", "%v", err)
	}
}

func (s *MCPServer) checkBuiltin(say func(key, format string, args ...any)) {
	if s.Builtin != "meta" {
		say("builtin", "meta")
	}
	if len(s.Env) > 0 || s.Dir != "" || s.Shared || s.Isolation != "" || len(s.Headers) > 0 || s.OAuth != nil || s.AllowPrivate || s.Era != "" {
		say("", "a built-in server takes sets, prefix, timeout and max_calls; its credentials stand under `token` and `meta`")
	}
}

func (s *MCPServer) checkURL(say func(key, format string, args ...any)) {
	if len(s.Env) > 0 || s.Dir != "" || s.Shared || s.Isolation != "" {
		say("", "env, dir, shared and isolation belong to a server with `command`")
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		say("url", "an http or https URL")
	case u.User != nil || u.RawQuery != "" && holdsSecret(u):
		say("url", "holds a secret: use headers with {env}, {file} or {command}")
	case u.Fragment != "":
		say("url", "a URL without a fragment")
	}
	for _, name := range sorted(s.Headers) {
		v := s.Headers[name]
		if v.Value != "" {
			say("headers."+name, "a value is never written into the file: name {env}, {file} or {command}")
		} else if err := v.check(); err != nil {
			say("headers."+name, "%v", err)
		}
	}
	if s.OAuth == nil {
		return
	}
	if len(s.Headers) > 0 {
		for _, name := range sorted(s.Headers) {
			if strings.EqualFold(name, "Authorization") {
				say("oauth", "together with headers.%s: one of them identifies Sluice", name)
			}
		}
	}
	if secret := s.OAuth.ClientSecret; secret.set() {
		if err := secret.check(); err != nil || secret.Value != "" {
			say("oauth.client_secret", "name one of {env}, {file} and {command}")
		}
	}
	if key := s.OAuth.ClientKey; key.set() {
		if err := key.check(); err != nil || key.Value != "" {
			say("oauth.client_key", "name one of {env}, {file} and {command}")
		}
	}
}

func (s *MCPServer) checkCommand(say func(key, format string, args ...any)) {
	if len(s.Headers) > 0 || s.OAuth != nil || s.AllowPrivate {
		say("", "headers, oauth and allow_private belong to a server with `url`")
	}
	if s.Command[0] == "" {
		say("command", "the program is empty")
	}
	if !slices.Contains([]string{"", "best", "required", "off"}, s.Isolation) {
		say("isolation", "best, required or off")
	}
	for _, name := range sorted(s.Env) {
		v := s.Env[name]
		if name == "" || strings.ContainsAny(name, "= ") {
			say("env", "the name of a variable is empty or has `=` or a blank")
		}
		if (v.Value != "") == (v.Env != "") || v.File != "" || len(v.Command) > 0 || v.Prefix != "" {
			say("env."+name, "name {env: NAME}, which passes a variable of Sluice's on, or {value: text}, which is no secret")
		}
	}
}

func (v *MCPValue) set() bool {
	return v.Env != "" || v.File != "" || len(v.Command) > 0 || v.Value != "" || v.Prefix != ""
}

func (v *MCPValue) check() error {
	named := 0
	for _, is := range []bool{v.Env != "", v.File != "", len(v.Command) > 0} {
		if is {
			named++
		}
	}
	if named != 1 {
		return errors.New("name exactly one of {env}, {file} and {command}")
	}
	return nil
}

// holdsSecret reports whether a URL's query has what looks like a credential.
func holdsSecret(u *url.URL) bool {
	for key := range u.Query() {
		key = strings.ToLower(key)
		for _, word := range []string{"token", "key", "secret", "password", "auth"} {
			if strings.Contains(key, word) {
				return true
			}
		}
	}
	return false
}

func serverName(name string) bool {
	ok := len(name) >= 1 && len(name) <= 40
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		ok = ok && (letter || i > 0 && (r == '_' || r == '-'))
	}
	return ok
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func local(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// MayServe refuses what a sluice.yaml may not do that was only found in the current
// directory: run a program, tell others of calls, send a credential off this machine, or
// say whose tokens are let in.
func (c *Config) MayServe() error {
	if !c.implicit {
		return nil
	}
	if len(c.MCP.Bearer) > 0 {
		return fault.New(fault.Usage, "./sluice.yaml says under mcp.bearer whose tokens are let in; it was only found here, not named").
			WithFix("name it: --config sluice.yaml")
	}
	for _, name := range c.MCP.Names() {
		s := c.MCP.Servers[name]
		u, err := url.Parse(s.URL)
		remote := s.URL != "" && (err != nil || !local(u.Hostname()))
		runs := len(s.Command) > 0 || len(s.Approvals.Notify) > 0
		for _, v := range s.Headers {
			runs = runs || len(v.Command) > 0
		}
		if s.OAuth != nil {
			runs = runs || len(s.OAuth.ClientSecret.Command) > 0 || len(s.OAuth.ClientKey.Command) > 0
		}
		if runs || remote && (len(s.Headers) > 0 || s.OAuth != nil) {
			return fault.New(fault.Usage, "./sluice.yaml has a command, a notification or a credential for another machine under mcp.servers.%s; it was only found here, not named", name).
				WithFix("name it: --config sluice.yaml")
		}
	}
	return nil
}

// Environment is what a server's program sees of the configured variables.
func (c *Config) Environment(s *MCPServer) []string {
	var out []string
	for _, name := range sorted(s.Env) {
		if v := s.Env[name]; v.Value != "" {
			out = append(out, name+"="+v.Value)
		} else if text, ok := c.env[v.Env]; ok {
			out = append(out, name+"="+text)
		}
	}
	return out
}

// File is the absolute path of the file that was read; empty without one.
func (c *Config) File() string {
	if c.file == "" {
		return ""
	}
	path, err := filepath.Abs(c.file)
	if err != nil {
		return c.file
	}
	return path
}
