// Package deliver sends the batches of a run and books what became of them.
//
// The order of every request is: attempt row committed, bytes sent, answer booked.
// A crash between the first and the last leaves an open attempt, and that is read
// as "may have been processed". What is certain decides what happens next: a parsed
// refusal means that nothing of the request was processed, so it may be split or
// repeated freely; silence means it may have been, so the same bytes are repeated
// only inside half of Meta's deduplication window.
package deliver
