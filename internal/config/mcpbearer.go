package config

import (
	"fmt"
	"net/url"
)

// MCPBearer is one authorization server whose JWT access tokens are accepted (RFC 9068).
type MCPBearer struct {
	Issuer   string   `yaml:"issuer"`
	Audience []string `yaml:"audience"` // default: the URL of the endpoint called
	JWKS     string   `yaml:"jwks_url"` // default: what the issuer's metadata says
	// Map finds the grant: the first entry that fits. Where none does, a grant that is
	// bound to issuer and subject.
	Map []MCPClaim `yaml:"map"`
	// AllowPrivate lets the issuer be on a private address.
	AllowPrivate bool `yaml:"allow_private"`
}

// MCPClaim maps tokens to a grant.
type MCPClaim struct {
	Claim string `yaml:"claim"` // such as sub, client_id, azp; a dotted path goes inwards
	Value string `yaml:"value"` // exact; of a list, one element
	Grant string `yaml:"grant"` // name of the grant on the server called
}

func (b *MCPBearer) check(say func(key, format string, args ...any)) {
	u, err := url.Parse(b.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && local(u.Hostname())) {
		say("issuer", "an https URL as the tokens' `iss` has it")
	}
	if k, err := url.Parse(b.JWKS); b.JWKS != "" && (err != nil || k.Host == "" || k.Scheme != "https" && !(k.Scheme == "http" && local(k.Hostname()))) {
		say("jwks_url", "an https URL")
	}
	for i, c := range b.Map {
		if c.Claim == "" || c.Value == "" || c.Grant == "" {
			say(fmt.Sprintf("map[%d]", i), "an entry names `claim`, `value` and `grant`")
		}
	}
}
