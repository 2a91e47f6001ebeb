// Package approve is the people's side of the gateway: calls that wait for somebody's
// yes, who may say it, who is told, and what was called.
//
// Its guarantees: an agent's token decides nothing; where four eyes are asked for, the
// member who made the grant does not decide; a decision is in the audit log before it
// takes effect, and takes effect once, whoever races; arguments are shown to those who
// may decide and to nobody else, and no notification holds any of their values. Its
// limits: notifications wait in memory, so one that was not delivered when the process
// ends is lost (escalation and the list are not); and whoever holds the state directory
// acts as its owner.
package approve
