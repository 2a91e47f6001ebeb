package credential_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/mcpwire/exchange"
)

func TestHeaderFlags(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOKEN": "CANARY-1", "EMPTY": "", "TWO": "a\nb"}
	tests := []struct {
		name  string
		flags []string
		want  http.Header
		err   string
	}{
		{name: "a variable", flags: []string{"authorization: Bearer ${TOKEN}"}, want: http.Header{"Authorization": {"Bearer CANARY-1"}}},
		{name: "a plain value", flags: []string{"X-Team: growth"}, want: http.Header{"X-Team": {"growth"}}},
		{name: "a colon in the value", flags: []string{"X-At: a:b"}, want: http.Header{"X-At": {"a:b"}}},
		{name: "a dollar that names nothing", flags: []string{"X-Price: $5"}, want: http.Header{"X-Price": {"$5"}}},
		{name: "two", flags: []string{"X-A: 1", "X-B: ${TOKEN}"}, want: http.Header{"X-A": {"1"}, "X-B": {"CANARY-1"}}},
		{name: "the secret itself", flags: []string{"Authorization: Bearer CANARY-2"}, err: "every process of this machine can read a command line"},
		{name: "the secret itself, a cookie", flags: []string{"cookie: CANARY-2"}, err: "holds the secret itself"},
		{name: "an unset variable", flags: []string{"Authorization: Bearer ${NOPE}"}, err: "needs the variable NOPE, which is not set"},
		{name: "an empty variable", flags: []string{"Authorization: Bearer ${EMPTY}"}, err: "needs the variable EMPTY"},
		{name: "no variable's name", flags: []string{"Authorization: Bearer ${a b}"}, err: "does not hold the name of a variable"},
		{name: "no colon", flags: []string{"CANARY-3"}, err: "has no colon"},
		{name: "no name", flags: []string{": x"}, err: "the name of a header is missing"},
		{name: "a name with a blank", flags: []string{"X Y: x"}, err: "the name of a header is missing or holds"},
		{name: "no value", flags: []string{"X-A:"}, err: "has no value"},
		{name: "a line break", flags: []string{"X-A: ${TWO}"}, err: "line break"},
		{name: "twice", flags: []string{"X-A: 1", "x-a: 2"}, err: "given twice"},
		{name: "one of the protocol", flags: []string{"Mcp-Session-Id: x"}, err: "belongs to the protocol"},
		{name: "one of the transport", flags: []string{"Content-Length: 1"}, err: "written by Sluice itself"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			list, err := credential.ParseHeaderFlags(tt.flags, func(k string) string { return env[k] })
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				if f, ok := fault.As(err); !ok || strings.Contains(f.Message+f.Fix, "CANARY") {
					t.Errorf("not a fault, or it repeats the secret: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c, err := credential.NewStatic(credential.StaticOptions{Server: "crm", Headers: list})
			if err != nil {
				t.Fatal(err)
			}
			got := http.Header{}
			if err := c.Authorize(t.Context(), exchange.Caller{}, got); err != nil {
				t.Fatal(err)
			}
			for name, values := range tt.want {
				if got.Get(name) != values[0] {
					t.Errorf("%s: %q, want %q", name, got.Get(name), values[0])
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("headers %d, want %d", len(got), len(tt.want))
			}
		})
	}
}

func TestARefusedSecretIsReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	places := map[string]credential.Value{
		"file":    {Prefix: "Bearer ", File: path},
		"command": {Prefix: "Bearer ", Command: []string{"cat", path}},
	}
	for name, value := range places { // one after the other: they share the file
		at := &clock{}
		write("old")
		c, err := credential.NewStatic(credential.StaticOptions{Server: "crm", Headers: []credential.Header{{Name: "authorization", Value: value}}, Now: at.now})
		if err != nil {
			t.Fatal(err)
		}
		at.add(1)
		sends := func() string {
			h := http.Header{}
			if err := c.Authorize(t.Context(), exchange.Caller{}, h); err != nil {
				t.Fatal(err)
			}
			return h.Get("Authorization")
		}
		if got := sends(); got != "Bearer old" {
			t.Fatalf("%s: sends %q", name, got)
		}
		write("new")
		if got := sends(); got != "Bearer old" {
			t.Errorf("%s: the secret was read again for a call that nobody refused: %q", name, got)
		}
		at.add(10e9)
		again, err := c.Refused(t.Context(), exchange.Caller{}, http.StatusUnauthorized, nil)
		if !again || err != nil || sends() != "Bearer new" {
			t.Errorf("%s: after a refusal: again %v, %v, sends %q", name, again, err, sends())
		}
		at.add(10e9)
		again, err = c.Refused(t.Context(), exchange.Caller{}, http.StatusUnauthorized, nil)
		if e := exchange.As(err); again || e.Code != exchange.CredentialLost || strings.Contains(e.Error()+e.Fix, "new") {
			t.Errorf("%s: refused again with the same secret: again %v, %v", name, again, err)
		}
	}
}

func TestASecretThatIsNotThere(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value credential.Value
		want  string
	}{
		"variable":       {credential.Value{Env: "SLUICE_TEST_UNSET"}, "the variable SLUICE_TEST_UNSET is not set"},
		"file":           {credential.Value{File: "/nonexistent/token"}, "can't be read"},
		"command":        {credential.Value{Command: []string{"sh", "-c", "echo CANARY; echo CANARY >&2; exit 1"}}, "the command sh failed"},
		"empty":          {credential.Value{Command: []string{"true"}}, "holds nothing"},
		"several lines":  {credential.Value{Command: []string{"printf", "CANARY\nCANARY"}}, "line break"},
		"endless output": {credential.Value{Command: []string{"sh", "-c", "yes CANARY | head -c 200000"}}, "failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := credential.NewStatic(credential.StaticOptions{Server: "crm", Headers: []credential.Header{{Name: "X-Key", Value: tt.value}}})
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			err = c.Authorize(t.Context(), exchange.Caller{}, h)
			if e := exchange.As(err); err == nil || e.Code != exchange.CredentialLost || !strings.Contains(e.Message, tt.want) || strings.Contains(e.Error(), "CANARY") {
				t.Errorf("error %v, want CredentialLost with %q", err, tt.want)
			}
			if len(h) != 0 {
				t.Errorf("the request carries %d headers", len(h))
			}
		})
	}
}
