package capi_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"sluice/capi"
)

// vectorDay is the date as of which the vectors judge birth dates.
func vectorDay() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

type vector struct {
	Field         string  `json:"field"`
	Input         string  `json:"input"`
	Country       string  `json:"country"`
	Normalized    *string `json:"normalized"`
	SHA256        *string `json:"sha256"`
	AlreadyHashed bool    `json:"already_hashed"`
	Error         string  `json:"error"`
	Source        string  `json:"source"`
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("testdata/normalization-vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var vectors []vector
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("vector %d: %v", len(vectors)+1, err)
		}
		vectors = append(vectors, v)
	}
	if len(vectors) != 166 {
		t.Fatalf("%d vectors, want 166: the file is not whole", len(vectors))
	}
	return vectors
}

func TestNormalizeVectors(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors(t) {
		t.Run(v.Field+"/"+v.Country+"/"+v.Input, func(t *testing.T) {
			t.Parallel()
			field, ok := capi.ParseField(v.Field)
			if !ok {
				t.Fatalf("no field %q", v.Field)
			}
			got, err := capi.Normalize(field, v.Input, v.Country, capi.NormalizeOptions{Now: vectorDay})
			if v.Error != "" {
				if capi.CodeOf(err) != v.Error {
					t.Fatalf("got %+v, error %v; want error %s", got, err, v.Error)
				}
				return
			}
			if err != nil {
				t.Fatalf("error %v; want %q (%s)", err, *v.Normalized, v.Source)
			}
			var sum string
			if v.SHA256 != nil {
				sum = *v.SHA256
			}
			if got.Value != *v.Normalized || got.SHA256 != sum || got.AlreadyHashed != v.AlreadyHashed {
				t.Errorf("got %+v; want %q, sha256 %s, already hashed %t (%s)", got, *v.Normalized, sum, v.AlreadyHashed, v.Source)
			}
		})
	}
}
