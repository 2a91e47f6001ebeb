// Package mapping turns rows of a business's data into conversions, by a document
// that a person writes: mapping.yaml.
//
// Parse reads the document once and reports everything that is wrong with it at
// its line. A Mapper then turns the rows of one order into a Result: an event, a
// reason why the order is left out on purpose, or a reason why it can't become an
// event. The same rows and the same document always give the same result; the
// order in which rows of one order arrive does not matter.
//
// Guarantees: amounts are exact, nothing is guessed (a number in a notation that
// was not declared, a phone in scientific notation and an unknown outcome are
// reported, not repaired), and no message holds a value of a column, only its
// first character and its length.
//
// Limits: there is no scripting, a document is at most 64 KiB, a lookup table at
// most 4 MiB and 100 000 entries. Identifiers are passed on as they were written:
// normalising and hashing them is the business of package capi.
package mapping
