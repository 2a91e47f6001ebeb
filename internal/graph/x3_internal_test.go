package graph

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func BenchmarkX3(b *testing.B) {
	page := x3page()
	b.Run("isvalid", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			if !jsontext.Value(page).IsValid(lax...) {
				b.Fatal()
			}
		}
	})
	b.Run("stdvalid", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			if !json.Valid(page) {
				b.Fatal()
			}
		}
	})
}

func x3page() []byte {
	return []byte(`{"data":[` + strings.Repeat(`{"id":"4000000000000001_4100000000000001","message":"Our spring collection is here: https:\/\/shop.example.com\/?a=1","created_time":"2026-11-20T10:00:00+0000","likes":{"summary":{"total_count":12}}},`, 99) + `{"id":"1"}],"paging":{"cursors":{"after":"a"},"next":"https://x?access_token=t"}}`)
}
