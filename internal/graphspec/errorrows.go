package graphspec

import (
	"fmt"
	"slices"
)

// ErrorRows is the catalogue of failures: the list of the API as a whole, and those of
// its parts. A part with rows of its own keeps them in its own file and names the list
// here.
var ErrorRows = slices.Concat(
	coreErrors,
	pageErrors,
	messagingErrors,
	adErrors,
	instagramErrors,
	threadsErrors,
	callErrors,
	shopErrors,
	insightErrors,
)

func useCaseMessage(code int, words string) string {
	return fmt.Sprintf("(#%d) %s. Wait a bit and try again.", code, words)
}

// Match finds what an answer's numbers mean, nil when nothing is known of them. A row
// with the subcode comes first, whatever its code; then the code's own row.
func Match(code, subcode int) *ErrorRow {
	var bySubcode, byCode *ErrorRow
	for i := range ErrorRows {
		r := &ErrorRows[i]
		switch {
		case subcode != 0 && r.Subcode == subcode && r.Code == code:
			return r
		case subcode != 0 && r.Subcode == subcode && bySubcode == nil:
			bySubcode = r
		case r.Code == code && r.Subcode == 0 && byCode == nil:
			byCode = r
		}
	}
	if bySubcode != nil {
		return bySubcode
	}
	if byCode == nil && code >= 200 && code <= 299 {
		return Match(200, 0)
	}
	return byCode
}
