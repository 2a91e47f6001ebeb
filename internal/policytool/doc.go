// Package policytool works on policy documents before and beside the gateway: where in
// a file a fault stands, what a document would say of calls, a first document for a
// server's tools, the import of documents of another format, and what a changed document
// would have meant for calls of the past.
//
// Its guarantees: what it writes passes policy.Parse without an error; an import never
// lets through what the original denied without saying so; a replay never guesses: a
// call that can't be judged again is counted as such. Its limits: it judges with the
// same engine as the gateway but counts on its own, in memory, and it does no I/O.
package policytool
