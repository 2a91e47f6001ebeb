// Package policy reads, checks and decides policy.json, version 1: which tools of an
// MCP server a caller may call, with which arguments, how often, and when a person has
// to agree first.
//
// Its guarantees: what it does not understand denies. A document is taken whole or not
// at all, with every fault named by pointer and code; a condition that can't be judged
// (an absent argument, a value of another type) is UNKNOWN, which denies wherever it
// stands; numbers are compared and summed as the decimals they were written as. A
// decision is a function of document and call alone. Its limits: it does no I/O, keeps
// no time and counts nothing; counters, approvals and the order of their transaction are
// the caller's.
package policy
