// Package enforce is what a gateway has to remember between calls, as a contract:
// quota that was used and is reserved, calls that wait for a person, what was done
// before, and the record of every decision and outcome.
//
// Its guarantees, which every store keeps and the suite in enforcetest proves: a call is
// admitted only if every limit has room for it, all limits at once or none; its decision
// is recorded in the same step, before the caller may forward anything; an approval is
// consumed in that step too, once. What was reserved by a process that died stays used,
// and is reported as ambiguous. A store that can't be written admits nothing.
//
// Its limit: it decides nothing. Which counters a call touches and who may approve is
// said by those who ask.
package enforce
