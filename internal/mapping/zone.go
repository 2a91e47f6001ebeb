package mapping

import (
	"time"
	_ "time/tzdata" // zones must mean the same on machines without a zone database
)

const day = 24 * 60 * 60

// zone turns civil times into moments. It is not safe for concurrent use: it
// remembers the offset of the last day.
type zone struct {
	location *time.Location
	// cached is a day (days since 1970) around which no clock change lies, and the
	// offset it has.
	cachedDay    int64
	cachedOffset int64
	cached       bool
}

// moment returns the Unix time of a civil time given as seconds since 1970 as if
// it were UTC, and the code of a warning when a clock change makes it uncertain.
//
// A time that the clocks showed twice is taken as the first of the two, the one
// before the change. A time that the clocks jumped over is read as if they had
// not been changed yet: 02:30 in a night that skips from 02:00 to 03:00 is 03:30
// summer time.
func (z *zone) moment(local int64) (unix int64, warning string) {
	today := local / day
	if local < 0 && local%day != 0 {
		today--
	}
	if z.cached && today == z.cachedDay {
		return local - z.cachedOffset, ""
	}
	// Offsets lie within ±14 hours, so the change that could matter lies between
	// these two moments; a second one never follows within three days.
	before, after := z.offset(today*day-day), z.offset(today*day+2*day)
	if before == after && z.offset(today*day+day/2) == before {
		z.cachedDay, z.cachedOffset, z.cached = today, before, true
		return local - before, ""
	}
	first, second := local-before, local-after
	firstHolds, secondHolds := z.offset(first) == before, z.offset(second) == after
	switch {
	case firstHolds && secondHolds && before != after:
		return min(first, second), WarnAmbiguousLocalTime
	case firstHolds:
		return first, ""
	case secondHolds:
		return second, ""
	}
	return first, WarnNonexistentLocalTime
}

// offset returns the seconds east of UTC at a moment.
func (z *zone) offset(unix int64) int64 {
	_, seconds := time.Unix(unix, 0).In(z.location).Zone()
	return int64(seconds)
}
