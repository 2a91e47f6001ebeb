package cli_test

import "testing"

// Whoever reaches the port acts with the token: it is never open to other machines.
func TestMetaServerListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "example.com:80", "127.0.0.1"} {
		o := s.run("mcp", "--listen", address)
		if o.code != 2 {
			t.Errorf("%s: exit %d\n%s%s", address, o.code, o.stdout, o.stderr)
		}
		has(t, o.stderr, "--listen")
	}
}

func TestMetaServerNamesTheSetThatWasMeant(t *testing.T) {
	t.Parallel()
	s := open(t)
	o := s.run("mcp", "--sets", "ads.reed")
	if o.code != 2 {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.stderr, "ads.read")
}
