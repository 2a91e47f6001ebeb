package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// storedSchedule adds a schedule over stored orders and payments and signs for it.
func (w *world) storedSchedule(args ...string) {
	w.t.Helper()
	w.ok(nil, append([]string{"schedule", "add", "shops", "--dataset", dataset}, args...)...)
	w.authorize()
}

// Orders that are still held when their day is sent go with a later window: a
// schedule leaves no hole, whatever the hold.
func TestHeldOrdersOfADayAreSentByALaterWindow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.storedSchedule("--outcome", "order_placed", "--outcome", "payment_received", "--cron", "30 6 * * *")
		w.morning()
		m := w.file("m.yaml", ordersMapping+"sale_key: order\n")
		text := ordersHead
		for i, before := range []time.Duration{7 * time.Hour, 12 * time.Hour, 26 * time.Hour} { // two are held
			text += orderRow(fmt.Sprint("A", i), "order", w.clock().Add(-before), "", "")
		}
		w.ok(nil, "outcomes", "import", w.file("a.csv", text), "-m", m)
		w.ok(nil, "outcomes", "import", w.file("p.csv", ordersHead+orderRow("P1", "paid", w.clock().Add(-12*time.Hour), "", "")), "-m", m)
		w.ok(nil, "work", "--until-idle")
		if got := w.windows()[0]; got.State != "completed" || got.Delivered != 2 {
			t.Fatalf("window %+v", got)
		}
		w.ok(nil, "work", "--until-idle")
		if n := len(w.windows()); n != 1 {
			t.Errorf("%d windows before the next tick", n)
		}
		w.morning()
		w.ok(nil, "work", "--until-idle")
		got := w.windows()[0]
		if got.Window != w.day(2)+".."+w.day(1) || got.Delivered != 2 {
			t.Errorf("the next morning %+v", got)
		}
		w.morning()
		w.ok(nil, "work", "--until-idle")
		if got := w.windows()[0]; got.Window != w.day(1)+".."+w.day(1) {
			t.Errorf("the morning after %+v", got)
		}
		if s := w.stored(); s.Kept != 4 || s.Duplicates != 0 {
			t.Errorf("sandbox %+v", s)
		}
	})
}

// A window that ends today is read again at every tick, and at the first of the next
// day: what comes in later in the day is sent.
func TestAWindowOfTodayIsReadAgain(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m := w.file("m.yaml", ordersMapping)
		w.advance(26*time.Hour - time.Duration(w.clock().Hour())*time.Hour) // after two in the morning
		w.storedSchedule("--outcome", "payment_received", "--cron", "30 * * * *", "--lag-days", "0")
		n := 0
		sell := func() {
			n++
			w.ok(nil, "outcomes", "import", w.file(fmt.Sprint(n, ".csv"), ordersHead+orderRow(fmt.Sprint("P", n), "paid", w.clock().Add(-time.Minute), "", "")), "-m", m)
		}
		var keys []string
		for i := range 3 {
			w.morning()
			sell()
			w.ok(nil, "work", "--until-idle")
			got := w.windows()[0]
			if got.State != "completed" || got.Delivered != 1 {
				t.Fatalf("tick %d: %+v", i, got)
			}
			keys = append(keys, got.Run)
		}
		if keys[0] == keys[1] || keys[1] == keys[2] {
			t.Errorf("runs %s", strings.Join(keys, ", "))
		}
		w.advance(time.Duration(23-w.clock().Hour()) * time.Hour)
		w.ok(nil, "work", "--until-idle")
		sell() // late, before midnight
		w.morning()
		w.ok(nil, "work", "--until-idle")
		if s := w.stored(); s.Kept != 4 || s.Duplicates != 0 {
			t.Errorf("sandbox %+v, windows %+v", s, w.windows())
		}
	})
}
