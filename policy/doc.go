// Package policy reads, checks and decides policy.json, version 1: which tools of an
// MCP server a caller may call, with which arguments, how often, and when a person has
// to agree first.
//
// Its guarantees: what it does not understand denies. A document is taken whole or not
// at all, with every fault named by pointer and code; a condition that can't be judged
// (an absent argument, a value of another type) is UNKNOWN, which denies wherever it
// stands; numbers are compared and summed as the decimals they were written as. An
// argument whose name also comes in other capitals, or only so, can't be judged either:
// what reads Amount as amount would act on what no rule looked at. A decision is a
// function of document and call alone, and costs about a microsecond and no memory.
//
// Its limits: it does no I/O, keeps no time and counts nothing; counters, approvals and
// the order of their transaction are the caller's. It takes arguments as the wire has
// checked them: a JSON object, well formed, no member twice. What it walks through on
// its way to a value it checks again; what it steps over it does not.
package policy
