package cli

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
)

// openBrowser shows a person a page: its address on stderr, and the page itself in
// $BROWSER or the system's own browser where there is one.
func openBrowser(stderr io.Writer, env func(string) string) func(string) error {
	return func(url string) error {
		line(stderr, "sign in at %s", url)
		var args []string
		switch own := strings.Fields(env("BROWSER")); {
		case len(own) > 0:
			args = append(own, url)
		case runtime.GOOS == "darwin":
			args = []string{"open", url}
		case runtime.GOOS == "windows":
			args = []string{"rundll32", "url.dll,FileProtocolHandler", url}
		default:
			args = []string{"xdg-open", url}
		}
		// Not waited for, and not an error: the address was printed. Nor is it ended: it may
		// be the browser itself, with somebody signing in.
		cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
		if err := cmd.Start(); err != nil {
			return nil //nolint:nilerr // there is no browser here; a person has the address
		}
		go func() {
			if err := cmd.Wait(); err != nil {
				_, _ = fmt.Fprintln(stderr, "the browser could not be opened; open the address by hand")
			}
		}()
		return nil
	}
}
