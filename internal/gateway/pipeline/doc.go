// Package pipeline is what every call of an agent passes: who is it, what may it do,
// does a person have to agree, is there quota, forward, settle, record.
//
// Its guarantees: a call is judged by one snapshot of its policies, and forwarded as the
// very bytes that were judged; nothing is forwarded before its decision is recorded; a
// denial is a tool result that says which rule denied, and what would not be found is
// not there; whatever fails, denies.
//
// Its limits: it sees what passes its calls and the streams that it is put around, and
// it forgets nothing only because an enforce.Store remembers. Whether the tool calls a
// result of more than a megabyte an error is not known where it is relayed whole; quota is
// the same either way. The retry of a call that the upstream had a question about is a
// call of its own: it takes quota again, and a person's approval again.
package pipeline
