//go:build race

package conformance_test

// raced builds the programs under test with the race detector, as this one is.
const raced = true
