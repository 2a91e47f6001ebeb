// Package everything is an MCP server that uses every feature of the protocol, in both
// eras, over HTTP and stdio. The conformance suite and the relay's own tests run against
// it directly and through the relay, and compare.
//
// It stands on the official Go SDK, because a relay is judged best by a server that
// nobody of the relay wrote. What the SDK has no support for (the extensions Tasks and
// Skills) stands beside it. Its limits: it authenticates nobody, keeps all state in
// memory, and its tools do nothing but answer.
package everything

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Modern is the first revision without sessions; revisions compare as strings.
const Modern = "2026-07-28"

// Server is one server with everything. Its HTTP sessions and tasks live until Close.
type Server struct {
	sdk        *mcp.Server
	extensions *extensions
	seal       [32]byte // authenticates requestState

	legacy, stateless http.Handler
}

// New is a server that serves until Close.
func New() *Server {
	s := &Server{}
	_, _ = rand.Read(s.seal[:]) // never fails
	s.extensions = newExtensions()
	capabilities := &mcp.ServerCapabilities{Logging: &mcp.LoggingCapabilities{}}
	capabilities.AddExtension(tasksExtension, nil)
	capabilities.AddExtension(skillsExtension, map[string]any{"directoryRead": true})
	s.sdk = mcp.NewServer(&mcp.Implementation{Name: "everything", Title: "Everything", Version: "1.0.0"}, &mcp.ServerOptions{
		Instructions:       "A server for tests: every feature of the protocol, and no effect on anything.",
		Capabilities:       capabilities,
		CompletionHandler:  complete,
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	s.addTools()
	s.addResources()
	s.addPrompts()

	server := func(*http.Request) *mcp.Server { return s.sdk }
	const limit = 32 << 20
	s.legacy = mcp.NewStreamableHTTPHandler(server, &mcp.StreamableHTTPOptions{
		EventStore: mcp.NewMemoryEventStore(nil), MaxRequestBodyBytes: limit,
	})
	s.stateless = mcp.NewStreamableHTTPHandler(server, &mcp.StreamableHTTPOptions{
		Stateless: true, PropagateRequestCancellation: true, MaxRequestBodyBytes: limit,
	})
	return s
}

// Close ends the sessions and tasks and waits for them.
func (s *Server) Close() {
	var sessions sync.WaitGroup
	for session := range s.sdk.Sessions() {
		sessions.Go(func() { _ = session.Close() })
	}
	sessions.Wait()
	s.extensions.tasks.close()
}

// SDK is the server of the Go SDK inside, for tests that add tools of their own.
func (s *Server) SDK() *mcp.Server { return s.sdk }

func text(parts ...string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.Join(parts, "")}}}
}
