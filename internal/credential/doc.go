// Package credential is how Sluice identifies itself to upstream servers: with
// nothing, with static headers whose secrets come from the environment, a file or a
// command, or with OAuth 2.1 tokens, shared by everybody or one consent per person.
//
// It guarantees that a token is sent only to the upstream it was issued for, and only
// for the caller who agreed; that nothing a client identified itself with is ever
// used; and that no secret appears in an error, a log or a URL. Everything an
// upstream or its authorization server says in discovery is held to be hostile: see
// guard.go for what is fetched and discover.go for what is believed.
//
// Its limits: a token is opaque, so an authorization server that ignores the resource
// indicator can issue one that is good elsewhere; whoever holds a one-time link to the
// consent page and signs in at the authorization server connects their own account to
// the caller named on that page; tokens are not bound to a key (no DPoP).
package credential
