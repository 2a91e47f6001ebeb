package credential

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"sluice/internal/fault"
)

// Header is one static header of an upstream.
type Header struct {
	Name  string
	Value Value
}

// reference is ${NAME} in the value of a header flag.
var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// literalRefused are headers that hold nothing but a secret.
var literalRefused = []string{"Authorization", "Proxy-Authorization", "Cookie"}

// ParseHeaderFlags reads the values of `--header 'Name: value'`, in which ${NAME}
// stands for a variable of the environment. An Authorization header written out is
// refused: a command line can be read by every process of the machine, and stays in
// the client's configuration and in the shell's history.
func ParseHeaderFlags(flags []string, getenv func(string) string) ([]Header, error) {
	list := make([]Header, 0, len(flags))
	for _, flag := range flags {
		h, err := parseHeaderFlag(flag, getenv)
		if err != nil {
			return nil, err
		}
		for _, other := range list {
			if other.Name == h.Name {
				return nil, fault.New(fault.Usage, "--header %s is given twice", h.Name)
			}
		}
		list = append(list, h)
	}
	return list, nil
}

func parseHeaderFlag(flag string, getenv func(string) string) (Header, error) {
	name, value, ok := strings.Cut(flag, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok {
		// Without the text: whoever forgot the name may have written the secret alone.
		return Header{}, fault.New(fault.Usage, "a --header has no colon").WithFix("write it as 'Name: value'")
	}
	if err := CheckHeaderName(name); err != nil {
		return Header{}, fault.New(fault.Usage, "--header: %v", err)
	}
	name = http.CanonicalHeaderKey(name)
	if strings.TrimSpace(value) == "" {
		return Header{}, fault.New(fault.Usage, "--header %s has no value", name)
	}
	if isSecretHeader(name) && !reference.MatchString(value) {
		return Header{}, fault.New(fault.Usage,
			"--header %s holds the secret itself: every process of this machine can read a command line, and it stays in shell history and in the client's configuration", name).
			WithFix("put the secret into a variable and name it: --header '%s: %s'", name, exampleOf(name))
	}
	var missing error
	expanded := reference.ReplaceAllStringFunc(value, func(match string) string {
		key := match[2 : len(match)-1]
		switch {
		case !variable.MatchString(key):
			missing = fault.New(fault.Usage, "--header %s: ${…} does not hold the name of a variable", name)
		case strings.TrimSpace(getenv(key)) == "":
			missing = fault.New(fault.Usage, "--header %s needs the variable %s, which is not set", name, key).
				WithFix("set %s in the environment that starts Sluice (in an MCP client's configuration: under \"env\")", key)
		}
		return strings.TrimSpace(getenv(key))
	})
	if missing != nil {
		return Header{}, missing
	}
	if !validHeaderValue(expanded) {
		return Header{}, fault.New(fault.Usage, "--header %s holds a line break or another character that a header can't carry", name)
	}
	return Header{Name: name, Value: Value{fixed: expanded}}, nil
}

func exampleOf(name string) string {
	if name == "Cookie" {
		return "session=${TOKEN}"
	}
	return "Bearer ${TOKEN}"
}

func isSecretHeader(name string) bool {
	for _, s := range literalRefused {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

// ownHeaders are written by the transport, or end at it.
var ownHeaders = []string{
	"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host",
	"Keep-Alive", "Last-Event-ID", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Origin",
}

// CheckHeaderName says why a header of this name can't be configured.
func CheckHeaderName(name string) error {
	if !validHeaderName(name) {
		return errors.New("the name of a header is missing or holds a character that it can't have")
	}
	lower := strings.ToLower(name)
	for _, own := range ownHeaders {
		if strings.EqualFold(own, name) {
			return fmt.Errorf("%s is written by Sluice itself", http.CanonicalHeaderKey(name))
		}
	}
	if strings.HasPrefix(lower, "mcp-") {
		return fmt.Errorf("%s belongs to the protocol and is written by Sluice itself", http.CanonicalHeaderKey(name))
	}
	return nil
}

// validHeaderName reports whether name is a token of RFC 9110.
func validHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// validHeaderValue reports whether a value can't end its header or hide in it.
func validHeaderValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}
