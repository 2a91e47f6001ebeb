// Package era lets a client of one era of the protocol talk to a server of the other.
//
// An upstream is asked in its client's own era first; only where that fails an adapter
// stands in between. Its guarantee: what both eras have words for crosses with
// everything that belongs to it, edited by splicing, and what one of them lacks is
// answered clearly instead of vanishing. A question that a server asks in the middle
// of a call reaches the client that declared it can answer it, and no other. Its
// limit: a call that waits for its client's answer is kept by this process, so the
// retry has to reach the same one; docs/mcp.md lists what can't cross.
package era
