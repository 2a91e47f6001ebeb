package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

const (
	callback = "http://localhost:3000/callback"
	// clientDocument is the client id that the suite expects of clients that describe
	// themselves.
	clientDocument = "https://conformance-test.local/client-metadata.json"
)

// oauth is the SDK's own OAuth client, for comparison with Sluice's.
func oauth(given scenarioContext) (auth.OAuthHandler, error) {
	config := &auth.AuthorizationCodeHandlerConfig{
		RedirectURL:              callback,
		AuthorizationCodeFetcher: fetchCode,
		ClientIDMetadataDocumentConfig: &auth.ClientIDMetadataDocumentConfig{
			URL: clientDocument,
		},
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{RedirectURIs: []string{callback}},
		},
	}
	if given.ClientID != "" && given.ClientSecret != "" {
		config.PreregisteredClient = &oauthex.ClientCredentials{
			ClientID: given.ClientID, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: given.ClientSecret},
		}
	}
	return auth.NewAuthorizationCodeHandler(config)
}

// fetchCode reads the code from where the authorization server redirects to, without
// going there.
func fetchCode(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args.URL, nil)
	if err != nil {
		return nil, err
	}
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := stay.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	q := to.Query()
	return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
}

// environ names the client that a scenario gives, as a person would who registered
// one by hand.
func (given scenarioContext) environ() []string {
	env := []string{"SLUICE_OAUTH_CLIENT_METADATA_URL=" + clientDocument}
	if given.ClientID != "" {
		env = append(env, "SLUICE_OAUTH_CLIENT_ID="+given.ClientID, "SLUICE_OAUTH_CLIENT_SECRET="+given.ClientSecret,
			"SLUICE_OAUTH_CLIENT_KEY="+given.PrivateKey)
	}
	if strings.HasPrefix(os.Getenv("MCP_CONFORMANCE_SCENARIO"), "auth/client-credentials-") {
		env = append(env, "SLUICE_OAUTH_GRANT=client_credentials")
	}
	return env
}
