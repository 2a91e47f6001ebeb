// Package capi is the model of Meta's Conversions API: it normalises and hashes
// customer information, checks events, and writes and reads their wire form.
//
// The package is pure. It opens no connection, reads no file, keeps no state
// between events and asks for the time only through Options.Now.
//
// # What is guaranteed
//
//   - Encoder.Append never writes an event that it found a reason to refuse, and
//     it reports every reason, not only the first.
//   - Customer information that Meta wants hashed is never written in clear.
//   - The same event gives the same bytes, which are their own RFC 8785 (JCS)
//     canonical form, so that a digest over them is stable. There is one
//     exception: lead_id and fb_login_id are integers that may exceed 2^53, which
//     RFC 8785 would round. They are written exactly.
//   - No fault, message or error holds a value of the event.
//
// # What is not
//
// Meta documents only part of its rules. Where its pages are silent or contradict
// each other, the choice made here is written beside the code. An event that
// passes can still be refused by Meta; one that Meta accepts may match nobody.
//
// # Reading the code
//
// event.go is the model, encode*.go write it, parse*.go read it, check*.go judge
// finished bytes without sharing the encoder's code. Each family of customer
// information has a file (email.go, phone.go, birthdate.go ...). codes.go lists
// every fault with its remedy.
package capi
