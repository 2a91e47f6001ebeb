// Package nodesdk lets Meta's own Node SDK (facebook-nodejs-business-sdk, pinned
// in package-lock.json) judge the sandbox and the encoder: the SDK talks to the
// sandbox unmodified but for its base address, and its hashes must equal those of
// package capi wherever both follow Meta's documents.
//
// Limits: it shows that a client in the field works against the sandbox, not that
// the sandbox answers as Meta does in every case. It needs node and npm.
package nodesdk
