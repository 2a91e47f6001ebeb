// Package sandbox is a stateful double of Meta's Graph API: the Conversions API
// with the dataset edges around it, and by package world all other objects that
// graphspec knows. It listens on loopback, answers with the status codes, error
// texts and headers Meta's API has been seen to use, keeps what it was sent, and
// can be told to fail.
//
// It is an independent judge: its rules are written from the API's description
// and share no code with the encoder they are meant to check.
//
// What it guarantees:
//   - Checks run in a fixed order and the first failure answers; a request is
//     stored whole or not at all.
//   - Every stored event has a deduplication verdict that follows Meta's
//     published rules, judged by a clock that tests can move.
//   - Nothing leaves the process, and no access token is kept or logged.
//
// What it does not do, and where it has to guess:
//   - Meta publishes no text for several failures. Those carry subcodes from
//     9990001 and a title that starts with "[emulator]", so that nobody takes
//     them for real ones. Each row of Errors names its evidence: D Meta's
//     documentation, S source code of Meta, L a live call, C a third party's
//     report, R our own decision.
//   - It matches nobody. Match grades and quality scores are computed from the
//     keys an event carries and only rank events against each other.
//   - A tie between browser and server is won by the event received first, and
//     browser events exist only when a test injects them, as the Conversions
//     API itself carries none.
//   - State lives in memory and is gone when the process ends.
//
// A request goes through: path and version → token and proof → object → body →
// operation → reply. The operation is one of routes.go (events go on through
// decode → checks → store → dedup) or the world's. A batch is many requests.
// Faults can cut in at three points.
package sandbox
