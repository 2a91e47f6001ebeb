// Package journal enforces on one machine: it is an enforce.Store over a directory that
// any number of processes share.
//
// How: every process holds the whole state in memory, as an enforce.Book, and what
// changes it is a record in a journal file. An operation takes the lock of the directory,
// reads what others have written since, decides, and appends its own records with one
// write; concurrent callers of one process share a turn. Some milliseconds later whoever
// gets the fold lock hands the call records on to the audit log. When a journal file has
// grown, the next one begins with a snapshot of the state; the older ones are what calls
// are searched in, until their time is over.
//
// Its guarantees: limits are exact over all processes. What was admitted survives the end
// of any of them at any moment; calls that a dead process had under way end ambiguous,
// and what they took stays used. A write that did not end is cut off by whoever writes
// next. No call record is handed on twice, none is left out, also where the directory or
// the audit log was put back to an earlier state. What can't be read, written
// or handed on for a minute denies. Its limits: one machine, a local disk. A power cut
// may take the last records with it, unless Durability is PowerLoss. Time is the
// system clock's, except that it stands still rather than go back up to five minutes;
// a longer way back is believed, and what was taken in the time that has not come yet
// counts in the windows that are open then; a window that a jump ahead ended is over.
package journal
