// Command client is an MCP client on the official Go SDK that plays the client
// scenarios of the conformance suite: directly, through `sluice proxy` as a child on
// stdio, or through `sluice proxy --listen`. The suite starts it with the URL of its own
// server as the last argument, and the scenario in the environment.
//
// With --browse it is the browser of a test: it opens the URL, follows redirects and
// agrees to everything by doing nothing else.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	var o options
	browse := flag.Bool("browse", false, "open the URL as a browser would")
	flag.StringVar(&o.via, "via", "direct", "direct, stdio or http")
	flag.StringVar(&o.sluice, "sluice", "", "path of the sluice binary, for stdio and http")
	flag.StringVar(&o.policy, "policy", "", "policy.json that the relay decides by")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: client [--via direct|stdio|http] [--sluice PATH] [--policy FILE] URL")
		os.Exit(2)
	}
	o.url = flag.Arg(0)
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	run := func() error { return play(ctx, o) }
	if *browse {
		run = func() error { return open(ctx, o.url) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

type options struct {
	via, sluice, policy, url string
}

// open is what a person does in a browser whose authorization server asks nothing.
func open(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// transport is the way to the suite's server. end stops what was started for it.
func (o options) transport(ctx context.Context, given scenarioContext) (t mcp.Transport, end func(), err error) {
	switch o.via {
	case "direct":
		handler, err := oauth(given)
		return &mcp.StreamableClientTransport{Endpoint: o.url, OAuthHandler: handler}, func() {}, err
	case "stdio":
		cmd := o.proxy(ctx, given)
		cmd.Stderr = os.Stderr
		return &mcp.CommandTransport{Command: cmd, TerminateDuration: 5 * time.Second}, func() {}, nil
	case "http":
		cmd := o.proxy(ctx, given, "--listen", "127.0.0.1:0")
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, nil, err
		}
		end := func() {
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
		}
		first, err := bufio.NewReader(out).ReadString('\n')
		url, ok := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
		if err != nil || !ok {
			end()
			return nil, nil, fmt.Errorf("the relay did not say where it listens: %q, %w", first, err)
		}
		return &mcp.StreamableClientTransport{Endpoint: url}, end, nil
	default:
		return nil, nil, errors.New("--via is direct, stdio or http")
	}
}

func (o options) proxy(ctx context.Context, given scenarioContext, more ...string) *exec.Cmd {
	args := append([]string{"proxy", "--upstream", o.url}, more...)
	if o.policy != "" {
		args = append(args, "--policy", o.policy)
	}
	cmd := exec.CommandContext(ctx, o.sluice, args...)
	cmd.Env = append(os.Environ(), given.environ()...)
	if self, err := os.Executable(); err == nil {
		cmd.Env = append(cmd.Env, "BROWSER="+self+" --browse")
	}
	// Consents are kept beside the state; every scenario starts without any.
	if dir, err := os.MkdirTemp("", "conformance-client-"); err == nil {
		cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+dir)
		context.AfterFunc(ctx, func() { _ = os.RemoveAll(dir) })
	}
	return cmd
}

// scenarioContext is what the suite tells the client besides the URL.
type scenarioContext struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	PrivateKey   string `json:"private_key_pem"`
	ToolCalls    []struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"toolCalls"`
}

func readContext() (scenarioContext, error) {
	var c scenarioContext
	text := os.Getenv("MCP_CONFORMANCE_CONTEXT")
	if text == "" {
		return c, nil
	}
	return c, json.Unmarshal([]byte(text), &c)
}
