// Package deliver sends the batches of a run and books what became of them.
//
// The order of every request is: attempt row committed, bytes sent, answer booked.
// A crash between the first and the last leaves an open attempt, and that is read
// as "may have been processed". What is certain decides what happens next: a parsed
// refusal means that nothing of the request was processed, so it may be split or
// repeated freely; silence means it may have been, so the same bytes are repeated
// only inside half of Meta's deduplication window, and not at all where a profile
// holds what is unknown.
//
// Batches are leased. Every write is a compare-and-set on a batch's state and fence,
// so several workers may be at one run and a worker that lost its lease changes
// nothing. Its limit: a worker that is paused after its last look at the clock, with
// bytes in the socket, may still have them delivered; the batch is unknown by then.
package deliver
