// Package conformance lets outsiders judge the relay: the official MCP conformance
// suite, the MCP Inspector, a server and clients on the TypeScript SDK, all pinned in
// package-lock.json. Everything runs twice or more, directly and through `sluice proxy`,
// and what is compared is the difference: the relay may change no verdict.
//
// Limits: it shows that a relay which lets everything pass is invisible to these
// programs, not what policy does to a call, and it measures nothing. It needs npm, and
// Node 22.19 or newer, which the lock file brings for the usual machines.
package conformance
