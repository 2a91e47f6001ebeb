package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// resourceMetadata is what is read of RFC 9728 metadata.
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	ScopesSupported      []string `json:"scopes_supported"`
}

// serverMetadata is what is read of RFC 8414 and OpenID Connect metadata.
type serverMetadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint"`
	ScopesSupported       []string `json:"scopes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	IssuerInResponse      bool     `json:"authorization_response_iss_parameter_supported"`
	ClientIDDocuments     bool     `json:"client_id_metadata_document_supported"`
}

// place is where tokens for the upstream come from.
type place struct {
	resource string // the resource indicator
	scopes   []string
	server   serverMetadata
}

// errAbsent is a document that is not there, as opposed to one that can't be believed.
var errAbsent = errors.New("there is no such document")

// document fetches and reads JSON. A page that answers everything with HTML counts as
// absent; one that is JSON but not what it should be does not.
func (f *fetcher) document(ctx context.Context, at string, into any) error {
	status, body, err := f.get(ctx, at)
	switch {
	case err != nil:
		return err
	case status >= 500 || status == http.StatusTooManyRequests:
		return fmt.Errorf("%s answers with HTTP %d", hostOf(at), status)
	case status != http.StatusOK || !strings.HasPrefix(strings.TrimLeft(string(body[:min(len(body), 64)]), " \t\r\n"), "{"):
		return errAbsent
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the metadata of %s can't be read", hostOf(at))
	}
	return nil
}

func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return "the server"
}

// discovery finds the authorization server of one upstream.
type discovery struct {
	fetch    *fetcher
	upstream *url.URL
	issuer   string // the only one to use, when configured
	pkce     bool   // the code flow will be used
}

// find follows the challenge to where tokens come from.
func (d *discovery) find(ctx context.Context, ch challenge) (*place, error) {
	resource, err := d.resource(ctx, ch)
	if errors.Is(err, errAbsent) {
		return d.beforeMetadata(ctx)
	}
	if err != nil {
		return nil, err
	}
	if !resourceCovers(resource.Resource, d.upstream) {
		return nil, errors.New("the resource metadata describes another resource than this server")
	}
	issuers := resource.AuthorizationServers
	switch {
	case len(issuers) == 0:
		return nil, errors.New("the resource metadata names no authorization server")
	case d.issuer != "" && !slices.Contains(issuers, d.issuer):
		return nil, errors.New("the server names another authorization server than the configured issuer")
	case d.issuer != "":
		issuers = []string{d.issuer}
	}
	var last error
	for _, issuer := range issuers[:min(len(issuers), 3)] {
		server, err := d.server(ctx, issuer)
		if err == nil {
			return &place{resource: resource.Resource, scopes: cleanScopes(resource.ScopesSupported), server: *server}, nil
		}
		if errors.Is(err, errAbsent) {
			err = fmt.Errorf("the authorization server %s publishes no metadata", hostOf(issuer))
		}
		last = err
	}
	return nil, last
}

// resource fetches the metadata of the upstream: where the challenge says, else at
// the well-known places.
func (d *discovery) resource(ctx context.Context, ch challenge) (*resourceMetadata, error) {
	var found resourceMetadata
	if ch.resourceMetadata != "" {
		err := d.fetch.document(ctx, ch.resourceMetadata, &found)
		if errors.Is(err, errAbsent) {
			err = errors.New("the resource metadata is not where the server says")
		}
		return &found, err
	}
	const known = "/.well-known/oauth-protected-resource"
	origin := d.upstream.Scheme + "://" + d.upstream.Host
	places := []string{origin + known}
	if path := strings.TrimRight(d.upstream.EscapedPath(), "/"); path != "" {
		places = []string{origin + known + path, origin + known}
	}
	for _, at := range places {
		found = resourceMetadata{}
		if err := d.fetch.document(ctx, at, &found); !errors.Is(err, errAbsent) {
			return &found, err
		}
	}
	return nil, errAbsent
}

// beforeMetadata is the rule of 2025-03-26: without resource metadata, the upstream's
// origin is the authorization server, with endpoints at fixed paths when it
// publishes nothing at all.
func (d *discovery) beforeMetadata(ctx context.Context) (*place, error) {
	origin := d.upstream.Scheme + "://" + d.upstream.Host
	if d.issuer != "" && d.issuer != origin {
		return nil, errors.New("the server publishes no resource metadata that names the configured issuer")
	}
	p := &place{resource: canonicalResource(d.upstream)}
	server, err := d.server(ctx, origin)
	switch {
	case errors.Is(err, errAbsent):
		p.server = serverMetadata{
			Issuer: origin, AuthorizationEndpoint: origin + "/authorize",
			TokenEndpoint: origin + "/token", RegistrationEndpoint: origin + "/register",
		}
		// Nothing is published, so nothing says whether PKCE is understood. It is sent.
		return p, d.endpoints(&p.server)
	case err != nil:
		return nil, err
	}
	p.server = *server
	return p, nil
}

// server fetches the metadata of an issuer, in the order of RFC 8414 and of OpenID
// Connect, and believes only what says it is about that very issuer.
func (d *discovery) server(ctx context.Context, issuer string) (*serverMetadata, error) {
	u, err := d.fetch.reach.check(issuer)
	if err != nil {
		return nil, fmt.Errorf("the authorization server can't be used: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, errors.New("the authorization server can't be used: its issuer holds a query")
	}
	origin, path := u.Scheme+"://"+u.Host, strings.TrimRight(u.EscapedPath(), "/")
	const oauth, openid = "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"
	places := []string{origin + oauth, origin + openid}
	if path != "" {
		places = []string{origin + oauth + path, origin + openid + path, origin + path + openid}
	}
	last := errAbsent
	for _, at := range places {
		var found serverMetadata
		err := d.fetch.document(ctx, at, &found)
		switch {
		case errors.Is(err, errAbsent):
			continue
		case err != nil:
			return nil, err
		case found.Issuer != issuer:
			last = fmt.Errorf("the metadata of %s names another issuer", u.Host)
			continue
		}
		if err := d.endpoints(&found); err != nil {
			return nil, err
		}
		if d.pkce && !slices.Contains(found.ChallengeMethods, "S256") {
			return nil, fmt.Errorf("the authorization server %s does not support PKCE with S256", u.Host)
		}
		return &found, nil
	}
	return nil, last
}

// endpoints judges every address that will be used.
func (d *discovery) endpoints(m *serverMetadata) error {
	needed := []string{m.TokenEndpoint}
	if d.pkce {
		needed = append(needed, m.AuthorizationEndpoint)
	}
	for _, at := range needed {
		if at == "" {
			return fmt.Errorf("the authorization server %s lacks an endpoint that is needed", hostOf(m.Issuer))
		}
		if _, err := d.fetch.reach.check(at); err != nil {
			return fmt.Errorf("an endpoint of the authorization server %s can't be used: %w", hostOf(m.Issuer), err)
		}
	}
	return nil
}

// canonicalResource is the upstream's URL as a resource indicator.
func canonicalResource(u *url.URL) string {
	path := u.EscapedPath()
	if path == "/" {
		path = ""
	}
	return strings.ToLower(u.Scheme) + "://" + canonicalHost(u) + path
}

func canonicalHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch strings.ToLower(u.Scheme) {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

// resourceCovers reports whether metadata for a resource speaks for the upstream: the
// same origin, and the same path or one above it. A server often publishes one
// resource for all of its endpoints; another origin is never the same server.
func resourceCovers(resource string, upstream *url.URL) bool {
	r, err := url.Parse(resource)
	if err != nil || r.Opaque != "" || r.User != nil || r.Fragment != "" || r.RawQuery != "" || strings.Contains(resource, "#") {
		return false
	}
	if !strings.EqualFold(r.Scheme, upstream.Scheme) || canonicalHost(r) != canonicalHost(upstream) {
		return false
	}
	above, path := strings.TrimRight(r.EscapedPath(), "/"), strings.TrimRight(upstream.EscapedPath(), "/")
	return above == path || strings.HasPrefix(path, above+"/")
}
