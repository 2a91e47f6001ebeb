//go:build !crash

// Package crash names the points at which a process may die between two things that
// belong together.
//
// In the product a point is an empty function. A build with the tag `crash` kills
// itself at the point that SLUICE_CRASH names, as kill -9 would: the crash matrix
// and the tests of recovery use it.
package crash

// Point does nothing.
func Point(string) {}
