// Package mcpserver is an MCP server in this process: tools behind the contract that
// remote servers have, for clients of both eras.
package mcpserver
