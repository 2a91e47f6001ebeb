package capi_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"sluice/capi"
)

// benchBatch is Meta's limit of events per request.
const benchBatch = 1000

// benchEvents makes shop sales with nine hashed keys and two contents. What
// identifies a person differs from event to event; town, zip, state and country
// come from the few hundred values a shop sees.
func benchEvents(n int) []capi.Event {
	first := []string{"Mary", "Jean-Luc", "Anna", "ROBERT", "Chloe", "Oliver", "Fatima", "Li"}
	last := []string{"Smith", "O'Brien", "Garcia", "van der Berg", "Jones", "MILLER", "Nguyen", "Kowalski"}
	towns := []string{"London", "Manchester", "Leeds", "St. Albans", "York", "Stoke-on-Trent", "Bath", "Ely"}
	events := make([]capi.Event, n)
	for i := range events {
		events[i] = capi.Event{
			EventName:    "Purchase",
			EventTime:    benchTime().Unix() - int64(i%3600),
			EventID:      fmt.Sprintf("wb1_%032d", i),
			ActionSource: capi.PhysicalStore,
			UserData: capi.UserData{
				Email:      []string{fmt.Sprintf("Customer.%d@Example.com", i)},
				Phone:      []string{fmt.Sprintf("+447700%06d", i%1000000)},
				FirstName:  []string{fmt.Sprintf("%s%d", first[i%len(first)], i)},
				LastName:   []string{fmt.Sprintf("%s%d", last[i%len(last)], i)},
				City:       []string{towns[i%len(towns)]},
				State:      []string{"England"},
				Zip:        []string{fmt.Sprintf("LS%d %dAA", i%30, i%10)},
				Country:    []string{"GB"},
				ExternalID: []string{fmt.Sprintf("cust-%d", i)},
			},
			CustomData: capi.CustomData{
				Currency: "GBP",
				Value:    capi.Some(capi.Decimal(349700)),
				OrderID:  fmt.Sprintf("%d", 536365+i),
				Contents: []capi.Content{
					{ID: "85123A", Quantity: capi.Some(int64(6)), ItemPrice: capi.Some(capi.Decimal(25500))},
					{ID: "71053", Quantity: capi.Some(int64(2)), ItemPrice: capi.Some(capi.Decimal(98350))},
				},
			},
		}
	}
	return events
}

func benchTime() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// BenchmarkEncode measures normalising, hashing, checking and writing, in batches
// of a full request. One iteration is one event.
func BenchmarkEncode(b *testing.B) {
	events := benchEvents(64 * benchBatch)
	enc, err := capi.NewEncoder(capi.Options{Now: benchTime})
	if err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 0, 2<<20)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%benchBatch == 0 {
			body = body[:0]
		}
		var report *capi.Report
		body, report = enc.Append(body, &events[n%len(events)])
		if report.Keys.Len() != 9 || len(report.Faults) != 0 {
			b.Fatalf("keys %s, faults %v", report.Keys, report.Faults)
		}
	}
	perEvent := b.Elapsed().Seconds() / float64(b.N)
	b.ReportMetric(1/perEvent, "events/s")

	const samples = 100_000
	h := newHashOnly()
	start := time.Now()
	for range samples {
		h.event()
	}
	b.ReportMetric(perEvent/(time.Since(start).Seconds()/samples), "x-hash-only")
}

// BenchmarkHashOnly measures what an encoder without any memory can't avoid: nine
// SHA-256 and their hex text. BenchmarkEncode reports its own cost as a multiple of
// it (x-hash-only).
func BenchmarkHashOnly(b *testing.B) {
	h := newHashOnly()
	b.ReportAllocs()
	for b.Loop() {
		h.event()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

type hashOnly struct {
	inputs [9][]byte
	dst    []byte
}

func newHashOnly() *hashOnly {
	h := &hashOnly{dst: make([]byte, 0, 9*64)}
	for i := range h.inputs {
		h.inputs[i] = fmt.Appendf(nil, "customer.%d@example.com", i)
	}
	return h
}

func (h *hashOnly) event() {
	h.dst = h.dst[:0]
	for _, in := range h.inputs {
		in[0]++
		sum := sha256.Sum256(in)
		h.dst = hex.AppendEncode(h.dst, sum[:])
	}
}

// BenchmarkCheckWire measures the rule set of the offline dry run on the bytes of
// BenchmarkEncode.
func BenchmarkCheckWire(b *testing.B) {
	enc, err := capi.NewEncoder(capi.Options{Now: benchTime})
	if err != nil {
		b.Fatal(err)
	}
	var wire [][]byte
	for _, ev := range benchEvents(benchBatch) {
		data, _ := enc.Append(nil, &ev)
		wire = append(wire, data)
	}
	opts := capi.CheckOptions{Now: benchTime}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if faults := capi.CheckWire(wire[n%len(wire)], opts); faults != nil {
			b.Fatal(faults)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkParseRequest measures reading full requests. One iteration is one
// event.
func BenchmarkParseRequest(b *testing.B) {
	enc, err := capi.NewEncoder(capi.Options{Now: benchTime})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"data":[`)
	for i, ev := range benchEvents(benchBatch) {
		if i > 0 {
			body = append(body, ',')
		}
		body, _ = enc.Append(body, &ev)
	}
	body = append(body, `]}`...)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%benchBatch != 0 {
			continue
		}
		if req, faults := capi.ParseRequest(body); faults != nil || len(req.Events) != benchBatch {
			b.Fatal(faults)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
