package outcome

import "slices"

// Ranks is the order of the outcomes of one sale, strongest first, unless a
// profile's policy names another: cash that came in, then orders, then pipeline.
var Ranks = []string{"payment_received", "order_placed", "closed_won"}

// Rank returns the place of an outcome among the outcomes of one sale; those that
// are not ranked come behind all that are.
func Rank(ranks []string, outcome string) int {
	if len(ranks) == 0 {
		ranks = Ranks
	}
	if i := slices.Index(ranks, outcome); i >= 0 {
		return i
	}
	return len(ranks)
}
