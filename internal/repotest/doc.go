// Package repotest holds the tests of the repository itself: which package may
// import which, what the binary links and weighs, under which licences, whether
// generated docs match the code they describe, and what must not be in any file.
//
// It has no code outside its tests. `go test ./internal/repotest -update`
// (`make update`) rewrites the committed lists and docs; the diff is what a
// reviewer looks at.
//
// Limits: packages and modules are those of a build for linux/amd64, and the import
// graph shows what is imported, not what passes through interfaces.
package repotest
