package bearer

import (
	"encoding/json"
	"net/http"
	"strings"
)

// MetadataPath is where a client looks for the metadata of a protected resource
// (RFC 9728 §3.1): before the resource's own path.
const MetadataPath = "/.well-known/oauth-protected-resource"

// Metadata is the document of RFC 9728 for a resource.
type Metadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
	Methods  []string `json:"bearer_methods_supported"`
	Name     string   `json:"resource_name"`
}

// ServeMetadata answers for the resource at base + path, where it is one.
func (v *Verifier) ServeMetadata(w http.ResponseWriter, r *http.Request, base string, is func(path string) bool) {
	path := strings.TrimPrefix(r.URL.Path, MetadataPath)
	if v == nil || !is(path) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*") // clients in browsers read it; it holds nothing else's
	_ = json.NewEncoder(w).Encode(Metadata{
		Resource: base + path, Servers: v.Issuers(), Scopes: []string{"mcp:read", "mcp:write"}, Methods: []string{"header"}, Name: "Sluice",
	})
}

// Challenge is the WWW-Authenticate of a refusal (RFC 6750 §3, RFC 9728 §5.1). err is
// empty where no token was shown.
func (v *Verifier) Challenge(base, path, err string) string {
	parts := []string{`realm="sluice"`}
	if err != "" {
		parts = append(parts, `error="`+err+`"`)
	}
	if err == "insufficient_scope" || v != nil {
		parts = append(parts, `scope="mcp:read mcp:write"`)
	}
	if v != nil {
		parts = append(parts, `resource_metadata="`+base+MetadataPath+path+`"`)
	}
	return "Bearer " + strings.Join(parts, ", ")
}
