package world

import "time"

// turn is a change of an ad object's status: what it was, and until when. What was
// delivered before a pause stays in the reports.
type turn struct {
	status string
	until  time.Time
}

// turned keeps the status that an object had until now.
func (o *Object) turned(was string, now time.Time) {
	turns, _ := o.Attrs["turns"].([]turn)
	if was != o.Str("status") {
		o.Attrs["turns"] = append(turns[:len(turns):len(turns)], turn{was, now})
	}
}

// ran reports whether an object was active at some time of a day. One without a status
// never stands in the way.
func ran(o *Object, day time.Time) bool {
	turns, _ := o.Attrs["turns"].([]turn)
	night := day.AddDate(0, 0, 1)
	from := time.Time{}
	for _, t := range turns {
		if t.status == "ACTIVE" && from.Before(night) && t.until.After(day) {
			return true
		}
		from = t.until
	}
	status := o.Str("status")
	return (status == "" || status == "ACTIVE") && from.Before(night)
}
