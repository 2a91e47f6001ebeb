package config

// MissingSecret is a configured secret that is not there.
type MissingSecret struct {
	For  string // the header, variable or key that needs it
	Env  string // the variable that is not set
	File string // or the file that can't be read or is empty
}

// Place is where it was looked for.
func (m MissingSecret) Place() string {
	if m.Env != "" {
		return "variable " + m.Env
	}
	return "file " + m.File
}

// MissingSecrets names what a server is configured with and does not have now. What a
// command prints is not asked for.
func (c *Config) MissingSecrets(server string) (missing []MissingSecret) {
	s := c.MCP.Servers[server]
	look := func(place string, v MCPValue) {
		switch {
		case v.Env != "" && c.env[v.Env] == "":
			missing = append(missing, MissingSecret{For: place, Env: v.Env})
		case v.File != "":
			if text, err := readBounded(v.File); err != nil || len(text) == 0 {
				missing = append(missing, MissingSecret{For: place, File: v.File})
			}
		}
	}
	for _, name := range sorted(s.Env) {
		v := s.Env[name]
		if _, set := c.env[v.Env]; v.Env != "" && !set { // an empty one is passed on
			missing = append(missing, MissingSecret{For: "env." + name, Env: v.Env})
		}
	}
	for _, name := range sorted(s.Headers) {
		look("headers."+name, s.Headers[name])
	}
	if s.OAuth != nil {
		look("oauth.client_secret", s.OAuth.ClientSecret)
		look("oauth.client_key", s.OAuth.ClientKey)
	}
	return missing
}
