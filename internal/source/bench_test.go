package source_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/source"
)

// BenchmarkCSV reads plain order lines of eight columns, seven of them asked for.
func BenchmarkCSV(b *testing.B) {
	var text strings.Builder
	text.WriteString("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&text, "%d,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,%d.0,United Kingdom\n", 536365+i, i)
	}
	path := filepath.Join(b.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	columns := []string{"InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"}
	benchmarkRead(b, path, rows, columns)
}

// BenchmarkJSONL reads the same records as JSON lines.
func BenchmarkJSONL(b *testing.B) {
	var text strings.Builder
	const rows = 100_000
	for i := range rows {
		fmt.Fprintf(&text, `{"order":{"id":%d,"at":"2010-12-01T08:26:00Z","total":{"amount":12.55,"currency":"GBP"}},"sku":"85123A","customer":{"id":%d,"country":"GB"}}`+"\n", 536365+i, i)
	}
	path := filepath.Join(b.TempDir(), "orders.jsonl")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	benchmarkRead(b, path, rows, []string{"order.id", "order.at", "order.total.amount", "order.total.currency", "customer.id"})
}

func benchmarkRead(b *testing.B, path string, rows int, columns []string) {
	b.ReportAllocs()
	for b.Loop() {
		r, err := source.Open(b.Context(), []string{path}, source.Options{Columns: columns})
		if err != nil {
			b.Fatal(err)
		}
		var rec source.Record
		n := 0
		for {
			err := r.Next(b.Context(), &rec)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || rec.Fault != nil {
				b.Fatal(err, rec.Fault)
			}
			n++
		}
		if n != rows {
			b.Fatalf("read %d of %d records", n, rows)
		}
		r.Close()
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "records/s")
}
