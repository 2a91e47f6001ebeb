// Package pipeline is what every call of an agent passes: who is it, what may it do,
// does a person have to agree, is there quota, forward, settle, record.
//
// Its guarantees: a call is judged by one snapshot of its policies, and forwarded as the
// very bytes that were judged; nothing is forwarded before its decision is recorded; a
// denial is a tool result that says which rule denied, and what would not be found is
// not there; whatever fails, denies. Its limits: it sees what passes the interceptor and
// the streams it is put around, and it forgets nothing only because an enforce.Store
// remembers.
package pipeline
