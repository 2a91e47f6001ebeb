// Package gateway is what stands around upstream servers: interception, bounds on
// calls under way, traces and metrics, and several servers that look like one.
// Everything in it wraps an exchange.Upstream and is one.
//
// Its guarantees: every request and notification of a client passes the interceptor,
// in both eras; a decorator that need not look at answers hands the sink on as it is,
// so that an answer can still be relayed whole; what an aggregate cannot reach it
// names, and serves the rest. Its limits: it decides nothing by itself (policy plugs
// in as an exchange.Interceptor), and the answers of a client to a server's requests
// pass without interception.
package gateway
